/**
 * Tenant keys: what stands between the root key in the HSM and everything a tenant has. The HSM is
 * asked once for each tenant, version and environment.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { ReadCache } from '../cache.ts'
import type { Clock } from '../clock.ts'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { deriveBytes } from '../crypto/kdf.ts'
import { freshBytes } from '../crypto/random.ts'
import { type Hsm, SealBroken } from '../hsm/hsm.ts'
import { type AccountId, PARTITION } from '../ids.ts'
import type { TenantKeyRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'

export type TenantKeyPurpose =
  | 'material'
  | 'access-key'
  | 'marker'
  | 'object'
  | 'grant-token'
  | 'import'
  | 'key-store'
  | 'statement'
  | 'session'

/** One version of a tenant's key, opened. Gives keys for its purposes, never itself. */
export interface TenantKey {
  readonly account: AccountId
  readonly version: number
  purpose(purpose: TenantKeyPurpose): KeyObject
}

/** The tenant has no key, or not that version: it was never made, or it was destroyed. */
export class TenantKeyMissing extends Error {
  override readonly name = 'TenantKeyMissing'
}

/** The stored tenant key does not open: damaged, moved, or sealed by another root key. */
export class TenantKeyDamaged extends Error {
  override readonly name = 'TenantKeyDamaged'
}

const DEFAULT_MAX_ENTRIES = 1000
// Which versions there are is read again after this time, so that one that was destroyed goes from
// memory too, and one that was added elsewhere is taken up. The keys themselves are not opened again.
const VERSIONS_MAX_AGE_MS = 60_000

export class TenantKeys {
  readonly #tenants: TenantRepository
  readonly #hsm: Hsm
  readonly #clock: Clock
  readonly #records: ReadCache<readonly TenantKeyRecord[]>
  readonly #opened: LRUCache<AccountId, Map<number, Promise<TenantKey>>>

  /** @param options.maxEntries - tenants whose keys are kept in memory */
  constructor(options: {
    readonly tenants: TenantRepository
    readonly hsm: Hsm
    readonly clock: Clock
    readonly maxEntries?: number
  }) {
    const maxEntries = options.maxEntries ?? DEFAULT_MAX_ENTRIES
    this.#tenants = options.tenants
    this.#hsm = options.hsm
    this.#clock = options.clock
    this.#records = new ReadCache({
      maxEntries,
      maxAgeMs: VERSIONS_MAX_AGE_MS,
      clock: options.clock,
    })
    this.#opened = new LRUCache({ max: maxEntries })
  }

  /**
   * The newest version, the one that wraps.
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  async current(account: AccountId): Promise<TenantKey> {
    const newest = (await this.#versions(account)).at(-1)
    if (newest === undefined) {
      this.#records.forget(account) // it may be made any moment
      throw new TenantKeyMissing(`Tenant ${account} has no key.`)
    }
    return await this.#open(account, newest)
  }

  /**
   * The version that something was wrapped by.
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  async version(account: AccountId, version: number): Promise<TenantKey> {
    const record =
      (await this.#findVersion(account, version)) ?? (await this.#findVersionAnew(account, version))
    if (record === undefined) {
      throw new TenantKeyMissing(`Tenant ${account} has no key of version ${version}.`)
    }
    return await this.#open(account, record)
  }

  /**
   * Makes version 1, which makes the tenant able to have keys.
   * @throws ConditionFailed when there is one; it stays as it is
   * @throws HsmUnavailable
   */
  async create(account: AccountId): Promise<void> {
    const version = 1
    const { rootKeyId } = this.#hsm
    const keyBytes = freshBytes(KEY_LENGTH)
    try {
      const sealed = await this.#hsm.seal(keyBytes, sealAad(account, version, rootKeyId))
      const createdAt = this.#clock.now()
      await this.#tenants.addKey({ account, version, rootKeyId, sealed, createdAt })
    } finally {
      keyBytes.fill(0)
      this.#records.forget(account)
    }
  }

  /** To be called when versions were destroyed: nothing of them stays in memory. */
  forget(account: AccountId): void {
    this.#records.forget(account)
    this.#opened.delete(account)
  }

  #versions(account: AccountId): Promise<readonly TenantKeyRecord[]> {
    return this.#records.get(account, async () => {
      const records = await this.#tenants.keys(account)
      this.#dropDestroyed(account, records)
      return records
    })
  }

  async #findVersion(account: AccountId, version: number): Promise<TenantKeyRecord | undefined> {
    return (await this.#versions(account)).find((record) => record.version === version)
  }

  /** Another environment may have added the version since the versions were read. */
  #findVersionAnew(account: AccountId, version: number): Promise<TenantKeyRecord | undefined> {
    this.#records.forget(account)
    return this.#findVersion(account, version)
  }

  #dropDestroyed(account: AccountId, records: readonly TenantKeyRecord[]): void {
    const opened = this.#opened.get(account)
    if (opened === undefined) return
    const existing = new Set(records.map((record) => record.version))
    for (const version of opened.keys()) if (!existing.has(version)) opened.delete(version)
  }

  /** One HSM call, shared by all who ask while it is under way; a failure is not kept. */
  #open(account: AccountId, record: TenantKeyRecord): Promise<TenantKey> {
    const opened = this.#openedOf(account)
    const known = opened.get(record.version)
    if (known !== undefined) return known
    const opening = openTenantKey(this.#hsm, account, record)
    opened.set(record.version, opening)
    opening.catch(() => {
      if (opened.get(record.version) === opening) opened.delete(record.version)
    })
    return opening
  }

  #openedOf(account: AccountId): Map<number, Promise<TenantKey>> {
    const known = this.#opened.get(account)
    if (known !== undefined) return known
    const opened = new Map<number, Promise<TenantKey>>()
    this.#opened.set(account, opened)
    return opened
  }
}

class OpenedTenantKey implements TenantKey {
  readonly account: AccountId
  readonly version: number
  readonly #key: KeyObject
  readonly #purposes = new Map<TenantKeyPurpose, KeyObject>()

  constructor(account: AccountId, version: number, key: KeyObject) {
    this.account = account
    this.version = version
    this.#key = key
  }

  purpose(purpose: TenantKeyPurpose): KeyObject {
    const known = this.#purposes.get(purpose)
    if (known !== undefined) return known
    const derived = this.#derive(purpose)
    this.#purposes.set(purpose, derived)
    return derived
  }

  #derive(purpose: TenantKeyPurpose): KeyObject {
    const context = encodeFields(PARTITION, this.account, this.version)
    const bytes = deriveBytes(this.#key, `keyhold tenant key v1 ${purpose}`, context, KEY_LENGTH)
    const derived = createSecretKey(bytes)
    bytes.fill(0)
    return derived
  }
}

async function openTenantKey(
  hsm: Hsm,
  account: AccountId,
  { version, rootKeyId, sealed }: TenantKeyRecord,
): Promise<TenantKey> {
  const keyBytes = await hsm
    .open(rootKeyId, sealed, sealAad(account, version, rootKeyId))
    .catch(explain)
  const key = createSecretKey(keyBytes)
  keyBytes.fill(0)
  return new OpenedTenantKey(account, version, key)

  function explain(cause: unknown): never {
    if (!(cause instanceof SealBroken)) throw cause
    throw new TenantKeyDamaged(
      `Version ${version} of the key of tenant ${account} does not open.`,
      {
        cause,
      },
    )
  }
}

/** From whose key was asked for, not from what the record says of itself, so that no record can be moved. */
const sealAad = (account: AccountId, version: number, rootKeyId: string): Buffer =>
  encodeFields('keyhold sealed tenant key v1', PARTITION, account, version, rootKeyId)
