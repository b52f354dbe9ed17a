/** The time of signing in ISO 8601 basic format, `20261123T101500Z`, always UTC and without fractions. */

const BASIC = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/

/** @returns milliseconds since the epoch, or `null` when the text is not a date of that form */
export function parseSigningDate(text: string): number | null {
  const parts = BASIC.exec(text)
  if (parts === null) return null
  const [year, month, day, hour, minute, second] = parts.slice(1).map(Number) as Six
  const time = Date.UTC(year, month - 1, day, hour, minute, second)
  // Date.UTC rolls 31 November over into December.
  return formatSigningDate(time) === text ? time : null
}

/** @returns milliseconds since the epoch of an HTTP date (RFC 9110 §5.6.7), or `null` when it is none */
export function parseHttpDate(text: string): number | null {
  const time = Date.parse(text)
  return !Number.isNaN(time) && new Date(time).toUTCString() === text ? time : null
}

/** @param time - milliseconds since the epoch */
export const formatSigningDate = (time: number): string =>
  `${new Date(time).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`

type Six = [number, number, number, number, number, number]
