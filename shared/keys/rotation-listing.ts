/**
 * The rotations and the material of a key, as ListKeyRotations shows them (AWS KMS API reference,
 * "RotationsListEntry").
 */
import type { Clock } from '../clock.ts'
import type { MaterialRecord } from '../store/records.ts'
import { usedMaterials } from './key-states.ts'
import type { FoundKey } from './keys.ts'
import { type MultiRegionServices, relatedBundles } from './multi-region.ts'
import { waitingMaterial } from './next-material.ts'

export interface ListedRotation {
  readonly KeyId: string
  readonly KeyMaterialId: string
  readonly KeyMaterialDescription?: string
  readonly ImportState?: 'IMPORTED' | 'PENDING_IMPORT'
  readonly KeyMaterialState: KeyMaterialState
  readonly ExpirationModel?: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  readonly ValidTo?: Date
  readonly RotationDate?: Date
  readonly RotationType?: 'AUTOMATIC' | 'ON_DEMAND'
}

type KeyMaterialState =
  | 'CURRENT'
  | 'NON_CURRENT'
  | 'PENDING_ROTATION'
  | 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'

/**
 * Oldest first; members that do not apply are absent.
 * @param found - a symmetric key
 * @param all - with the first material, and with imported material that waits for its rotation
 * @throws StoreUnavailable
 */
export async function listRotations(
  found: FoundKey,
  all: boolean,
  services: Pick<MultiRegionServices, 'store'> & { readonly clock: Clock },
): Promise<readonly ListedRotation[]> {
  const now = services.clock.now()
  const { key, bundle } = found
  const used = usedMaterials(bundle).map((material) =>
    entryOf(found, material, material.materialId === key.current ? 'CURRENT' : 'NON_CURRENT', now),
  )
  if (!all) return used.filter(({ RotationDate }) => RotationDate !== undefined)
  const waiting = key.origin === 'EXTERNAL' ? waitingMaterial(bundle) : null
  if (waiting === null) return used
  // What waits does not expire, nor does it bear the date of a rotation that has not happened.
  const pending = { ...waiting, rotation: null }
  const state = await waitingState(found, waiting, services)
  return [...used, entryOf(found, pending, state, Number.NEGATIVE_INFINITY)]
}

function entryOf(
  { arn, key }: FoundKey,
  material: MaterialRecord,
  KeyMaterialState: KeyMaterialState,
  now: number,
): ListedRotation {
  const { materialId, rotation } = material
  return {
    KeyId: arn,
    KeyMaterialId: materialId,
    ...(key.origin === 'EXTERNAL' ? importMembers(material, now) : {}),
    KeyMaterialState,
    ...(rotation === null
      ? {}
      : { RotationDate: new Date(rotation.date), RotationType: rotation.type }),
  }
}

function importMembers({ wrapped, imported }: MaterialRecord, now: number) {
  const validTo = imported?.validTo ?? null
  const description = imported?.description ?? null
  const described = description === null ? {} : { KeyMaterialDescription: description }
  const isPresent = wrapped !== null && (validTo === null || validTo > now)
  if (!isPresent) return { ...described, ImportState: 'PENDING_IMPORT' as const }
  return {
    ...described,
    ImportState: 'IMPORTED' as const,
    ...(validTo === null
      ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' as const }
      : { ExpirationModel: 'KEY_MATERIAL_EXPIRES' as const, ValidTo: new Date(validTo) }),
  }
}

/** Of a set, material waits for its import until every key of the set has it. */
async function waitingState(
  { key }: FoundKey,
  { materialId }: MaterialRecord,
  services: Pick<MultiRegionServices, 'store'>,
): Promise<KeyMaterialState> {
  const bundles = key.multiRegion ? await relatedBundles(key, services) : []
  const isEverywhere = bundles.every(({ materials }) =>
    materials.some((each) => each.materialId === materialId && each.wrapped !== null),
  )
  return isEverywhere ? 'PENDING_ROTATION' : 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
}
