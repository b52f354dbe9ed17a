import { QueryError } from '../../shared/errors.ts'
import {
  type QueryOperation,
  type ServedQuery,
  serveQuery,
} from '../../shared/lambda/query-stack.ts'

/** What every name without an operation leads to: an answer for callers that are known, and a record. */
export const unknownOperation: ServedQuery = {
  name: 'UnknownOperation',
  answer: (form, call) => serveQuery(unknown(form.action, form.version)).answer(form, call),
}

const unknown = (action: string, version: string | null): QueryOperation => ({
  service: 'sts',
  name: 'UnknownOperation',
  input: { read: () => ({}) },
  readOnly: true,
  run() {
    throw new QueryError(
      'InvalidAction',
      400,
      `Could not find operation ${action} for version ${version ?? 'NO_VERSION_SPECIFIED'}`,
    )
  },
  audit: { requestParameters: () => null },
})
