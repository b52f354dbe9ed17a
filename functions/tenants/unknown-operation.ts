import { JsonError } from '../../shared/errors.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'

/** What every name without an operation leads to: an answer for callers that are known. */
export const unknownOperation: Operation<object, never> = {
  service: 'keyhold',
  name: 'UnknownOperation',
  input: { read: () => ({}) },
  readOnly: true,
  run() {
    throw new JsonError('UnknownOperationException')
  },
  audit: { requestParameters: () => null },
}
