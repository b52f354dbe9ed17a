/**
 * Multi-Region keys: keys of one id and one material in several Regions, one of them the primary (AWS
 * KMS Developer Guide, "Multi-Region keys in AWS KMS"). The set says who belongs to it; a key that
 * it does not name is not there.
 *
 * A rotation and a new replica may come at the same time. So that neither misses the other, whoever
 * rotates puts the new material into the primary's partition first and reads the set after that
 * (`shareMaterial`), and reads it again after the new material became the current one
 * (`followCurrent`); a new replica joins the set first, reads the primary's material after that, and
 * what is current of it once it has that material.
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
import { usedMaterials } from './key-states.ts'
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
 * Puts material of origin AWS_KMS that lies in one key's partition into those of all others of its
 * set, where it is missing. Mostly that key is the primary; it may have ceased to be a moment ago. So
 * that only one of two rotations comes to its end, what the primary has of that number stays.
 * @throws ConditionFailed when the primary has other material of that number, or a key uses some
 * @throws as `rewrapMaterial`, StoreUnavailable
 */
export async function shareMaterial(
  from: KeyRecord,
  material: MaterialRecord,
  services: MultiRegionServices,
): Promise<void> {
  for (const bundle of await relatedBundles(from, services)) {
    const { key, materials } = bundle
    if (materials.some(({ materialId }) => materialId === material.materialId)) continue
    const copy = await rewrapMaterial(material, from, key, services.tenantKeys)
    await putShared(copy, isPrimary(bundle) ? null : leftover(bundle, material), services)
  }
}

/** What a rotation that was cut short left in a key that was the primary then. */
const leftover = (bundle: KeyBundle, { number }: MaterialRecord): MaterialRecord | null =>
  usedMaterials(bundle).some((used) => used.number >= number)
    ? null
    : (bundle.materials.find((each) => each.number === number) ?? null)

/** Somebody else may be about the same: then the material is there. */
async function putShared(
  material: MaterialRecord,
  instead: MaterialRecord | null,
  { store, keys }: Pick<MultiRegionServices, 'store' | 'keys'>,
): Promise<void> {
  const { account, region, keyId, materialId } = material
  const rev = instead?.rev ?? null
  try {
    await store.keys.putMaterial(rev === null ? material : { ...material, rev: rev + 1 }, rev)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    const present = (await store.keys.get(account, region, keyId))?.materials
    if (!present?.some((each) => each.materialId === materialId)) throw error
  } finally {
    keys.forget(material)
  }
}

/**
 * Makes the newest material that is current in any key of a set the current one of all. Their state
 * stays as it is. Mostly the primary has it; when another key became the primary in the midst of a
 * rotation, it is a replica that has rotated.
 * @throws StoreUnavailable
 */
export async function followCurrent(of: KeyName, services: MultiRegionServices): Promise<void> {
  const related = await relatedBundles(of, services)
  for (const bundle of related) {
    const found = services.keys.found(bundle)
    await services.keys.change(found, {}, (key, present) =>
      related.reduce<KeyRecord | null>(
        (changed, other) => following(changed ?? key, present.bundle, other) ?? changed,
        null,
      ),
    )
  }
}

/** @returns the key with the current material of another key of its set; `null` when it has that, or newer */
export function following(
  key: KeyRecord,
  { materials }: KeyBundle,
  other: Pick<KeyBundle, 'key'>,
): KeyRecord | null {
  const { current } = other.key
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
