/** From everything to nothing. */
const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const

export type LogLevel = (typeof LOG_LEVELS)[number]

/**
 * @param text - of `KEYHOLD_LOG_LEVEL`; absent or empty: `warn`
 * @throws RangeError with a sentence for whoever set it
 */
export function parseLogLevel(text: string | undefined): LogLevel {
  const level = LOG_LEVELS.find((known) => known === (text || 'warn'))
  if (level !== undefined) return level
  throw new RangeError(
    `KEYHOLD_LOG_LEVEL must be one of ${LOG_LEVELS.join(', ')}, not ${JSON.stringify(text)}.`,
  )
}
