/**
 * The keys of an issuer that publishes them, fetched from where the configuration says and nowhere
 * else. However many tokens come with keys that nobody knows, the issuer is asked now and then only.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose'
import type { Clock } from '../clock.ts'
import { type PublicJwks, publicJwks } from './oidc-issuers.ts'

const MINUTE = 60_000
/** Younger keys are taken as they are. */
const FRESH_MS = 10 * MINUTE
/** Older keys are taken while the issuer cannot be reached. */
const STALE_MS = 60 * MINUTE
/** Between two fetches that tokens with unknown keys bring about. */
const COOLDOWN_MS = MINUTE / 2
/** Between two fetches after one that failed. */
const RETRY_MS = 5000
const TIMEOUT_MS = 3000
const MAX_BYTES = 262_144

/** The issuer's keys cannot be had. */
export class IssuerUnreachable extends Error {
  override readonly name = 'IssuerUnreachable'
}

/** Gets the text behind a URL. @throws when there is none */
export type FetchText = (url: string) => Promise<string>

interface Fetched {
  readonly at: number
  readonly find: JWTVerifyGetKey
}

export class JwksSource {
  readonly #url: string
  readonly #clock: Clock
  readonly #fetchText: FetchText
  #fetched: Fetched | null = null
  #failedAt: number | null = null
  #underWay: Promise<Fetched> | null = null

  constructor(url: string, clock: Clock, fetchText: FetchText = fetchJwks) {
    this.#url = url
    this.#clock = clock
    this.#fetchText = fetchText
  }

  /**
   * As jose asks for the key of a token.
   * @throws JWKSNoMatchingKey, IssuerUnreachable
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const known = await this.#current()
    try {
      return await known.find(header, token)
    } catch (error) {
      const mayBeNew = error instanceof errors.JWKSNoMatchingKey
      if (!mayBeNew || this.#clock.now() - known.at < COOLDOWN_MS || this.#failedJustNow()) {
        throw error
      }
      return await (await this.#fetch()).find(header, token)
    }
  }

  async #current(): Promise<Fetched> {
    const known = this.#fetched
    const age = known === null ? STALE_MS : this.#clock.now() - known.at
    if (known !== null && age >= 0 && age < FRESH_MS) return known
    const usable = known !== null && age < STALE_MS ? known : null
    if (this.#failedJustNow()) {
      if (usable !== null) return usable
      throw new IssuerUnreachable(`${this.#url} could not be fetched just now.`)
    }
    try {
      return await this.#fetch()
    } catch (error) {
      if (usable !== null) return usable
      throw error
    }
  }

  #failedJustNow(): boolean {
    const failedAt = this.#failedAt
    return failedAt !== null && Math.abs(this.#clock.now() - failedAt) < RETRY_MS
  }

  /** One fetch for all who wait for it. */
  #fetch(): Promise<Fetched> {
    this.#underWay ??= this.#fetchNow().finally(() => {
      this.#underWay = null
    })
    return this.#underWay
  }

  async #fetchNow(): Promise<Fetched> {
    const at = this.#clock.now()
    try {
      const jwks = publicJwks(JSON.parse(await this.#fetchText(this.#url)))
      if (jwks === null) throw new TypeError('These are no public keys.')
      this.#fetched = { at, find: pinnedKeys(jwks) }
      this.#failedAt = null
      return this.#fetched
    } catch (cause) {
      this.#failedAt = at
      throw new IssuerUnreachable(`${this.#url} does not give the keys.`, { cause })
    }
  }
}

/** The same for keys that are known beforehand. */
export const pinnedKeys = (jwks: PublicJwks): JWTVerifyGetKey =>
  createLocalJWKSet(jwks as unknown as JSONWebKeySet)

/** No redirection, no more than some seconds, no more than 256 KB. */
async function fetchJwks(url: string): Promise<string> {
  const answer = await fetch(url, {
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/json, application/jwk-set+json' },
  })
  if (answer.status !== 200 || answer.body === null) {
    await answer.body?.cancel()
    throw new Error(`The issuer answers with ${answer.status}.`)
  }
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of answer.body) {
    length += chunk.length
    if (length > MAX_BYTES) throw new RangeError('The issuer answers with too much.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
