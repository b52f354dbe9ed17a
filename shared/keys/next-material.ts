/**
 * The material that a key rotates to: new, imported before, or left by a rotation that was cut short.
 * It lies beside the key's history until it is made the current one.
 */
import type { KeyBundle, MaterialRecord } from '../store/records.ts'
import { createMaterial } from './material.ts'
import {
  type MultiRegionServices,
  relatedBundles,
  replicaBundles,
  shareMaterial,
} from './multi-region.ts'
import type { DueRotation } from './rotation.ts'

export interface NextMaterial {
  readonly material: MaterialRecord
  /** Whether it was put there a moment ago. */
  readonly isNew: boolean
}

/** @returns whether the material came, or is to come, by this very rotation */
export const isSameRotation = (rotation: MaterialRecord['rotation'], due: DueRotation): boolean =>
  rotation !== null && rotation.type === due.type && rotation.date === due.date

/** @returns the material that comes after the current one; `null` when there is none */
export function waitingMaterial({ key, materials }: KeyBundle): MaterialRecord | null {
  const current = materials.find(({ materialId }) => materialId === key.current)
  if (current === undefined) return null
  return materials.find(({ number }) => number === current.number + 1) ?? null
}

/** Whether the bytes of imported material that waits are in the key and in all its replicas. */
export const isReady = (bundle: KeyBundle, replicas: readonly KeyBundle[]): boolean => {
  const waiting = waitingMaterial(bundle)
  return (
    waiting !== null &&
    [bundle, ...replicas].every(({ materials }) =>
      materials.some(({ materialId, wrapped }) => materialId === waiting.materialId && wrapped),
    )
  )
}

/**
 * Puts the next material of a key into its partition and those of its replicas, dated.
 * @param bundle - of the primary, when it is one of a set; it has current material
 * @returns `null` when it was to be imported and is not there, or not everywhere
 * @throws ConditionFailed when somebody else put other material there at the same time
 */
export async function placeNext(
  bundle: KeyBundle,
  due: DueRotation,
  services: MultiRegionServices & { readonly clock: { now(): number } },
): Promise<NextMaterial | null> {
  const isImported = bundle.key.origin === 'EXTERNAL'
  if (isImported && !isReady(bundle, await replicaBundles(bundle.key, services))) return null
  const waiting = waitingMaterial(bundle)
  const material =
    waiting === null ? await putNew(bundle, due, services) : await dated(waiting, due, services)
  if (bundle.key.multiRegion) {
    if (!isImported) await shareMaterial(bundle.key, material, services)
    await dateInSet(bundle, material, due, services)
  }
  return { material, isNew: waiting === null }
}

async function putNew(
  { key, materials }: KeyBundle,
  due: DueRotation,
  services: MultiRegionServices & { readonly clock: { now(): number } },
): Promise<MaterialRecord> {
  const { tenantKeys, clock, store, keys } = services
  const current = materials.find(({ materialId }) => materialId === key.current)
  const number = (current?.number ?? 0) + 1
  const tenantKey = await tenantKeys.current(key.account)
  const made = await createMaterial(tenantKey, key, number, clock.now())
  const material = { ...made, rotation: due }
  try {
    await store.keys.putMaterial(material, null)
  } finally {
    keys.forget(key)
  }
  return material
}

async function dated(
  material: MaterialRecord,
  due: DueRotation,
  { store, keys }: Pick<MultiRegionServices, 'store' | 'keys'>,
): Promise<MaterialRecord> {
  if (isSameRotation(material.rotation, due)) return material
  const next = { ...material, rotation: due, rev: material.rev + 1 }
  try {
    await store.keys.putMaterial(next, material.rev)
  } finally {
    keys.forget(material)
  }
  return next
}

async function dateInSet(
  { key }: KeyBundle,
  { materialId }: MaterialRecord,
  due: DueRotation,
  services: MultiRegionServices,
): Promise<void> {
  for (const { materials } of await relatedBundles(key, services)) {
    const own = materials.find((each) => each.materialId === materialId)
    if (own !== undefined) await dated(own, due, services)
  }
}

/** Removes what is left of imported material whose bytes were deleted while its rotation had begun. */
export async function removeEmptied(
  bundle: KeyBundle,
  { store, keys }: Pick<MultiRegionServices, 'store' | 'keys'>,
): Promise<void> {
  const waiting = waitingMaterial(bundle)
  if (waiting === null || waiting.wrapped !== null) return
  try {
    await store.keys.deleteMaterial(waiting)
  } finally {
    keys.forget(waiting)
  }
}
