/**
 * The policy of a browser's upload: what its form may hold, written and signed by whoever made the
 * form (Amazon S3 API Reference, "POST policy").
 */
import { S3Error } from '../blobs/s3-error.ts'

/** In bytes of the file. */
export interface SizeRange {
  readonly min: number
  readonly max: number
}

interface Condition {
  readonly operator: 'eq' | 'starts-with'
  /** Lower case. */
  readonly field: string
  readonly value: string
  /** As it is written, for the message. */
  readonly text: string
}

export interface PostPolicy {
  /** Milliseconds since the epoch. */
  readonly expiration: number
  readonly conditions: readonly Condition[]
  /** `null`: any size will do. */
  readonly size: SizeRange | null
}

const DATE = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?Z$/
const EXEMPT = new Set(['x-amz-signature', 'signature', 'awsaccesskeyid', 'file', 'policy'])
const EXEMPT_PREFIX = 'x-ignore-'

/**
 * @param text - base64 of a JSON document
 * @throws S3Error InvalidPolicyDocument
 */
export function parsePostPolicy(text: string): PostPolicy {
  const document = parseJson(text)
  const { expiration, conditions } = document
  if (expiration === undefined) throw invalid('Policy missing expiration.')
  const time =
    typeof expiration === 'string' && DATE.test(expiration) ? Date.parse(expiration) : NaN
  if (Number.isNaN(time)) throw invalid(`Invalid 'expiration' value: '${String(expiration)}'.`)
  if (!Array.isArray(conditions)) throw invalid('Policy missing conditions.')
  const parsed = conditions.flatMap(parseEntry)
  const ranges = parsed.flatMap((entry) => ('min' in entry ? [entry] : []))
  const size = ranges.reduce<SizeRange | null>(
    (all, { min, max }) =>
      all === null ? { min, max } : { min: Math.max(all.min, min), max: Math.min(all.max, max) },
    null,
  )
  return {
    expiration: time,
    conditions: parsed.flatMap((entry) => ('field' in entry ? [entry] : [])),
    size,
  }
}

/**
 * @param fields - lower-case name → value, with the bucket among them
 * @param now - milliseconds since the epoch
 * @throws S3Error AccessDenied when the policy is over, a condition does not hold, or a field is not
 *   covered by any
 */
export function requirePostPolicy(
  { expiration, conditions, size }: PostPolicy,
  fields: ReadonlyMap<string, string>,
  now: number,
): void {
  if (now >= expiration) throw denied('Policy expired.')
  const failed = conditions.find((condition) => !holds(condition, fields))
  if (failed !== undefined) throw denied(`Policy Condition failed: ${failed.text}`)
  const covered = new Set(conditions.map(({ field }) => field))
  if (size !== null) covered.add('content-length-range')
  const extra = [...fields.keys()].filter(
    (name) => !covered.has(name) && !EXEMPT.has(name) && !name.startsWith(EXEMPT_PREFIX),
  )
  if (extra.length > 0) throw denied(`Extra input fields: ${extra.join(', ')}`)
}

function holds(
  { operator, field, value }: Condition,
  fields: ReadonlyMap<string, string>,
): boolean {
  const given = fields.get(field)
  if (given === undefined) return false
  if (operator === 'eq') return given === value
  // Of a list of types, each has to be one that is allowed.
  const values = field === 'content-type' ? given.split(',').map((type) => type.trim()) : [given]
  return values.every((each) => each.startsWith(value))
}

function parseJson(text: string): { readonly [name: string]: unknown } {
  const bytes = Buffer.from(text, 'base64')
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (error) {
    throw invalid('Invalid JSON.', error)
  }
  if (typeof document === 'object' && document !== null && !Array.isArray(document)) {
    return document as { readonly [name: string]: unknown }
  }
  throw invalid('Invalid JSON.')
}

function parseEntry(entry: unknown): readonly (Condition | SizeRange)[] {
  if (Array.isArray(entry)) return [parseList(entry)]
  const pairs = typeof entry === 'object' && entry !== null ? Object.entries(entry) : []
  const [pair, ...more] = pairs
  if (pair === undefined || more.length > 0) {
    throw invalid(
      'Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.',
    )
  }
  const [name, value] = pair
  if (typeof value !== 'string') throw invalid('Invalid Simple-Condition: value must be a string.')
  const text = JSON.stringify(['eq', `$${name}`, value])
  return [{ operator: 'eq', field: name.toLowerCase(), value, text }]
}

function parseList(entry: readonly unknown[]): Condition | SizeRange {
  const [operator, first, second] = entry
  const name = typeof operator === 'string' ? operator.toLowerCase() : ''
  if (entry.length !== 3) throw invalid(`Invalid condition: ${JSON.stringify(entry)}.`)
  switch (name) {
    case 'eq':
    case 'starts-with': {
      if (typeof first !== 'string' || typeof second !== 'string' || !first.startsWith('$')) {
        throw invalid(`Invalid condition: ${JSON.stringify(entry)}.`)
      }
      const field = first.slice(1).toLowerCase()
      return { operator: name, field, value: second, text: JSON.stringify(entry) }
    }
    case 'content-length-range':
      return { min: parseSize(first), max: parseSize(second) }
    default:
      throw invalid(`Unexpected: ${JSON.stringify(operator ?? null)}.`)
  }
}

/** Tools write sizes as numbers and as strings. */
function parseSize(value: unknown): number {
  const text = typeof value === 'number' ? String(value) : value
  const size = typeof text === 'string' && /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN
  if (Number.isSafeInteger(size)) return size
  throw invalid('Invalid content-length-range: sizes must be whole numbers.')
}

const invalid = (reason: string, cause?: unknown): S3Error =>
  new S3Error('InvalidPolicyDocument', `Invalid Policy: ${reason}`, {}, { cause })

const denied = (reason: string): S3Error =>
  new S3Error('AccessDenied', `Invalid according to Policy: ${reason}`)
