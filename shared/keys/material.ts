/**
 * Key material: the secret bytes of each version of a key, wrapped by the tenant key and bound to
 * the one place where they belong. Opened material is kept for a while as KeyObjects, never as bytes.
 */
import { createPublicKey, type KeyObject } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
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
import type {
  ImportedMaterial,
  KeyRecord,
  MaterialRecord,
  MaterialRotation,
} from '../store/records.ts'
import type { TenantKey, TenantKeys } from '../tenants/tenant-keys.ts'
import { keySpec } from './key-specs.ts'

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

/** What one version of material is, beside its bytes. */
export interface MaterialVersion {
  /** 1, 2, 3, …: the order in which the key's material comes to be. */
  readonly number: number
  readonly materialId: MaterialId
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly rotation?: MaterialRotation
  readonly imported?: ImportedMaterial
}

/**
 * Makes new random material, wrapped.
 * @param tenantKey - the current one of the key's tenant
 * @param number - 1, 2, 3, …: the order in which the key's material comes to be
 * @param now - milliseconds since the epoch
 * @throws RangeError when the tenant key is another tenant's
 */
export async function createMaterial(
  tenantKey: TenantKey,
  owner: MaterialOwner,
  number: number,
  now: number,
): Promise<MaterialRecord> {
  requireOwnTenantKey(tenantKey, owner)
  const bytes = await keySpec(owner.keySpec).generate()
  const version = { number, materialId: newMaterialId(), createdAt: now }
  return wrapMaterial(tenantKey, owner, version, bytes)
}

/**
 * Wraps material: new, imported, or that of a related key.
 * @param bytes - as the key spec stores them; wiped
 * @throws RangeError when the tenant key is another tenant's
 */
export function wrapMaterial(
  tenantKey: TenantKey,
  owner: MaterialOwner,
  { number, materialId, createdAt, rotation, imported }: MaterialVersion,
  bytes: Buffer,
): MaterialRecord {
  requireOwnTenantKey(tenantKey, owner)
  const tenantKeyVersion = tenantKey.version
  const aad = wrapAad(owner, { number, materialId, tenantKeyVersion })
  const wrapped = seal(tenantKey.purpose('material'), LABEL, bytes, aad)
  bytes.fill(0)
  const { account, region, keyId } = owner
  return {
    account,
    region,
    keyId,
    number,
    materialId,
    wrapped,
    tenantKeyVersion,
    createdAt,
    rotation: rotation ?? null,
    imported: imported ?? null,
    rev: 1,
  }
}

/**
 * @returns the bytes of the material as the key spec stores them, for the caller to wipe
 * @throws MaterialDamaged when it does not open as material of this key, or is not there
 * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function unwrapMaterial(
  tenantKeys: TenantKeys,
  owner: MaterialOwner,
  material: MaterialRecord,
): Promise<Buffer> {
  const { wrapped, materialId, tenantKeyVersion } = material
  const tenantKey = await tenantKeys.version(owner.account, tenantKeyVersion)
  const bytes =
    wrapped && open(tenantKey.purpose('material'), LABEL, wrapped, wrapAad(owner, material))
  if (bytes === null) {
    throw new MaterialDamaged(
      `Material ${materialId} of key ${owner.keyId} of ${owner.account} does not open.`,
    )
  }
  return bytes
}

function requireOwnTenantKey(tenantKey: TenantKey, owner: MaterialOwner): void {
  if (tenantKey.account !== owner.account) throw new RangeError('The key of another tenant.')
}

/** Opened material, bounded by number and age, so that what is not used any more leaves memory. */
export class MaterialCache {
  readonly #tenantKeys: TenantKeys
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #publicKeys = new WeakMap<KeyObject, KeyObject>()
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

  /**
   * The public half of an asymmetric key's material, derived from the private one.
   * @throws as `open`
   */
  async openPublic(key: MaterialOwner, material: MaterialRecord): Promise<KeyObject> {
    const secret = await this.open(key, material)
    const known = this.#publicKeys.get(secret)
    if (known !== undefined) return known
    const derived = createPublicKey(secret)
    this.#publicKeys.set(secret, derived)
    return derived
  }

  /** Lets go of all material of a key, also of what is being unwrapped now. */
  forget(account: AccountId, region: Region, keyId: KeyId): void {
    const prefix = prefixOf(account, region, keyId)
    const names = [...this.#entries.keys()].filter((name) => name.startsWith(prefix))
    for (const name of names) this.#entries.delete(name)
  }

  async #unwrap(key: MaterialOwner, material: MaterialRecord): Promise<KeyObject> {
    const bytes = await unwrapMaterial(this.#tenantKeys, key, material)
    try {
      return keySpec(key.keySpec).open(bytes)
    } finally {
      bytes.fill(0)
    }
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

/** @returns a random id; imported material has one that is made from it (imported-material.ts) */
export function newMaterialId(): MaterialId {
  const id = parseMaterialId(freshBytes(MATERIAL_ID_LENGTH).toString('hex'))
  if (id === null) throw new Error('A material id has another form than its parser takes.')
  return id
}
