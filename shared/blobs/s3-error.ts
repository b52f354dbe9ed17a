/** Errors in the words of S3 (Amazon S3 API Reference, "Error responses", "List of error codes"). */
import { ApiError } from '../errors.ts'

/** HTTP status by error code. */
export const s3ErrorStatus = {
  AccessControlListNotSupported: 400,
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationHeaderMalformed: 400,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  BucketAlreadyOwnedByYou: 409,
  BucketNotEmpty: 409,
  ConditionalRequestConflict: 409,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  ExpiredToken: 400,
  IllegalLocationConstraintException: 400,
  IncompleteBody: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidBucketName: 400,
  InvalidDigest: 400,
  InvalidEncryptionAlgorithmError: 400,
  InvalidLocationConstraint: 400,
  InvalidPart: 400,
  InvalidPartNumber: 416,
  InvalidPartOrder: 400,
  InvalidPolicyDocument: 400,
  InvalidRange: 416,
  InvalidRequest: 400,
  InvalidStorageClass: 400,
  InvalidTag: 400,
  InvalidToken: 400,
  InvalidURI: 400,
  'KMS.DisabledException': 400,
  'KMS.InvalidKeyUsageException': 400,
  'KMS.KMSInvalidStateException': 400,
  'KMS.NotFoundException': 400,
  KeyTooLongError: 400,
  MalformedPOSTRequest: 400,
  MalformedPolicy: 400,
  MalformedTrailerError: 400,
  MalformedXML: 400,
  MaxMessageLengthExceeded: 400,
  MaxPostPreDataLengthExceeded: 400,
  MetadataTooLarge: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchBucketPolicy: 404,
  NoSuchCORSConfiguration: 404,
  NoSuchKey: 404,
  NoSuchLifecycleConfiguration: 404,
  NoSuchPublicAccessBlockConfiguration: 404,
  NoSuchTagSet: 404,
  NoSuchUpload: 404,
  NoSuchWebsiteConfiguration: 404,
  NotImplemented: 501,
  ObjectLockConfigurationNotFoundError: 404,
  OperationAborted: 409,
  OwnershipControlsNotFoundError: 404,
  PreconditionFailed: 412,
  ReplicationConfigurationNotFoundError: 404,
  RequestTimeTooSkewed: 403,
  ServerSideEncryptionConfigurationNotFoundError: 404,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  SlowDown: 503,
  XAmzContentSHA256Mismatch: 400,
} as const

export type S3ErrorCode = keyof typeof s3ErrorStatus

/** Elements that an error has beside its code and message, in the order in which they are shown. */
export type S3ErrorDetails = Readonly<Record<string, string | number>>

export interface S3ErrorOptions extends ErrorOptions {
  /** Headers that the answer has beside the usual ones. */
  readonly headers?: Readonly<Record<string, string>>
}

export class S3Error extends ApiError {
  readonly code: S3ErrorCode
  readonly details: S3ErrorDetails
  readonly headers: Readonly<Record<string, string>>

  constructor(
    code: S3ErrorCode,
    text: string,
    details: S3ErrorDetails = {},
    options: S3ErrorOptions = {},
  ) {
    super(code, text, options)
    this.code = code
    this.details = details
    this.headers = options.headers ?? {}
  }

  get status(): number {
    return s3ErrorStatus[this.code]
  }
}

/** @param name - the header or parameter that is wrong; @param value - as it was given */
export const invalidArgument = (text: string, name: string, value: string): S3Error =>
  new S3Error('InvalidArgument', text, { ArgumentName: name, ArgumentValue: value })

/** A header asks for something that is not offered; it must not be taken for done. */
export const notImplemented = (header: string): S3Error =>
  new S3Error(
    'NotImplemented',
    'A header you provided implies functionality that is not implemented',
    { Header: header },
  )

export const noSuchKey = (key: string): S3Error =>
  new S3Error('NoSuchKey', 'The specified key does not exist.', { Key: key })

/** @param condition - the header that names the condition: `If-Match` */
export const preconditionFailed = (condition: string): S3Error =>
  new S3Error(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    {
      Condition: condition,
    },
  )

/** What a caller is told when the fault is ours. @param cause - for the log */
export const internalError = (cause: unknown): S3Error =>
  new S3Error('InternalError', 'We encountered an internal error. Please try again.', {}, { cause })

/** What a condition rested on was changed by somebody else before the write. */
export const conditionalConflict = (cause: unknown): S3Error =>
  new S3Error(
    'ConditionalRequestConflict',
    'The conditional request cannot succeed due to a conflicting operation against this resource.',
    {},
    { cause },
  )
