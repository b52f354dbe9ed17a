/** CanonicalQueryString: the query as the signature sees it ("Create a signed AWS API request"). */
import { percentDecode, percentRecode } from './percent-encoding.ts'

/** A query parameter in canonical encoding, both halves. */
export interface QueryParameter {
  readonly name: string
  readonly value: string
}

/**
 * Takes the raw query apart. Repeated names stay apart, in the order received; `a` is `a=`.
 * A `+` is a space, as S3 reads it and as forms write it.
 */
export function queryParameters(query: string): readonly QueryParameter[] {
  if (query === '') return []
  const parameters: QueryParameter[] = []
  for (const pair of query.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    const value = equals === -1 ? '' : pair.slice(equals + 1)
    parameters.push({ name: recode(name), value: recode(value) })
  }
  return parameters
}

/**
 * The same parameters as a caller means them, for whoever acts on them: what the signature covers
 * and what is acted on are then read by one parser.
 *
 * @returns names and values decoded, or `null` when one is not UTF-8
 */
export function decodedQuery(query: string): readonly QueryParameter[] | null {
  const decoded: QueryParameter[] = []
  for (const parameter of queryParameters(query)) {
    const name = percentDecode(parameter.name)
    const value = percentDecode(parameter.value)
    if (name === null || value === null) return null
    decoded.push({ name, value })
  }
  return decoded
}

/**
 * Sorted by name, then by value, and joined.
 *
 * @param without - lower-case name that is left out: `x-amz-signature` of a presigned URL
 */
export function canonicalQuery(
  parameters: readonly QueryParameter[],
  without: string | null = null,
): string {
  if (parameters.length === 0) return ''
  return parameters
    .filter(({ name }) => without === null || name.toLowerCase() !== without)
    .sort((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
    .join('&')
}

const recode = (text: string): string => percentRecode(text.replaceAll('+', '%20'))

// By code point: both are ASCII by now.
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
