/** Temporary credentials in answers, and as much of them as audit records show. */
import type { IssuedSession } from '../../shared/authn/sessions.ts'
import { QueryError } from '../../shared/errors.ts'

export interface Credentials {
  readonly AccessKeyId: string
  readonly SecretAccessKey: string
  readonly SessionToken: string
  readonly Expiration: Date
}

export const credentialsOf = (issued: IssuedSession): Credentials => ({
  AccessKeyId: issued.accessKeyId,
  SecretAccessKey: issued.secretAccessKey,
  SessionToken: issued.sessionToken,
  Expiration: new Date(issued.expiresAt),
})

/** Neither the secret nor the token. */
export const recordedCredentials = ({ AccessKeyId, Expiration }: Credentials) => ({
  accessKeyId: AccessKeyId,
  expiration: recordedTime(Expiration),
})

const inWords = new Intl.DateTimeFormat('en-US', {
  dateStyle: 'medium',
  timeStyle: 'medium',
  timeZone: 'UTC',
})

/** `Nov 23, 2026, 8:18:00 PM`, as CloudTrail writes it. */
const recordedTime = (time: Date): string => inWords.format(time).replaceAll('\u202f', ' ')

/** There are no devices for a second factor. */
export const noSecondFactor = (): QueryError =>
  new QueryError(
    'AccessDenied',
    403,
    'MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user.',
  )
