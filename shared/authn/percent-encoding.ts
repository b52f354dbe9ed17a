/**
 * Percent-encoding as "Create a signed AWS API request" defines UriEncode: every byte but the
 * unreserved characters of RFC 3986 becomes `%XY`, in capitals.
 */

const UNRESERVED_ONLY = /^[A-Za-z0-9\-._~]*$/
const OTHERS = /[^A-Za-z0-9\-._~]/gu
const TRIPLETS_AND_OTHERS = /%[0-9A-Fa-f]{2}|[^A-Za-z0-9\-._~]/gu

/** Encodes text once: `a b/é` → `a%20b%2F%C3%A9`. A `%` is a character like any other. */
export const percentEncode = (text: string): string =>
  UNRESERVED_ONLY.test(text) ? text : text.replace(OTHERS, encodeCharacter)

/**
 * The one spelling of text that is encoded already, however its sender spelled it: `%7e` → `~`,
 * `(` → `%28`. It never leaves bytes, so what is not UTF-8 stays apart. A `%` that begins no
 * triplet stands for itself.
 */
export const percentRecode = (text: string): string =>
  UNRESERVED_ONLY.test(text) ? text : text.replace(TRIPLETS_AND_OTHERS, recodeCharacter)

/** @returns the text that percent-encoded UTF-8 stands for, or `null` when it is not that */
export function percentDecode(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}

function recodeCharacter(found: string): string {
  if (found.length !== 3 || found[0] !== '%') return encodeCharacter(found)
  const character = String.fromCharCode(Number.parseInt(found.slice(1), 16))
  return UNRESERVED_ONLY.test(character) ? character : found.toUpperCase()
}

function encodeCharacter(character: string): string {
  let encoded = ''
  for (const byte of Buffer.from(character, 'utf8')) {
    encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
  }
  return encoded
}
