import { JsonError } from '../../../shared/errors.ts'
import type { SourceValue } from './source.ts'

/** Says of a value of the seed what the API would say. @throws StartProblem */
export function orFail<Result>(value: SourceValue, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    return value.fail(error.text ?? `AWS would answer this with ${error.code}.`)
  }
}
