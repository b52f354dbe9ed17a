/** What a request claims, checked as far as that goes without the caller's secret. */
import type { Region } from '../ids.ts'
import { canonicalRequest, canonicalRequestHash } from './canonical-request.ts'
import { checkCoveredHeaders } from './covered-headers.ts'
import { type Credential, readCredential } from './credential.ts'
import { Refusal, refuse } from './failure.ts'
import type { DeclaredPayload } from './payload.ts'
import { type Presented, readPresented } from './presented.ts'
import type { SignedRequest } from './request.ts'
import type { ServiceRules } from './service-rules.ts'
import { signedPayload } from './signed-payload.ts'
import { formatSigningDate } from './signing-date.ts'
import { ALGORITHM, stringToSign } from './string-to-sign.ts'
import { readSigningTime } from './validity.ts'

export interface Claim {
  readonly presented: Presented
  readonly credential: Credential
  /** `20261123T101500Z` */
  readonly timestamp: string
  readonly payload: DeclaredPayload
  /** What the signature must be of; `null` when a signed header is missing, so that none can be right. */
  readonly stringToSign: string | null
}

export interface Expectations {
  readonly rules: ServiceRules
  readonly regions: readonly Region[]
  readonly hosts: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The checks before the secret is needed, in the order in which AWS's JSON services make them, so that the first
 * failure found is the one they would name.
 */
export function readClaim(
  request: SignedRequest,
  body: Buffer | null,
  { rules, regions, hosts, now }: Expectations,
): Claim | Refusal {
  const presented = readPresented(request, rules)
  if (presented instanceof Refusal) return presented
  const signedAt = readSigningTime(presented, rules, now)
  if (signedAt instanceof Refusal) return signedAt
  const uncovered = checkCoveredHeaders(request.headers, presented.signedHeaders, hosts)
  if (uncovered !== null) return uncovered
  const { via, algorithm } = presented
  if (algorithm !== ALGORITHM) return refuse({ kind: 'bad-algorithm', via, given: algorithm })
  const timestamp = formatSigningDate(signedAt)
  const credential = readCredential(presented, { regions, service: rules.name, timestamp })
  if (credential instanceof Refusal) return credential
  const payload = signedPayload(request, presented, rules, body)
  if (payload instanceof Refusal) return payload
  const canonical = canonicalRequest(request, {
    path: rules.path,
    parameters: presented.parameters,
    presigned: via === 'query',
    signedHeaders: presented.signedHeaders,
    payload: payload.text,
  })
  return {
    presented,
    credential,
    timestamp,
    payload,
    stringToSign:
      canonical === null
        ? null
        : stringToSign(timestamp, credential, canonicalRequestHash(canonical)),
  }
}
