/**
 * Key material: 32 secret bytes for each version of a key, wrapped by the tenant key and bound to
 * the one place where they belong. Opened material is kept for a while as KeyObjects, never as bytes.
 */
import { createSecretKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { freshBytes } from '../crypto/random.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import {
  type AccountId,
  type KeyId,
  type MaterialId,
  PARTITION,
  parseMaterialId,
  type Region,
} from '../ids.ts'
import type { KeyRecord, MaterialRecord } from '../store/records.ts'
import type { TenantKey, TenantKeys } from '../tenants/tenant-keys.ts'

/** What a key never changes, and its material is bound to. */
export type MaterialOwner = Pick<KeyRecord, 'account' | 'region' | 'keyId' | 'keySpec' | 'origin'>

/** The wrapped material does not open as that of this key: damaged, or moved from elsewhere. */
export class MaterialDamaged extends Error {
  override readonly name = 'MaterialDamaged'
}

const LABEL = 'keyhold wrapped key material v1'
const MATERIAL_ID_LENGTH = 32
const DEFAULT_MAX_ENTRIES = 1000
const DEFAULT_MAX_AGE_MS = 300_000

/**
 * Makes new random material, wrapped.
 * @param tenantKey - the current one of the key's tenant
 * @param number - 1, 2, 3, …: the order in which the key's material comes to be
 * @param now - milliseconds since the epoch
 * @throws RangeError when the tenant key is another tenant's
 */
export function createMaterial(
  tenantKey: TenantKey,
  owner: MaterialOwner,
  number: number,
  now: number,
): MaterialRecord {
  if (tenantKey.account !== owner.account) throw new RangeError('The key of another tenant.')
  const version = { number, materialId: newMaterialId(), tenantKeyVersion: tenantKey.version }
  const bytes = freshBytes(KEY_LENGTH)
  const wrapped = seal(tenantKey.purpose('material'), LABEL, bytes, wrapAad(owner, version))
  bytes.fill(0)
  const { account, region, keyId } = owner
  return { account, region, keyId, ...version, wrapped, createdAt: now }
}

/** Opened material, bounded by number and age, so that what is not used any more leaves memory. */
export class MaterialCache {
  readonly #tenantKeys: TenantKeys
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #entries: LRUCache<
    string,
    { readonly openedAt: number; readonly key: Promise<KeyObject> }
  >

  /**
   * @param options.maxEntries - beyond it the least recently used goes
   * @param options.maxAgeMs - milliseconds after which material is unwrapped anew; 0 = every time
   */
  constructor(options: {
    readonly tenantKeys: TenantKeys
    readonly maxEntries?: number
    readonly maxAgeMs?: number
    readonly clock: Clock
  }) {
    this.#tenantKeys = options.tenantKeys
    this.#clock = options.clock
    this.#maxAgeMs = options.maxAgeMs ?? DEFAULT_MAX_AGE_MS
    this.#entries = new LRUCache({ max: options.maxEntries ?? DEFAULT_MAX_ENTRIES })
  }

  /**
   * @param key - as it was resolved: what the material must belong to
   * @param material - one of this key's
   * @throws MaterialDamaged when it does not open as material of this key
   * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
   */
  open(key: MaterialOwner, material: MaterialRecord): Promise<KeyObject> {
    const name = prefixOf(key.account, key.region, key.keyId) + material.materialId
    const now = this.#clock.now()
    const known = this.#entries.get(name)
    if (known !== undefined && this.#isYoung(known.openedAt, now)) return known.key
    const opening = this.#unwrap(key, material)
    const entry = { openedAt: now, key: opening }
    this.#entries.set(name, entry)
    opening.catch(() => {
      if (this.#entries.peek(name) === entry) this.#entries.delete(name)
    })
    return opening
  }

  /** Lets go of all material of a key, also of what is being unwrapped now. */
  forget(account: AccountId, region: Region, keyId: KeyId): void {
    const prefix = prefixOf(account, region, keyId)
    const names = [...this.#entries.keys()].filter((name) => name.startsWith(prefix))
    for (const name of names) this.#entries.delete(name)
  }

  async #unwrap(key: MaterialOwner, material: MaterialRecord): Promise<KeyObject> {
    const tenantKey = await this.#tenantKeys.version(key.account, material.tenantKeyVersion)
    const aad = wrapAad(key, material)
    const bytes = open(tenantKey.purpose('material'), LABEL, material.wrapped, aad)
    if (bytes === null) {
      throw new MaterialDamaged(
        `Material ${material.materialId} of key ${key.keyId} of ${key.account} does not open.`,
      )
    }
    const unwrapped = createSecretKey(bytes)
    bytes.fill(0)
    return unwrapped
  }

  /** A clock that was set back makes nothing young again. */
  #isYoung(openedAt: number, now: number): boolean {
    const age = now - openedAt
    return age >= 0 && age < this.#maxAgeMs
  }
}

const prefixOf = (account: AccountId, region: Region, keyId: KeyId): string =>
  `${account}/${region}/${keyId}/`

/**
 * The place where material belongs. Whose it is comes from the resolved key; number, id and tenant
 * key version are the record's, and false ones make it fail to open.
 */
const wrapAad = (
  owner: MaterialOwner,
  version: Pick<MaterialRecord, 'materialId' | 'number' | 'tenantKeyVersion'>,
): Buffer =>
  encodeFields(
    'keyhold wrapped key material v1',
    PARTITION,
    owner.region,
    owner.account,
    owner.keyId,
    version.materialId,
    version.number,
    owner.keySpec,
    owner.origin,
    version.tenantKeyVersion,
  )

function newMaterialId(): MaterialId {
  const id = parseMaterialId(freshBytes(MATERIAL_ID_LENGTH).toString('hex'))
  if (id === null) throw new Error('A material id has another form than its parser takes.')
  return id
}
