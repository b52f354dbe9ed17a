/** How the values of conditions are read: numbers, instants, address ranges, bytes. */
import { BlockList, isIP } from 'node:net'

const DECIMAL = /^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)$/
const EPOCH_SECONDS = /^[0-9]{5,15}(?:\.[0-9]+)?$/
const W3C_DATE =
  /^[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?)?)?$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** @returns the number, `null` when the text is not a decimal */
export const parseDecimal = (text: string): number | null =>
  DECIMAL.test(text) ? Number(text) : null

/**
 * A date of the W3C profile of ISO 8601, or seconds since the epoch. Four digits are a year.
 * @returns milliseconds since the epoch, `null` when the text is neither
 */
export function parseInstant(text: string): number | null {
  if (W3C_DATE.test(text)) {
    const instant = Date.parse(text)
    return Number.isNaN(instant) || !isInCalendar(text.slice(0, 10)) ? null : instant
  }
  return EPOCH_SECONDS.test(text) ? Number(text) * 1000 : null
}

/** Date.parse takes 30 February for 2 March. */
const isInCalendar = (date: string): boolean =>
  date.length < 10 || new Date(Date.parse(date)).getUTCDate() === Number(date.slice(8))

/** @returns `true` or `false` whatever their case, `null` for other texts */
export function parseBoolean(text: string): boolean | null {
  const folded = text.toLowerCase()
  if (folded === 'true') return true
  return folded === 'false' ? false : null
}

/** @returns the bytes, `null` when the text is not base64 */
export const parseBase64 = (text: string): Buffer | null =>
  BASE64.test(text) ? Buffer.from(text, 'base64') : null

/**
 * An address or a range of them in CIDR notation (RFC 4632, RFC 4291 section 2.3).
 * @returns what tells whether an address is in the range, `null` when the text is neither
 */
export function parseAddressRange(text: string): ((address: string) => boolean) | null {
  const [address = '', prefix, ...more] = text.split('/')
  const family = familyOf(address)
  if (family === null || more.length > 0) return null
  const width = family === 'ipv4' ? 32 : 128
  const length = prefix === undefined ? width : Number(prefix)
  if (prefix !== undefined && (!/^[0-9]{1,3}$/.test(prefix) || length > width)) return null
  const range = new BlockList()
  range.addSubnet(address, length, family)
  return (candidate) => {
    const candidateFamily = familyOf(candidate)
    return candidateFamily !== null && range.check(candidate, candidateFamily)
  }
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  if (address.includes('%')) return null // a zone means something on one host only
  const version = isIP(address)
  if (version === 0) return null
  return version === 4 ? 'ipv4' : 'ipv6'
}
