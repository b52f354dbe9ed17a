/** Whatever was thrown, in the words of S3. */
import { LedgerUnavailable } from '../audit/ledger.ts'
import { ChunkedBodyError } from '../authn/chunked-body-error.ts'
import { WrongCustomerKey } from '../blobs/object-encryption.ts'
import { internalError, S3Error, type S3ErrorCode } from '../blobs/s3-error.ts'
import { JsonError, type JsonErrorCode } from '../errors.ts'
import { HsmUnavailable } from '../hsm/hsm.ts'
import { StoreUnavailable } from '../store/repositories.ts'
import { wrongCustomerKey } from './s3-customer-key.ts'

/** The refusals of KMS and of authorization that a caller of S3 is told; others are our fault. */
const told: Readonly<Partial<Record<JsonErrorCode, S3ErrorCode>>> = {
  AccessDeniedException: 'AccessDenied',
  NotFoundException: 'KMS.NotFoundException',
  DisabledException: 'KMS.DisabledException',
  KMSInvalidStateException: 'KMS.KMSInvalidStateException',
  InvalidKeyUsageException: 'KMS.InvalidKeyUsageException',
  ValidationException: 'InvalidArgument',
  ThrottlingException: 'SlowDown',
  LimitExceededException: 'SlowDown',
  DependencyTimeoutException: 'ServiceUnavailable',
  ServiceUnavailableException: 'ServiceUnavailable',
}

/** @returns the error to answer with; what is no refusal is kept as its cause, for the log */
export function explainS3(error: unknown): S3Error {
  if (error instanceof S3Error) return error
  if (error instanceof JsonError) return ofJsonError(error)
  if (error instanceof ChunkedBodyError) return ofBody(error)
  if (error instanceof WrongCustomerKey) return wrongCustomerKey(error)
  const isUnavailable =
    error instanceof StoreUnavailable ||
    error instanceof HsmUnavailable ||
    error instanceof LedgerUnavailable
  return isUnavailable ? unavailable(error) : internalError(error)
}

/** The client went away, or stopped, before the body was whole. */
export const incompleteBody = (cause: unknown): S3Error =>
  new S3Error(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header',
    {},
    { cause },
  )

function ofJsonError(error: JsonError): S3Error {
  const code = told[error.code]
  if (code === undefined) return internalError(error)
  if (code === 'ServiceUnavailable') return unavailable(error)
  return new S3Error(code, error.text ?? error.code, {}, { cause: error })
}

function ofBody(error: ChunkedBodyError): S3Error {
  const cause = { cause: error }
  switch (error.kind) {
    case 'incomplete':
      return incompleteBody(error)
    case 'malformed':
      return new S3Error('InvalidRequest', 'The body is not a valid aws-chunked stream.', {}, cause)
    case 'signature':
      return new S3Error(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        {},
        cause,
      )
    case 'sha256-mismatch':
      return new S3Error(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
        {},
        cause,
      )
    default:
      return error.kind satisfies never
  }
}

const unavailable = (cause: unknown): S3Error =>
  new S3Error('ServiceUnavailable', 'Service is unable to handle request.', {}, { cause })
