/** CanonicalHeaders: the signed headers as the signature sees them ("Create a signed AWS API request"). */
import type { SignedRequest } from './request.ts'

// ASCII white space only: a byte of a UTF-8 value may look like a no-break space.
const NEEDS_SQUEEZE = /^[ \t]|[ \t\r\n]{2}|[\t\r\n]|[ \t]$/
const WHITE_SPACE = /[ \t\r\n]+/g
const ENDS = /^ | $/g

/**
 * `name:value` and a line feed for each signed header, in the order of the list. Values lose white
 * space at their ends, runs of it become one space, and repeated headers are joined by commas.
 *
 * @returns `null` when a header on the list did not come with the request
 */
export function canonicalHeaders(
  headers: SignedRequest['headers'],
  signedHeaders: readonly string[],
): string | null {
  let lines = ''
  for (const name of signedHeaders) {
    const values = headers.get(name)
    if (values === undefined) return null
    const [only] = values
    const value =
      values.length === 1 && only !== undefined ? squeeze(only) : values.map(squeeze).join(',')
    lines += `${name}:${value}\n`
  }
  return lines
}

const squeeze = (value: string): string =>
  NEEDS_SQUEEZE.test(value) ? value.replace(WHITE_SPACE, ' ').replace(ENDS, '') : value
