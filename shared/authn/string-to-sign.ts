/** The string to sign ("Create a signed AWS API request", step 3) and the credential scope in it. */

export const ALGORITHM = 'AWS4-HMAC-SHA256'
export const TERMINATOR = 'aws4_request'

/** `<day>/<region>/<service>/aws4_request`: what a signing key is good for. */
export interface CredentialScope {
  /** `20261123` */
  readonly day: string
  readonly region: string
  readonly service: string
}

export const scopeText = ({ day, region, service }: CredentialScope): string =>
  `${day}/${region}/${service}/${TERMINATOR}`

/**
 * @param timestamp - `20261123T101500Z`
 * @param requestHash - SHA-256 of the canonical request, in hex
 */
export const stringToSign = (
  timestamp: string,
  scope: CredentialScope,
  requestHash: string,
): string => `${ALGORITHM}\n${timestamp}\n${scopeText(scope)}\n${requestHash}`
