import { JsonError } from '../../shared/errors.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'

/** What every target without an operation leads to: an answer for callers that are known, as AWS gives it. */
export const unknownOperation: Operation<object, never> = {
  service: 'kms',
  name: 'UnknownOperation',
  input: { read: () => ({}) },
  readOnly: true,
  run() {
    throw new JsonError('UnknownOperationException')
  },
  audit: { requestParameters: () => null },
}

export const handler = jsonHandler(unknownOperation)
