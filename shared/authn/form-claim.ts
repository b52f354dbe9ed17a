/**
 * What a form that is signed claims (Amazon S3 API Reference, "Authenticating requests in
 * browser-based uploads using POST"): what is signed is the form's policy, as it was sent.
 */
import type { Region } from '../ids.ts'
import type { Claim } from './claim.ts'
import { isServed } from './covered-headers.ts'
import { readCredential } from './credential.ts'
import { type Refusal, refuse } from './failure.ts'
import type { Presented } from './presented.ts'
import { SERVICE_RULES } from './service-rules.ts'
import { parseSigningDate } from './signing-date.ts'
import { ALGORITHM } from './string-to-sign.ts'
import { MAX_EXPIRES_SECONDS } from './validity.ts'

/** The fields of a form that say who made it, as they were sent. */
export interface SignedForm {
  /** Base64. */
  readonly policy: string
  readonly algorithm: string
  readonly credential: string
  readonly date: string
  readonly signature: string
  readonly sessionToken: string | null
  /** The host that the form was sent to. */
  readonly host: string
}

export interface FormExpectations {
  readonly regions: readonly Region[]
  /** Public hosts, lower case; empty: any. */
  readonly hosts: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

const via = 'query'

/**
 * A form is good from the time of signing for as long as its policy says, and for as long as its
 * signing key is: a week.
 */
export function readFormClaim(
  form: SignedForm,
  { regions, hosts, now }: FormExpectations,
): Claim | Refusal {
  const { policy, algorithm, date } = form
  const { name: service, windowMs } = SERVICE_RULES.s3
  const signedAt = parseSigningDate(date)
  if (signedAt === null) return refuse({ kind: 'bad-date', via, given: date })
  if (signedAt - now > windowMs) return refuse({ kind: 'not-yet', via, signedAt, now, windowMs })
  if (now - signedAt > MAX_EXPIRES_SECONDS * 1000) {
    const expiresSeconds = MAX_EXPIRES_SECONDS
    return refuse({ kind: 'presigned-expired', signedAt, now, expiresSeconds })
  }
  if (!isServed(form.host.toLowerCase(), hosts)) return refuse({ kind: 'wrong-host' })
  if (algorithm !== ALGORITHM) return refuse({ kind: 'bad-algorithm', via, given: algorithm })
  const presented = presentedBy(form)
  const credential = readCredential(presented, { regions, service, timestamp: date })
  if (!('accessKeyId' in credential)) return credential
  const payload = { kind: 'unsigned', text: 'UNSIGNED-PAYLOAD' } as const
  return { presented, credential, timestamp: date, payload, stringToSign: policy }
}

const presentedBy = (form: SignedForm): Presented => ({
  via,
  algorithm: form.algorithm,
  credential: form.credential,
  signedHeaders: [],
  signature: form.signature,
  date: form.date,
  expires: null,
  sessionToken: form.sessionToken,
  payloadHash: null,
  parameters: [],
})
