/**
 * Changes that somebody else's change came before. What authorized them is past, so they are not
 * simply written again: the whole call starts anew, with everything looked up and authorized afresh.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { JsonError } from '../errors.ts'
import { ConditionFailed } from '../store/repositories.ts'
import { THROTTLED_TEXT } from './request-rates.ts'

/** What the client is told when all attempts were overtaken; clients wait and try again. */
class Overtaken extends JsonError {
  constructor(options?: ErrorOptions) {
    super('ThrottlingException', THROTTLED_TEXT, options)
  }
}

export const overtaken = (options?: ErrorOptions): JsonError => new Overtaken(options)

/** @throws Overtaken when somebody else's change came first */
export async function unlessOvertaken(change: Promise<void>): Promise<void> {
  try {
    await change
  } catch (error) {
    throw error instanceof ConditionFailed ? overtaken({ cause: error }) : error
  }
}

const MAX_ATTEMPTS = 6
const FIRST_PAUSE_MS = 4

/**
 * Makes attempts until one is not overtaken, with pauses that grow and differ, so that those who
 * change the same thing get out of each other's way.
 * @param attempt - may be made several times: what it throws when overtaken leaves nothing half done
 * @throws JsonError ThrottlingException when every attempt was overtaken, and what `attempt` throws
 */
export async function insist<Value>(attempt: () => Promise<Value>): Promise<Value> {
  for (let made = 1; ; made++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof Overtaken) && !(error instanceof ConditionFailed)) throw error
      if (made === MAX_ATTEMPTS) {
        throw error instanceof Overtaken ? error : overtaken({ cause: error })
      }
      await pause(FIRST_PAUSE_MS * 2 ** made * Math.random())
    }
  }
}
