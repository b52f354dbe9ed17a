import { JsonError } from '../../../shared/errors.ts'
import type { SourceValue } from './source.ts'

/** Says of a value of the seed what the API would say. @throws StartProblem */
export function orFail<Result>(value: SourceValue, read: () => Result): Result {
  try {
    return read()
  } catch (error) {
    return failAs(value, error)
  }
}

/** As `orFail`, for what takes a while. @throws StartProblem */
export const orFailLater = <Result>(value: SourceValue, work: Promise<Result>): Promise<Result> =>
  work.catch((error: unknown) => failAs(value, error))

function failAs(value: SourceValue, error: unknown): never {
  if (!(error instanceof JsonError)) throw error
  return value.fail(error.text ?? `AWS would answer this with ${error.code}.`)
}
