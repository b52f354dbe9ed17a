/**
 * The one family of errors that an operation throws: AWS's wire names and messages, as values.
 * A stack in shared/lambda renders them as its protocol asks. Anything else that is thrown becomes
 * an internal error that says nothing.
 */
export abstract class ApiError extends Error {
  /** The name on the wire: `NotFoundException`, `NoSuchKey`. */
  abstract readonly code: string
  /** HTTP status. */
  abstract readonly status: number
  /** What goes on the wire as message; AWS sends some errors without one. */
  readonly text: string | undefined

  constructor(name: string, text: string | undefined, options?: ErrorOptions) {
    super(text ?? name, options)
    this.name = name
    this.text = text
  }
}

/** HTTP status by error code of the AWS JSON services; all client errors travel as 400. */
export const jsonErrorStatus = {
  AccessDeniedException: 400,
  AlreadyExistsException: 400,
  CloudHsmClusterInUseException: 400,
  CloudHsmClusterInvalidConfigurationException: 400,
  CloudHsmClusterNotActiveException: 400,
  CloudHsmClusterNotFoundException: 400,
  CloudHsmClusterNotRelatedException: 400,
  ConflictException: 400,
  CustomKeyStoreHasCMKsException: 400,
  CustomKeyStoreInvalidStateException: 400,
  CustomKeyStoreNameInUseException: 400,
  CustomKeyStoreNotFoundException: 400,
  DeleteConflictException: 400,
  DependencyTimeoutException: 503,
  DisabledException: 400,
  DryRunOperationException: 400,
  EntityAlreadyExistsException: 400,
  ExpiredImportTokenException: 400,
  ExpiredTokenException: 400,
  IncompleteSignatureException: 400,
  IncorrectKeyException: 400,
  IncorrectKeyMaterialException: 400,
  IncorrectTrustAnchorException: 400,
  InternalFailure: 500,
  InvalidAliasNameException: 400,
  InvalidArnException: 400,
  InvalidCiphertextException: 400,
  InvalidGrantIdException: 400,
  InvalidGrantTokenException: 400,
  InvalidImportTokenException: 400,
  InvalidInputException: 400,
  InvalidKeyUsageException: 400,
  InvalidLookupAttributesException: 400,
  InvalidMarkerException: 400,
  InvalidMaxResultsException: 400,
  InvalidNextTokenException: 400,
  InvalidSignatureException: 400,
  InvalidTimeRangeException: 400,
  KMSInternalException: 500,
  KMSInvalidMacException: 400,
  KMSInvalidSignatureException: 400,
  KMSInvalidStateException: 400,
  KeyUnavailableException: 500,
  LimitExceededException: 400,
  MalformedPolicyDocumentException: 400,
  MissingAuthenticationTokenException: 400,
  NoSuchEntityException: 400,
  NotAuthorizedException: 400,
  NotFoundException: 400,
  RequestEntityTooLargeException: 413,
  SerializationException: 400,
  ServiceUnavailableException: 503,
  TagException: 400,
  ThrottlingException: 400,
  UnknownOperationException: 400,
  UnmodifiableEntityException: 400,
  UnrecognizedClientException: 400,
  UnsupportedOperationException: 400,
  ValidationException: 400,
  XksKeyAlreadyInUseException: 400,
  XksKeyInvalidConfigurationException: 400,
  XksKeyNotFoundException: 400,
  XksProxyIncorrectAuthenticationCredentialException: 400,
  XksProxyInvalidConfigurationException: 400,
  XksProxyInvalidResponseException: 400,
  XksProxyUriEndpointInUseException: 400,
  XksProxyUriInUseException: 400,
  XksProxyUriUnreachableException: 400,
  XksProxyVpcEndpointServiceInUseException: 400,
  XksProxyVpcEndpointServiceInvalidConfigurationException: 400,
  XksProxyVpcEndpointServiceNotFoundException: 400,
} as const

export type JsonErrorCode = keyof typeof jsonErrorStatus

/** An error of a service that speaks AWS JSON 1.1: KMS and CloudTrail. */
export class JsonError extends ApiError {
  readonly code: JsonErrorCode

  constructor(code: JsonErrorCode, text?: string, options?: ErrorOptions) {
    super(code, text, options)
    this.code = code
  }

  get status(): number {
    return jsonErrorStatus[this.code]
  }
}

/** An error of a service that speaks the Query protocol: STS. */
export class QueryError extends ApiError {
  readonly code: string
  readonly status: number

  constructor(code: string, status: number, text?: string, options?: ErrorOptions) {
    super(code, text, options)
    this.code = code
    this.status = status
  }
}
