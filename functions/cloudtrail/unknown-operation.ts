import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { unknownOperation as ofKms } from '../kms/unknown-operation.ts'

/** The same for CloudTrail's targets: an answer for callers that are known. */
export const unknownOperation: Operation<object, never> = { ...ofKms, service: 'cloudtrail' }

export const handler = jsonHandler(unknownOperation)
