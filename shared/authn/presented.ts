/**
 * What a request presents as proof of who sent it, taken from one place only: either the
 * Authorization header or the query of a presigned URL. Sources: AWS, "Create a signed AWS API
 * request"; Amazon S3 API, "Authenticating requests: using query parameters".
 */
import { type QueryParameter, queryParameters } from './canonical-query.ts'
import { type Refusal, refuse, type Via } from './failure.ts'
import { percentDecode } from './percent-encoding.ts'
import type { SignedRequest } from './request.ts'
import type { ServiceRules } from './service-rules.ts'

export interface Presented {
  readonly via: Via
  readonly algorithm: string
  /** `AKIA…/20261123/eu-central-1/kms/aws4_request` */
  readonly credential: string
  readonly signedHeaders: readonly string[]
  readonly signature: string
  /** The time of signing, as sent. */
  readonly date: string
  /** `X-Amz-Expires` of a presigned URL, as sent. */
  readonly expires: string | null
  readonly sessionToken: string | null
  /** `X-Amz-Content-Sha256` in the query of a presigned URL. */
  readonly payloadHash: string | null
  readonly parameters: readonly QueryParameter[]
}

/** Headers that say who asks for what; two of one would be read differently by different readers. */
const SINGLE_HEADERS = [
  'authorization',
  'host',
  'date',
  'x-amz-content-sha256',
  'x-amz-date',
  'x-amz-security-token',
  'x-amz-target',
] as const

const REQUIRED_IN_QUERY = [
  'X-Amz-Algorithm',
  'X-Amz-Credential',
  'X-Amz-Signature',
  'X-Amz-SignedHeaders',
  'X-Amz-Date',
  'X-Amz-Expires',
] as const

/** By lower-case name: no spelling of a name slips past the one that is read. */
const QUERY_AUTHENTICATION: ReadonlySet<string> = new Set([
  ...REQUIRED_IN_QUERY.map((name) => name.toLowerCase()),
  'x-amz-security-token',
])

/** @returns what is presented, or why it cannot be taken; nothing in it is verified */
export function readPresented(request: SignedRequest, rules: ServiceRules): Presented | Refusal {
  const parameters = queryParameters(request.query)
  const isInQuery = parameters.some(({ name }) => QUERY_AUTHENTICATION.has(name.toLowerCase()))
  const [authorization] = request.headers.get('authorization') ?? []
  if (authorization !== undefined && isInQuery) return refuse({ kind: 'both-header-and-query' })
  const name = SINGLE_HEADERS.find((header) => (request.headers.get(header)?.length ?? 0) > 1)
  if (name !== undefined) return refuse({ kind: 'duplicate-parameter', name })
  if (authorization !== undefined) return readHeader(request, authorization, parameters)
  if (isInQuery && rules.presigned) return readQuery(parameters)
  return refuse({ kind: 'missing' })
}

function readHeader(
  request: SignedRequest,
  authorization: string,
  parameters: readonly QueryParameter[],
): Presented | Refusal {
  const [algorithm = '', ...pairs] = authorization.split(/[\s,]+/)
  if (!algorithm.startsWith('AWS4-')) return refuse({ kind: 'unsupported-mechanism' })
  const fields = readFields(pairs)
  if (fields === null) return refuse({ kind: 'duplicate-parameter', name: 'authorization' })
  const credential = fields.get('Credential')
  const signature = fields.get('Signature')
  const signedHeaders = fields.get('SignedHeaders')
  const [date] = request.headers.get('x-amz-date') ?? request.headers.get('date') ?? []
  if (!credential || !signature || !signedHeaders || !date) {
    const found = {
      Credential: credential,
      Signature: signature,
      SignedHeaders: signedHeaders,
      Date: date,
    }
    return refuse({ kind: 'incomplete', via: 'header', missing: emptyOf(found) })
  }
  return {
    via: 'header',
    algorithm,
    credential,
    signature,
    signedHeaders: signedHeaders.split(';'),
    date,
    expires: null,
    sessionToken: request.headers.get('x-amz-security-token')?.[0] ?? null,
    payloadHash: null,
    parameters,
  }
}

function readQuery(parameters: readonly QueryParameter[]): Presented | Refusal {
  const found = new Map<string, string>()
  for (const { name, value } of parameters) {
    const lowerCase = name.toLowerCase()
    if (!QUERY_AUTHENTICATION.has(lowerCase) && lowerCase !== 'x-amz-content-sha256') continue
    if (found.has(lowerCase)) return refuse({ kind: 'duplicate-parameter', name })
    found.set(lowerCase, percentDecode(value) ?? '')
  }
  const read = (name: string): string => found.get(name.toLowerCase()) ?? ''
  const missing = REQUIRED_IN_QUERY.filter((name) => read(name) === '')
  if (missing.length > 0) return refuse({ kind: 'incomplete', via: 'query', missing })
  return {
    via: 'query',
    algorithm: read('X-Amz-Algorithm'),
    credential: read('X-Amz-Credential'),
    signature: read('X-Amz-Signature'),
    signedHeaders: read('X-Amz-SignedHeaders').split(';'),
    date: read('X-Amz-Date'),
    expires: read('X-Amz-Expires'),
    sessionToken: found.get('x-amz-security-token') ?? null,
    payloadHash: found.get('x-amz-content-sha256') ?? null,
    parameters,
  }
}

/** `Name=value` pairs by name, or `null` when a name comes twice. */
function readFields(pairs: readonly string[]): ReadonlyMap<string, string> | null {
  const fields = new Map<string, string>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = equals === -1 ? pair : pair.slice(0, equals)
    if (fields.has(name)) return null
    fields.set(name, equals === -1 ? '' : pair.slice(equals + 1))
  }
  return fields
}

const emptyOf = (found: Readonly<Record<string, string | undefined>>): readonly string[] =>
  Object.keys(found).filter((name) => !found[name])
