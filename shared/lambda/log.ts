/** The log: JSON lines on standard output, for what went wrong inside. Never a request, never an event. */
import pino, { type Logger } from 'pino'
import { parseLogLevel } from './log-level.ts'

let logger: Logger | undefined

const log = (): Logger => {
  logger ??= pino({ base: null, level: parseLogLevel(process.env.KEYHOLD_LOG_LEVEL) })
  return logger
}

/**
 * Logs a failure that the caller is told nothing of.
 * @param error - its name, message, stack and causes are logged; errors here carry no inputs
 */
export function logFailure(operation: string, requestId: string, error: unknown): void {
  log().error({ operation, requestId, err: error }, 'call failed')
}
