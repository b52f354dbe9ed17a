/**
 * Tokens of identity providers: who they speak of, once their signature is verified by a key of an
 * issuer that is configured (OpenID Connect Core 1.0, section 3.1.3.7; RFC 8725).
 */
import { createHash } from 'node:crypto'
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { type FetchText, IssuerUnreachable, JwksSource, pinnedKeys } from './jwks-source.ts'
import type { OidcIssuer } from './oidc-issuers.ts'

const MAX_ENTRIES = 1000
/** STS API reference, AssumeRoleWithWebIdentity, "WebIdentityToken". */
const MAX_TOKEN_LENGTH = 20_000
/** What the clocks of issuers may differ from ours by. */
const LEEWAY_SECONDS = 60
const SUBJECT = /^[^\p{Cc}]{1,255}$/u

export interface VerifiedToken {
  readonly issuer: OidcIssuer
  readonly subject: string
  /** The one of the token's audiences that is taken. */
  readonly audience: string
  readonly claims: Readonly<Record<string, unknown>>
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** Why a token is not taken. Times in seconds since the epoch. */
export type TokenFault =
  | { readonly kind: 'not-a-token' }
  /** `null`: none is configured, so the token was not looked at. */
  | { readonly kind: 'unknown-issuer'; readonly issuer: string | null }
  | { readonly kind: 'issuer-unreachable'; readonly cause: Error }
  | { readonly kind: 'unknown-key' }
  | { readonly kind: 'bad-signature' }
  | { readonly kind: 'missing-claim'; readonly claim: string }
  | { readonly kind: 'wrong-audience' }
  | { readonly kind: 'expired'; readonly expiredAt: number; readonly now: number }
  /** Not good yet, or with a claim that cannot be. */
  | { readonly kind: 'rejected'; readonly claim: string }

export type TokenAnswer =
  | { readonly ok: true; readonly token: VerifiedToken }
  | { readonly ok: false; readonly fault: TokenFault }

export interface IdentityTokensOptions {
  readonly issuers: readonly OidcIssuer[]
  readonly clock: Clock
  /** Milliseconds for which a verified token need not be verified again. */
  readonly cacheMs: number
  /** For tests. */
  readonly fetchText?: FetchText
}

interface KnownIssuer {
  readonly issuer: OidcIssuer
  readonly find: JWTVerifyGetKey
}

interface Entry {
  readonly verifiedAt: number
  readonly token: VerifiedToken
}

export class IdentityTokens {
  readonly #issuers: ReadonlyMap<string, KnownIssuer>
  readonly #clock: Clock
  readonly #cacheMs: number
  readonly #verified = new LRUCache<string, Entry>({ max: MAX_ENTRIES })

  constructor({ issuers, clock, cacheMs, fetchText }: IdentityTokensOptions) {
    const known = issuers.map((issuer): [string, KnownIssuer] => {
      const { keys } = issuer
      const find =
        keys.kind === 'pinned'
          ? pinnedKeys(keys.jwks)
          : new JwksSource(keys.url, clock, fetchText).find
      return [issuer.issuer, { issuer, find }]
    })
    this.#issuers = new Map(known)
    this.#clock = clock
    this.#cacheMs = cacheMs
  }

  /** Whether any issuer is taken. */
  get isConfigured(): boolean {
    return this.#issuers.size > 0
  }

  /** @returns who the token speaks of, or why it is not taken; claims count once the signature is verified */
  async verify(text: string): Promise<TokenAnswer> {
    if (text.length > MAX_TOKEN_LENGTH) return faulty({ kind: 'not-a-token' })
    const name = createHash('sha256').update(text).digest('base64')
    const known = this.#remembered(name)
    if (known !== null) return { ok: true, token: known }
    const answer = await this.#verifyAnew(text)
    if (answer.ok && this.#cacheMs > 0) {
      this.#verified.set(name, { verifiedAt: this.#clock.now(), token: answer.token })
    }
    return answer
  }

  #remembered(name: string): VerifiedToken | null {
    const entry = this.#verified.get(name)
    if (entry === undefined) return null
    const now = this.#clock.now()
    const age = now - entry.verifiedAt
    const isGood = age >= 0 && age < this.#cacheMs && now < entry.token.expiresAt
    return isGood ? entry.token : null
  }

  async #verifyAnew(text: string): Promise<TokenAnswer> {
    const issuerName = issuerOf(text)
    if (issuerName === null) return faulty({ kind: 'not-a-token' })
    const known = this.#issuers.get(issuerName)
    if (known === undefined) return faulty({ kind: 'unknown-issuer', issuer: issuerName })
    const { issuer, find } = known
    const now = this.#clock.now()
    try {
      const { payload } = await jwtVerify(text, find, {
        algorithms: [...issuer.algorithms],
        issuer: issuer.issuer,
        audience: [...issuer.audiences],
        requiredClaims: ['exp', 'iat', 'aud', 'sub'],
        clockTolerance: LEEWAY_SECONDS,
        currentDate: new Date(now),
      })
      return verified(payload, issuer, now)
    } catch (error) {
      return faulty(faultOf(error, now))
    }
  }
}

/** Of a token that nothing is believed of yet. */
function issuerOf(text: string): string | null {
  try {
    const { iss } = decodeJwt(text)
    return typeof iss === 'string' ? iss : null
  } catch {
    return null
  }
}

function verified(payload: JWTPayload, issuer: OidcIssuer, now: number): TokenAnswer {
  const { sub, aud, exp = 0, iat = 0 } = payload
  if (typeof sub !== 'string' || !SUBJECT.test(sub)) return rejected('sub')
  if (iat > now / 1000 + LEEWAY_SECONDS) return rejected('iat')
  const audience = [aud ?? []].flat().find((each) => issuer.audiences.includes(each))
  if (audience === undefined) return faulty({ kind: 'wrong-audience' })
  const token = { issuer, subject: sub, audience, claims: payload, expiresAt: exp * 1000 }
  return { ok: true, token }
}

function faultOf(error: unknown, now: number): TokenFault {
  if (error instanceof IssuerUnreachable) return { kind: 'issuer-unreachable', cause: error }
  if (error instanceof errors.JWTExpired) {
    const expiredAt = Number(error.payload.exp ?? 0)
    return { kind: 'expired', expiredAt, now: Math.floor(now / 1000) }
  }
  if (error instanceof errors.JWTClaimValidationFailed) return claimFault(error)
  if (error instanceof errors.JWKSNoMatchingKey) return { kind: 'unknown-key' }
  if (error instanceof errors.JWKSMultipleMatchingKeys) return { kind: 'unknown-key' }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    return { kind: 'not-a-token' }
  }
  // An algorithm that is not allowed, a signature that is wrong, a key that cannot be used.
  return { kind: 'bad-signature' }
}

function claimFault({ claim, reason }: errors.JWTClaimValidationFailed): TokenFault {
  if (reason === 'missing') return { kind: 'missing-claim', claim }
  return claim === 'aud' ? { kind: 'wrong-audience' } : { kind: 'rejected', claim }
}

const rejected = (claim: string): TokenAnswer => faulty({ kind: 'rejected', claim })
const faulty = (fault: TokenFault): TokenAnswer => ({ ok: false, fault })
