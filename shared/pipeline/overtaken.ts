/** Changes that must not be tried again by themselves, since they were authorized by what is past. */
import { JsonError } from '../errors.ts'
import { ConditionFailed } from '../store/repositories.ts'

/** What clients take for "try again", which authorizes the call anew. */
export const overtaken = (options?: ErrorOptions): JsonError =>
  new JsonError(
    'DependencyTimeoutException',
    'The resource was changed by another request at the same time. You can retry the request.',
    options,
  )

/** @throws JsonError DependencyTimeoutException when somebody else's change came first */
export async function unlessOvertaken(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    throw error instanceof ConditionFailed ? overtaken({ cause: error }) : error
  }
}
