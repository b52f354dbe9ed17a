/** Durations as tests write them: ISO 8601 (`P1Y`, `P30DT12H`), or a number and its unit (`30d`). */

export interface Duration {
  /** Of the calendar, so not of a fixed length. */
  readonly months: number
  readonly milliseconds: number
}

const SECOND = 1000
const UNITS: Readonly<Record<string, number>> = {
  s: SECOND,
  m: 60 * SECOND,
  h: 3600 * SECOND,
  d: 86_400 * SECOND,
  w: 7 * 86_400 * SECOND,
}
const COUNT = '([0-9]{1,9})'
const ISO = new RegExp(
  `^([+-]?)P(?=.)(?:${COUNT}Y)?(?:${COUNT}M)?(?:${COUNT}W)?(?:${COUNT}D)?` +
    `(?:T(?=.)(?:${COUNT}H)?(?:${COUNT}M)?(?:([0-9]{1,9}(?:\\.[0-9]{1,3})?)S)?)?$`,
)
const SHORT = /^([+-]?)([0-9]{1,9})([smhdw])$/

/** @returns `null` for what is neither. */
export function parseDuration(text: string): Duration | null {
  const short = SHORT.exec(text)
  if (short !== null) {
    const [, sign, count, unit = ''] = short
    return { months: 0, milliseconds: signed(sign, Number(count) * (UNITS[unit] ?? 0)) }
  }
  const iso = ISO.exec(text)
  if (iso === null) return null
  const [years, months, weeks, days, hours, minutes, seconds] = iso
    .slice(2)
    .map((count) => Number(count ?? 0)) as [number, number, number, number, number, number, number]
  const whole = ((weeks * 7 + days) * 24 + hours) * 60 + minutes
  return {
    months: signed(iso[1], years * 12 + months),
    milliseconds: signed(iso[1], Math.round((whole * 60 + seconds) * SECOND)),
  }
}

/**
 * @param time - milliseconds since the epoch
 * @returns the time that much later; a day that the month has not becomes its last (RFC 3339 has no
 *   rule; this is that of XML Schema 1.1, "Adding durations to dateTimes")
 */
export function addDuration(time: number, { months, milliseconds }: Duration): number {
  if (months === 0) return time + milliseconds
  const date = new Date(time)
  const day = date.getUTCDate()
  date.setUTCDate(1)
  date.setUTCMonth(date.getUTCMonth() + months)
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate()
  date.setUTCDate(Math.min(day, lastDay))
  return date.getTime() + milliseconds
}

/** Zero has no sign. */
const signed = (sign: string | undefined, amount: number): number =>
  sign === '-' && amount !== 0 ? -amount : amount
