/** Numbers and times as people write them in arguments. */
import { InvalidArgumentError } from 'commander'

/** @returns a reader for commander of whole numbers within these bounds, both inclusive */
export function wholeNumber(min: number, max = Number.MAX_SAFE_INTEGER) {
  return (given: string): number => {
    const number = Number(given)
    if (/^[0-9]{1,16}$/.test(given) && number >= min && number <= max) return number
    const upper = max === Number.MAX_SAFE_INTEGER ? ` of at least ${min}` : ` from ${min} to ${max}`
    throw new InvalidArgumentError(`It must be a whole number${upper}.`)
  }
}

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * @param given - `90s`, `15m`, `2h`, `7d`, `1w` before now; or a date, with or without a time
 * @throws InvalidArgumentError for anything else
 */
export function pastTime(given: string): Date {
  const [, count, unit = ''] = /^([0-9]{1,9})([smhdw])$/.exec(given) ?? []
  if (count !== undefined) return new Date(Date.now() - Number(count) * (UNIT_MS[unit] ?? 0))
  const time = /^\d{4}-\d\d-\d\d(?:$|T)/.test(given) ? Date.parse(given) : Number.NaN
  if (Number.isNaN(time)) {
    throw new InvalidArgumentError(
      'It must be such as 90s, 15m, 2h, 7d, 1w, or 2031-01-31T12:00:00Z.',
    )
  }
  return new Date(time)
}
