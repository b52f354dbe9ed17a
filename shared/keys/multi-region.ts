/**
 * Multi-Region keys: keys of one id and one material in several Regions, one of them the primary (AWS
 * KMS Developer Guide, "Multi-Region keys in AWS KMS"). The set says who belongs to it; a key that
 * it does not name is not there.
 *
 * A rotation and a new replica may come at the same time. So that neither misses the other, whoever
 * rotates puts the new material into the primary's partition first and reads the set after that
 * (`shareMaterial`), and reads it again after the new material became the current one
 * (`followCurrent`); a new replica joins the set first and reads the primary after that.
 */
import type { Region } from '../ids.ts'
import type { KeyBundle, KeyRecord, MaterialRecord, RelatedKeysRecord } from '../store/records.ts'
import {
  ConditionFailed,
  type KeyName,
  type KeyRepository,
  type RelatedKeysRepository,
} from '../store/repositories.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import type { Keys } from './keys.ts'
import { type MaterialCache, type MaterialOwner, unwrapMaterial, wrapMaterial } from './material.ts'

export interface MultiRegionServices {
  readonly keys: Keys
  readonly tenantKeys: TenantKeys
  readonly material: Pick<MaterialCache, 'forget'>
  readonly store: { readonly keys: KeyRepository; readonly relatedKeys: RelatedKeysRepository }
}

/** The Region of the primary, then those of the replicas. */
export const regionsOf = ({ primary, replicas }: RelatedKeysRecord): readonly Region[] => [
  primary,
  ...replicas,
]

/** A multi-Region key that is not a replica; a single-Region key is none. */
export const isPrimary = ({ key, related }: Pick<KeyBundle, 'key' | 'related'>): boolean =>
  related?.primary === key.region

export const isReplica = ({ key, related }: Pick<KeyBundle, 'key' | 'related'>): boolean =>
  related?.replicas.includes(key.region) === true

/** Whether there is a key: a multi-Region key is one of its set, or it was never finished. */
export const isInItsSet = (bundle: Pick<KeyBundle, 'key' | 'related'>): boolean =>
  !bundle.key.multiRegion || isPrimary(bundle) || isReplica(bundle)

/**
 * All keys of a multi-Region key's set as they are now in the store, the primary first.
 * @returns nothing for a single-Region key, and when the set is gone
 * @throws StoreUnavailable
 */
export async function relatedBundles(
  of: KeyName,
  { store }: Pick<MultiRegionServices, 'store'>,
): Promise<readonly KeyBundle[]> {
  const related = await store.relatedKeys.get(of.account, of.keyId)
  if (related === null) return []
  const read = regionsOf(related).map((region) => store.keys.get(of.account, region, of.keyId))
  return (await Promise.all(read)).filter((bundle) => bundle !== null)
}

/** The primary of a multi-Region key's set as it is now in the store; `null` when there is none. */
export async function primaryBundle(
  of: KeyName,
  { store }: Pick<MultiRegionServices, 'store'>,
): Promise<KeyBundle | null> {
  const related = await store.relatedKeys.get(of.account, of.keyId)
  return related && (await store.keys.get(of.account, related.primary, of.keyId))
}

/** The replicas of a key's set as they are now in the store; none for a single-Region key. */
export async function replicaBundles(
  of: KeyName,
  services: Pick<MultiRegionServices, 'store'>,
): Promise<readonly KeyBundle[]> {
  return (await relatedBundles(of, services)).filter(isReplica)
}

/**
 * The same material for a related key: same id, same number, bound to another Region.
 * @throws MaterialDamaged, TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function rewrapMaterial(
  material: MaterialRecord,
  from: MaterialOwner,
  to: MaterialOwner,
  tenantKeys: TenantKeys,
): Promise<MaterialRecord> {
  const tenantKey = await tenantKeys.current(to.account)
  const { number, materialId, createdAt, rotation } = material
  const version = { number, materialId, createdAt, ...(rotation === null ? {} : { rotation }) }
  return wrapMaterial(tenantKey, to, version, await unwrapMaterial(tenantKeys, from, material))
}

/**
 * Puts material of origin AWS_KMS that lies in the primary's partition into those of all replicas,
 * where it is missing.
 * @throws ConditionFailed when a replica has other material of that number
 * @throws as `rewrapMaterial`, StoreUnavailable
 */
export async function shareMaterial(
  primary: KeyRecord,
  material: MaterialRecord,
  services: MultiRegionServices,
): Promise<void> {
  for (const { key, materials } of await replicaBundles(primary, services)) {
    if (materials.some(({ materialId }) => materialId === material.materialId)) continue
    await putShared(await rewrapMaterial(material, primary, key, services.tenantKeys), services)
  }
}

/** Somebody else may be about the same: then the material is there. */
async function putShared(
  material: MaterialRecord,
  { store, keys }: Pick<MultiRegionServices, 'store' | 'keys'>,
): Promise<void> {
  const { account, region, keyId, materialId } = material
  try {
    await store.keys.putMaterial(material, null)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    const present = (await store.keys.get(account, region, keyId))?.materials
    if (!present?.some((each) => each.materialId === materialId)) throw error
  } finally {
    keys.forget(material)
  }
}

/**
 * Makes the current material of the primary that of all replicas. Their state stays as it is.
 * @throws StoreUnavailable
 */
export async function followCurrent(of: KeyName, services: MultiRegionServices): Promise<void> {
  const primary = await primaryBundle(of, services)
  if (primary === null) return
  for (const replica of await replicaBundles(of, services)) {
    const found = services.keys.found(replica)
    await services.keys.change(found, {}, (key, { bundle }) => following(key, bundle, primary))
  }
}

/** @returns `null` when the key has that current material, or newer */
export function following(
  key: KeyRecord,
  { materials }: KeyBundle,
  primary: Pick<KeyBundle, 'key'>,
): KeyRecord | null {
  const { current } = primary.key
  const numberOf = (id: KeyRecord['current']): number =>
    materials.find(({ materialId }) => materialId === id)?.number ?? 0
  if (current === null || numberOf(current) <= numberOf(key.current)) return null
  return { ...key, current }
}

/** Drops what this environment keeps of all keys of a set, so that it sees their change at once. */
export function forgetRelated(
  related: RelatedKeysRecord,
  { keys, material }: Pick<MultiRegionServices, 'keys' | 'material'>,
): void {
  const { account, keyId } = related
  for (const region of regionsOf(related)) {
    keys.forget({ account, region, keyId })
    material.forget(account, region, keyId)
  }
}
