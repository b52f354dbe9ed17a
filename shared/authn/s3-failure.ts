/**
 * The words of S3 for what is wrong with a signature.
 * Sources: Amazon S3 API, "Error responses", "Authenticating requests".
 */
import type { AuthenticationFailure, ScopeFault, Via } from './failure.ts'
import { MAX_EXPIRES_SECONDS } from './validity.ts'

/** `details` become further elements of the `<Error>` document. */
export interface S3Failure {
  readonly status: number
  readonly code: string
  readonly message: string
  readonly details: Readonly<Record<string, string>>
}

const PAYLOAD_HASHES =
  'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, ' +
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER or a valid sha256 value.'
const QUERY_PARAMETERS =
  'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, ' +
  'X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.'

/** @returns status, code, message and details that S3 answers with */
export function s3Failure(failure: AuthenticationFailure): S3Failure {
  switch (failure.kind) {
    case 'both-header-and-query':
      return invalidArgument(
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature ' +
          'query string parameter or the Authorization header should be specified',
        { ArgumentName: 'Authorization' },
      )
    case 'duplicate-parameter':
      return invalidArgument('The parameter must not be given more than once.', {
        ArgumentName: failure.name,
      })
    case 'missing':
      return denied('Access Denied')
    case 'unsupported-mechanism':
      return invalidRequest(
        'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
      )
    case 'incomplete':
      return failure.via === 'query'
        ? malformedQuery(QUERY_PARAMETERS)
        : malformedHeader(`missing ${failure.missing.join(', ')}`)
    case 'bad-date':
      return failure.via === 'query'
        ? malformedQuery("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
        : denied('AWS authentication requires a valid Date or x-amz-date header')
    case 'bad-expires':
      return malformedQuery(EXPIRES[failure.fault])
    case 'expired':
      return skewed(failure)
    case 'not-yet':
      return failure.via === 'query' ? denied('Request is not yet valid') : skewed(failure)
    case 'presigned-expired':
      return denied('Request has expired', {
        'X-Amz-Expires': String(failure.expiresSeconds),
        Expires: isoSeconds(failure.signedAt + failure.expiresSeconds * 1000),
        ServerTime: isoSeconds(failure.now),
      })
    case 'unsigned-headers':
      return denied('There were headers present in the request which were not signed', {
        HeadersNotSigned: failure.names.join(', '),
      })
    case 'bad-algorithm':
      return failure.via === 'query'
        ? malformedQuery('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
        : invalidRequest(
            'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.',
          )
    case 'malformed-credential':
      return malformed(
        failure.via,
        'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
      )
    case 'wrong-scope':
      return wrongScope(failure.via, failure.faults)
    case 'missing-payload-hash':
      return invalidRequest('Missing required header for this request: x-amz-content-sha256')
    case 'bad-payload-hash':
      return invalidArgument(PAYLOAD_HASHES, {
        ArgumentName: 'x-amz-content-sha256',
        ArgumentValue: failure.given,
      })
    case 'unsupported-payload':
      return {
        status: 501,
        code: 'NotImplemented',
        message: 'A header you provided implies functionality that is not implemented',
        details: { Header: 'x-amz-content-sha256' },
      }
    case 'body-hash':
      return {
        status: 400,
        code: 'XAmzContentSHA256Mismatch',
        message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
        details: {},
      }
    case 'unknown-access-key':
      return {
        status: 403,
        code: 'InvalidAccessKeyId',
        message: 'The AWS Access Key Id you provided does not exist in our records.',
        details: { AWSAccessKeyId: failure.accessKeyId },
      }
    case 'bad-session-token':
      return {
        status: 400,
        code: 'InvalidToken',
        message: 'The provided token is malformed or otherwise invalid.',
        details: {},
      }
    case 'expired-session':
      return {
        status: 400,
        code: 'ExpiredToken',
        message: 'The provided token has expired.',
        details: {},
      }
    case 'mismatch':
      return mismatch({ AWSAccessKeyId: failure.accessKeyId })
    case 'wrong-host':
      return mismatch({})
    default:
      return failure satisfies never
  }
}

const EXPIRES = {
  'not-a-number': 'X-Amz-Expires should be a number',
  negative: 'X-Amz-Expires must be non-negative',
  'too-long': `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${MAX_EXPIRES_SECONDS} seconds`,
} as const

/** S3 names the first fault alone; for the Region also in an element, by which clients find the right one. */
function wrongScope(via: Via, [first]: readonly ScopeFault[]): S3Failure {
  if (first === undefined) return mismatch({})
  switch (first.part) {
    case 'region':
      return malformed(via, `the region '${first.given}' is wrong; expecting '${first.expected}'`, {
        Region: first.expected,
      })
    case 'service':
      return malformed(
        via,
        `incorrect service "${first.given}". This endpoint belongs to "${first.expected}".`,
      )
    case 'terminator':
      return malformed(
        via,
        `incorrect terminal "${first.given}". This endpoint uses "aws4_request".`,
      )
    case 'day':
      return malformed(
        via,
        `Invalid credential date "${first.given}". This date is not the same as X-Amz-Date: "${first.expected}".`,
      )
    default:
      return first satisfies never
  }
}

const malformed = (via: Via, reason: string, details: Readonly<Record<string, string>> = {}) =>
  via === 'query'
    ? malformedQuery(`Error parsing the X-Amz-Credential parameter; ${reason}`, details)
    : malformedHeader(reason, details)

const malformedHeader = (
  reason: string,
  details: Readonly<Record<string, string>> = {},
): S3Failure => ({
  status: 400,
  code: 'AuthorizationHeaderMalformed',
  message: `The authorization header is malformed; ${reason}`,
  details,
})

const malformedQuery = (
  message: string,
  details: Readonly<Record<string, string>> = {},
): S3Failure => ({ status: 400, code: 'AuthorizationQueryParametersError', message, details })

const denied = (message: string, details: Readonly<Record<string, string>> = {}): S3Failure => ({
  status: 403,
  code: 'AccessDenied',
  message,
  details,
})

const invalidRequest = (message: string): S3Failure => ({
  status: 400,
  code: 'InvalidRequest',
  message,
  details: {},
})

const invalidArgument = (
  message: string,
  details: Readonly<Record<string, string>>,
): S3Failure => ({ status: 400, code: 'InvalidArgument', message, details })

const mismatch = (details: Readonly<Record<string, string>>): S3Failure => ({
  status: 403,
  code: 'SignatureDoesNotMatch',
  message:
    'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
  details,
})

const skewed = (times: { signedAt: number; now: number; windowMs: number }): S3Failure => ({
  status: 403,
  code: 'RequestTimeTooSkewed',
  message: 'The difference between the request time and the current time is too large.',
  details: {
    RequestTime: isoSeconds(times.signedAt),
    ServerTime: isoSeconds(times.now),
    MaxAllowedSkewMilliseconds: String(times.windowMs),
  },
})

const isoSeconds = (time: number): string => `${new Date(time).toISOString().slice(0, 19)}Z`
