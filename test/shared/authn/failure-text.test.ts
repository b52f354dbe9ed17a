import { describe, expect, test } from 'vitest'
import type { AuthenticationFailure } from '../../../shared/authn/failure.ts'
import { jsonFailure, queryFailure } from '../../../shared/authn/failure-text.ts'
import { s3Failure } from '../../../shared/authn/s3-failure.ts'
import { jsonErrorStatus } from '../../../shared/errors.ts'
import { NOW } from './given.ts'

const window = { via: 'header', signedAt: NOW, windowMs: 300_000 } as const
const accessKeyId = 'AKIAIOSFODNN7EXAMPLE'
const MISMATCH =
  'The request signature we calculated does not match the signature you provided. ' +
  'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.'

/** Every kind of failure, and all that is said of it: JSON code, Query status and code, sentence, S3 status and code. */
const failures: readonly [AuthenticationFailure, string, string, string, string][] = [
  [
    { kind: 'both-header-and-query' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.",
    '400 InvalidArgument',
  ],
  [
    { kind: 'duplicate-parameter', name: 'authorization' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "'authorization' must not be given more than once.",
    '400 InvalidArgument',
  ],
  [
    { kind: 'missing' },
    'MissingAuthenticationTokenException',
    '403 MissingAuthenticationToken',
    'Missing Authentication Token',
    '403 AccessDenied',
  ],
  [
    { kind: 'unsupported-mechanism' },
    'MissingAuthenticationTokenException',
    '403 MissingAuthenticationToken',
    'Missing Authentication Token',
    '400 InvalidRequest',
  ],
  [
    { kind: 'incomplete', via: 'header', missing: ['Credential', 'Date'] },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "Authorization header requires 'Credential' parameter. " +
      "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.",
    '400 AuthorizationHeaderMalformed',
  ],
  [
    { kind: 'incomplete', via: 'query', missing: ['X-Amz-Date'] },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters.",
    '400 AuthorizationQueryParametersError',
  ],
  [
    { kind: 'bad-date', via: 'header', given: 'x' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "Date must be in ISO-8601 'basic format'. Got 'x'. See http://en.wikipedia.org/wiki/ISO_8601",
    '403 AccessDenied',
  ],
  [
    { kind: 'bad-date', via: 'query', given: 'x' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "Date must be in ISO-8601 'basic format'. Got 'x'. See http://en.wikipedia.org/wiki/ISO_8601",
    '400 AuthorizationQueryParametersError',
  ],
  [
    { kind: 'bad-expires', fault: 'too-long' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "'X-Amz-Expires' must be a number of seconds from 1 to 604800.",
    '400 AuthorizationQueryParametersError',
  ],
  [
    { kind: 'expired', ...window, now: NOW + 301_000 },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    'Signature expired: 20261123T101500Z is now earlier than 20261123T101501Z (20261123T102001Z - 5 min.)',
    '403 RequestTimeTooSkewed',
  ],
  [
    { kind: 'not-yet', ...window, now: NOW - 301_000 },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    'Signature not yet current: 20261123T101500Z is still later than 20261123T101459Z (20261123T100959Z + 5 min.)',
    '403 RequestTimeTooSkewed',
  ],
  [
    { kind: 'presigned-expired', signedAt: NOW, now: NOW + 61_000, expiresSeconds: 60 },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    'Signature expired: 20261123T101600Z is now earlier than 20261123T101601Z',
    '403 AccessDenied',
  ],
  [
    { kind: 'unsigned-headers', names: ['host', 'x-amz-target'] },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization. " +
      "'x-amz-target' must be a 'SignedHeader' in the AWS Authorization.",
    '403 AccessDenied',
  ],
  [
    { kind: 'wrong-host' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '403 SignatureDoesNotMatch',
  ],
  [
    { kind: 'bad-algorithm', via: 'header', given: 'AWS4-X' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "Unsupported AWS 'algorithm': 'AWS4-X' (only AWS4-HMAC-SHA256 for now).",
    '400 InvalidRequest',
  ],
  [
    { kind: 'malformed-credential', via: 'header', given: 'a/b' },
    'IncompleteSignatureException',
    '400 IncompleteSignature',
    "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'",
    '400 AuthorizationHeaderMalformed',
  ],
  [
    {
      kind: 'wrong-scope',
      via: 'header',
      faults: [
        { part: 'region', given: 'r', expected: 'eu-central-1' },
        { part: 'service', given: 's', expected: 'kms' },
        { part: 'terminator', given: 't' },
        { part: 'day', given: '20261122', expected: '20261123', date: '20261123T101500Z' },
      ],
    },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    "Credential should be scoped to a valid region, not 'r'. " +
      "Credential should be scoped to correct service: 'kms'. " +
      "Credential should be scoped with a valid terminator: 'aws4_request', not 't'. " +
      'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: ' +
      "'20261122' != '20261123', from '20261123T101500Z'.",
    '400 AuthorizationHeaderMalformed',
  ],
  [
    { kind: 'missing-payload-hash' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '400 InvalidRequest',
  ],
  [
    { kind: 'bad-payload-hash', given: 'x' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '400 InvalidArgument',
  ],
  [
    { kind: 'unsupported-payload' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '501 NotImplemented',
  ],
  [
    { kind: 'body-hash' },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '400 XAmzContentSHA256Mismatch',
  ],
  [
    { kind: 'unknown-access-key', accessKeyId },
    'UnrecognizedClientException',
    '403 InvalidClientTokenId',
    'The security token included in the request is invalid.',
    '403 InvalidAccessKeyId',
  ],
  [
    { kind: 'mismatch', accessKeyId },
    'InvalidSignatureException',
    '403 SignatureDoesNotMatch',
    MISMATCH,
    '403 SignatureDoesNotMatch',
  ],
  [
    { kind: 'bad-session-token' },
    'UnrecognizedClientException',
    '403 InvalidClientTokenId',
    'The security token included in the request is invalid.',
    '400 InvalidToken',
  ],
]

test.each(failures)(
  '%o is said in the words of each protocol',
  (failure, json, query, text, s3) => {
    expect(jsonFailure(failure)).toEqual({ code: json, text })
    expect(jsonErrorStatus[jsonFailure(failure).code]).toBe(400)
    const { status, code, message } = queryFailure(failure)
    expect([`${status} ${code}`, message]).toEqual([query, text])
    expect(`${s3Failure(failure).status} ${s3Failure(failure).code}`).toBe(s3)
  },
)

describe('S3', () => {
  test('names the headers that were not signed', () => {
    expect(s3Failure({ kind: 'unsigned-headers', names: ['x-amz-acl', 'x-amz-meta-a'] })).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'There were headers present in the request which were not signed',
      details: { HeadersNotSigned: 'x-amz-acl, x-amz-meta-a' },
    })
  })

  test('names the Region by which a client finds the right one', () => {
    const faults = [
      { part: 'region', given: 'us-east-1', expected: 'eu-central-1' },
      { part: 'service', given: 'kms', expected: 's3' },
    ] as const
    expect(s3Failure({ kind: 'wrong-scope', via: 'header', faults })).toEqual({
      status: 400,
      code: 'AuthorizationHeaderMalformed',
      message:
        "The authorization header is malformed; the region 'us-east-1' is wrong; expecting 'eu-central-1'",
      details: { Region: 'eu-central-1' },
    })
    expect(s3Failure({ kind: 'wrong-scope', via: 'query', faults })).toMatchObject({
      code: 'AuthorizationQueryParametersError',
      details: { Region: 'eu-central-1' },
    })
  })

  test('names the times of a presigned URL that has expired', () => {
    const times = { signedAt: NOW, now: NOW + 61_000, expiresSeconds: 60 }
    expect(s3Failure({ kind: 'presigned-expired', ...times })).toEqual({
      status: 403,
      code: 'AccessDenied',
      message: 'Request has expired',
      details: {
        'X-Amz-Expires': '60',
        Expires: '2026-11-23T10:16:00Z',
        ServerTime: '2026-11-23T10:16:01Z',
      },
    })
  })

  test('names the times of a clock that is wrong', () => {
    const times = { via: 'header', signedAt: NOW, now: NOW + 901_000, windowMs: 900_000 } as const
    expect(s3Failure({ kind: 'expired', ...times }).details).toEqual({
      RequestTime: '2026-11-23T10:15:00Z',
      ServerTime: '2026-11-23T10:30:01Z',
      MaxAllowedSkewMilliseconds: '900000',
    })
  })

  test('denies a presigned URL that is not good yet', () => {
    const times = { via: 'query', signedAt: NOW, now: NOW - 901_000, windowMs: 900_000 } as const
    expect(s3Failure({ kind: 'not-yet', ...times })).toMatchObject({ code: 'AccessDenied' })
  })

  test.each(['service', 'terminator', 'day'] as const)('names a wrong %s', (part) => {
    const fault = { part, given: 'wrong', expected: 'right', date: 'date' }
    const { message } = s3Failure({ kind: 'wrong-scope', via: 'header', faults: [fault] })
    expect(message).toContain('"wrong"')
  })
})
