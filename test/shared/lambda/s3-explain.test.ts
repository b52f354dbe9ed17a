import { expect, test } from 'vitest'
import { LedgerUnavailable } from '../../../shared/audit/ledger.ts'
import type { AuthenticationFailure } from '../../../shared/authn/failure.ts'
import { s3Failure } from '../../../shared/authn/s3-failure.ts'
import { S3Error, type S3ErrorCode, s3ErrorStatus } from '../../../shared/blobs/s3-error.ts'
import { ObjectDamaged } from '../../../shared/blobs/segment-decryptor.ts'
import { JsonError, type JsonErrorCode } from '../../../shared/errors.ts'
import { HsmUnavailable } from '../../../shared/hsm/hsm.ts'
import { explainS3 } from '../../../shared/lambda/s3-explain.ts'
import { StoreUnavailable } from '../../../shared/store/repositories.ts'

test.each<[JsonErrorCode, S3ErrorCode, number]>([
  ['NotFoundException', 'KMS.NotFoundException', 400],
  ['DisabledException', 'KMS.DisabledException', 400],
  ['KMSInvalidStateException', 'KMS.KMSInvalidStateException', 400],
  ['InvalidKeyUsageException', 'KMS.InvalidKeyUsageException', 400],
  ['AccessDeniedException', 'AccessDenied', 403],
  ['InvalidCiphertextException', 'InternalError', 500],
  ['IncorrectKeyException', 'InternalError', 500],
  ['KMSInternalException', 'InternalError', 500],
  ['ThrottlingException', 'SlowDown', 503],
  ['DependencyTimeoutException', 'ServiceUnavailable', 503],
])('%s of KMS is %s (%i)', (given, code, status) => {
  const error = new JsonError(given, 'words of KMS')
  const explained = explainS3(error)
  expect(explained).toMatchObject({ code, status, cause: error })
  expect(explained.text === 'words of KMS').toBe(status < 500 || code === 'SlowDown')
})

test.each([
  new StoreUnavailable('down'),
  new HsmUnavailable('down'),
  new LedgerUnavailable('down'),
])('what is down makes the service unavailable, and is not described', (error) => {
  expect(explainS3(error)).toMatchObject({ code: 'ServiceUnavailable', status: 503, cause: error })
  expect(explainS3(error).text).not.toContain('down')
})

test.each([new ObjectDamaged('segment 3'), new TypeError('x of undefined'), 'a text'])(
  'anything else is an internal error that says nothing',
  (error) => {
    expect(explainS3(error)).toMatchObject({ code: 'InternalError', status: 500, cause: error })
    expect(explainS3(error).text).toBe('We encountered an internal error. Please try again.')
  },
)

test('an error of S3 stays as it is', () => {
  const error = new S3Error('NoSuchKey', 'x')
  expect(explainS3(error)).toBe(error)
})

test('every refusal of a signature has a code and a status that S3 has', () => {
  const via = ['header', 'query'] as const
  const times = { signedAt: 0, now: 0, windowMs: 0 }
  const failures: readonly AuthenticationFailure[] = [
    { kind: 'both-header-and-query' },
    { kind: 'duplicate-parameter', name: 'x' },
    { kind: 'missing' },
    { kind: 'unsupported-mechanism' },
    ...via.map((v) => ({ kind: 'incomplete', via: v, missing: ['x'] }) as const),
    ...via.map((v) => ({ kind: 'bad-date', via: v, given: 'x' }) as const),
    { kind: 'bad-expires', fault: 'negative' },
    ...via.map((v) => ({ kind: 'expired', via: v, ...times }) as const),
    ...via.map((v) => ({ kind: 'not-yet', via: v, ...times }) as const),
    { kind: 'presigned-expired', signedAt: 0, now: 0, expiresSeconds: 1 },
    { kind: 'unsigned-headers', names: ['x'] },
    { kind: 'wrong-host' },
    ...via.map((v) => ({ kind: 'bad-algorithm', via: v, given: 'x' }) as const),
    ...via.map((v) => ({ kind: 'malformed-credential', via: v, given: 'x' }) as const),
    { kind: 'wrong-scope', via: 'header', faults: [{ part: 'terminator', given: 'x' }] },
    { kind: 'missing-payload-hash' },
    { kind: 'bad-payload-hash', given: 'x' },
    { kind: 'unsupported-payload' },
    { kind: 'body-hash' },
    { kind: 'unknown-access-key', accessKeyId: 'x' },
    { kind: 'mismatch', accessKeyId: 'x' },
    { kind: 'bad-session-token' },
  ]
  for (const failure of failures) {
    const { code, status } = s3Failure(failure)
    expect(s3ErrorStatus[code as S3ErrorCode], code).toBe(status)
  }
})
