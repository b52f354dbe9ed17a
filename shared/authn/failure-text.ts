/**
 * The words for what is wrong with a signature, as each protocol says them. None repeats the
 * canonical request or the string to sign: they reflect whatever an attacker sent.
 * Sources: AWS, "Common errors" of KMS and of STS; Amazon S3 API, "Error responses".
 */
import type { JsonErrorCode } from '../errors.ts'
import type { AuthenticationFailure, ScopeFault } from './failure.ts'
import { formatSigningDate } from './signing-date.ts'

/** For a service that speaks AWS JSON; the status follows from the code. */
export interface JsonFailure {
  readonly code: JsonErrorCode
  readonly text: string
}

/** For a service that speaks the Query protocol. */
export interface QueryFailure {
  readonly status: number
  readonly code: string
  readonly message: string
}

const INVALID_TOKEN = 'The security token included in the request is invalid.'
const EXPIRED_TOKEN = 'The security token included in the request is expired'
const MISMATCH =
  'The request signature we calculated does not match the signature you provided. ' +
  'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'

/** @returns code and message that KMS and CloudTrail answer with */
export function jsonFailure(failure: AuthenticationFailure): JsonFailure {
  const text = sentence(failure)
  switch (failure.kind) {
    case 'missing':
    case 'unsupported-mechanism':
      return { code: 'MissingAuthenticationTokenException', text }
    case 'incomplete':
    case 'duplicate-parameter':
    case 'bad-date':
    case 'bad-expires':
    case 'bad-algorithm':
    case 'malformed-credential':
      return { code: 'IncompleteSignatureException', text }
    case 'unknown-access-key':
    case 'bad-session-token':
      return { code: 'UnrecognizedClientException', text }
    case 'expired-session':
      return { code: 'ExpiredTokenException', text }
    case 'both-header-and-query':
    case 'expired':
    case 'not-yet':
    case 'presigned-expired':
    case 'unsigned-headers':
    case 'wrong-host':
    case 'wrong-scope':
    case 'missing-payload-hash':
    case 'bad-payload-hash':
    case 'unsupported-payload':
    case 'body-hash':
    case 'mismatch':
      return { code: 'InvalidSignatureException', text }
    default:
      return failure satisfies never
  }
}

/** The same sentences under the names that the Query services have for them. */
const QUERY_CODES = {
  MissingAuthenticationTokenException: { status: 403, code: 'MissingAuthenticationToken' },
  IncompleteSignatureException: { status: 400, code: 'IncompleteSignature' },
  UnrecognizedClientException: { status: 403, code: 'InvalidClientTokenId' },
  InvalidSignatureException: { status: 403, code: 'SignatureDoesNotMatch' },
  ExpiredTokenException: { status: 403, code: 'ExpiredToken' },
} as const

/** @returns status, code and message that STS answers with */
export function queryFailure(failure: AuthenticationFailure): QueryFailure {
  const { code, text } = jsonFailure(failure)
  const known = Object.entries(QUERY_CODES).find(([name]) => name === code)?.[1]
  return { ...(known ?? QUERY_CODES.InvalidSignatureException), message: text }
}

function sentence(failure: AuthenticationFailure): string {
  switch (failure.kind) {
    case 'both-header-and-query':
      return "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    case 'missing':
    case 'unsupported-mechanism':
      return 'Missing Authentication Token'
    case 'duplicate-parameter':
      return `'${failure.name}' must not be given more than once.`
    case 'incomplete':
      return failure.via === 'header' ? missingInHeader(failure) : missingInQuery(failure)
    case 'bad-date':
      return `Date must be in ISO-8601 'basic format'. Got '${failure.given}'. See http://en.wikipedia.org/wiki/ISO_8601`
    case 'bad-expires':
      return "'X-Amz-Expires' must be a number of seconds from 1 to 604800."
    case 'expired':
      return tooEarly(failure)
    case 'not-yet':
      return tooLate(failure)
    case 'presigned-expired':
      return `Signature expired: ${formatSigningDate(failure.signedAt + failure.expiresSeconds * 1000)} is now earlier than ${formatSigningDate(failure.now)}`
    case 'unsigned-headers':
      return failure.names.map(mustBeSigned).join(' ')
    case 'bad-algorithm':
      return `Unsupported AWS 'algorithm': '${failure.given}' (only AWS4-HMAC-SHA256 for now).`
    case 'malformed-credential':
      return `Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${failure.given}'`
    case 'wrong-scope':
      return failure.faults.map(scopeSentence).join(' ')
    case 'unknown-access-key':
    case 'bad-session-token':
      return INVALID_TOKEN
    case 'expired-session':
      return EXPIRED_TOKEN
    case 'wrong-host':
    case 'missing-payload-hash':
    case 'bad-payload-hash':
    case 'unsupported-payload':
    case 'body-hash':
    case 'mismatch':
      return MISMATCH
    default:
      return failure satisfies never
  }
}

const missingInHeader = ({ missing }: { missing: readonly string[] }): string =>
  missing
    .map((name) =>
      name === 'Date'
        ? "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
        : `Authorization header requires '${name}' parameter.`,
    )
    .join(' ')

const missingInQuery = ({ missing }: { missing: readonly string[] }): string =>
  [
    ...missing.map((name) => `AWS query-string parameters must include '${name}'.`),
    'Re-examine the query-string parameters.',
  ].join(' ')

const mustBeSigned = (name: string): string =>
  name === 'host'
    ? "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    : `'${name}' must be a 'SignedHeader' in the AWS Authorization.`

interface Times {
  readonly signedAt: number
  readonly now: number
  readonly windowMs: number
}

const tooEarly = ({ signedAt, now, windowMs }: Times): string =>
  `Signature expired: ${formatSigningDate(signedAt)} is now earlier than ${formatSigningDate(now - windowMs)} (${formatSigningDate(now)} - ${windowMs / 60_000} min.)`

const tooLate = ({ signedAt, now, windowMs }: Times): string =>
  `Signature not yet current: ${formatSigningDate(signedAt)} is still later than ${formatSigningDate(now + windowMs)} (${formatSigningDate(now)} + ${windowMs / 60_000} min.)`

function scopeSentence(fault: ScopeFault): string {
  switch (fault.part) {
    case 'region':
      return `Credential should be scoped to a valid region, not '${fault.given}'.`
    case 'service':
      return `Credential should be scoped to correct service: '${fault.expected}'.`
    case 'terminator':
      return `Credential should be scoped with a valid terminator: 'aws4_request', not '${fault.given}'.`
    case 'day':
      return `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${fault.given}' != '${fault.expected}', from '${fault.date}'.`
    default:
      return fault satisfies never
  }
}
