/** The signing key: derived from a secret access key, good for one day, Region and service. */
import { createHmac, createSecretKey, type KeyObject, randomBytes } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import type { AccessKeyId } from '../ids.ts'
import type { AccessKeyRecord } from '../store/records.ts'
import { type CredentialScope, scopeText, TERMINATOR } from './string-to-sign.ts'

const MAX_ENTRIES = 1000
const MAX_AGE_MS = 60_000
const NO_KEY: Uint8Array = new Uint8Array(0)

/**
 * HMAC-SHA-256 over day, Region, service and terminator in turn ("Create a signed AWS API request",
 * step 4).
 *
 * @param secret - the secret access key, which stays the caller's to wipe
 */
export function deriveSigningKey(secret: Uint8Array, scope: CredentialScope): KeyObject {
  const prefixed = Buffer.concat([Buffer.from('AWS4'), secret])
  const signingKey = signingKeyFrom(prefixed, scope)
  prefixed.fill(0)
  return signingKey
}

/** @param prefixed - `AWS4` and the secret access key */
function signingKeyFrom(
  prefixed: KeyObject | Uint8Array,
  { day, region, service }: CredentialScope,
): KeyObject {
  let key = hmac(prefixed, day)
  for (const step of [region, service, TERMINATOR]) {
    const next = hmac(key, step)
    key.fill(0)
    key = next
  }
  const signingKey = createSecretKey(key)
  key.fill(0)
  return signingKey
}

/** @returns HMAC-SHA-256 of the text, 32 bytes */
export const hmac = (key: KeyObject | Uint8Array, text: string): Buffer =>
  createHmac('sha256', key).update(text).digest()

interface Entry {
  readonly derivedAt: number
  /** Differs for every secret, also when one is replaced under the same access key id. */
  readonly wrappedSecret: Uint8Array
  readonly signingKey: KeyObject
}

/** Signing keys in use, none older than a minute. */
export class SigningKeys {
  readonly #entries = new LRUCache<string, Entry>({ max: MAX_ENTRIES })
  readonly #clock: Clock
  readonly #reveal: (record: AccessKeyRecord) => Promise<Buffer>
  #nobodysSecret: Buffer | null = null

  /** @param reveal - the secret of an access key, which is wiped here after use */
  constructor(clock: Clock, reveal: (record: AccessKeyRecord) => Promise<Buffer>) {
    this.#clock = clock
    this.#reveal = reveal
  }

  async get(record: AccessKeyRecord, scope: CredentialScope): Promise<KeyObject> {
    const name = `${record.accessKeyId}/${scopeText(scope)}`
    const known = this.#find(name, record.wrappedSecret)
    if (known !== null) return known
    const secret = await this.#reveal(record)
    return this.#derive(name, record.wrappedSecret, secret, scope)
  }

  /**
   * The same for temporary credentials, whose secret never changes under their access key id.
   * @param signingSecret - `AWS4` and the secret access key
   */
  ofSession(accessKeyId: AccessKeyId, signingSecret: KeyObject, scope: CredentialScope): KeyObject {
    const name = `${accessKeyId}/${scopeText(scope)}`
    const known = this.#find(name, NO_KEY)
    if (known !== null) return known
    return this.#keep(name, NO_KEY, signingKeyFrom(signingSecret, scope))
  }

  /** A key under which no signature is right, for the work of an unknown access key to be that of a known one. */
  ofNobody(scope: CredentialScope): KeyObject {
    const name = `/${scopeText(scope)}`
    this.#nobodysSecret ??= randomBytes(40)
    const secret = Buffer.from(this.#nobodysSecret)
    return this.#find(name, NO_KEY) ?? this.#derive(name, NO_KEY, secret, scope)
  }

  #find(name: string, wrappedSecret: Uint8Array): KeyObject | null {
    const entry = this.#entries.get(name)
    if (entry === undefined || Buffer.compare(entry.wrappedSecret, wrappedSecret) !== 0) return null
    const age = this.#clock.now() - entry.derivedAt
    return age >= 0 && age < MAX_AGE_MS ? entry.signingKey : null
  }

  #derive(
    name: string,
    wrappedSecret: Uint8Array,
    secret: Buffer,
    scope: CredentialScope,
  ): KeyObject {
    const signingKey = deriveSigningKey(secret, scope)
    secret.fill(0)
    return this.#keep(name, wrappedSecret, signingKey)
  }

  #keep(name: string, wrappedSecret: Uint8Array, signingKey: KeyObject): KeyObject {
    this.#entries.set(name, { derivedAt: this.#clock.now(), wrappedSecret, signingKey })
    return signingKey
  }
}
