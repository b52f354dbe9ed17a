/**
 * Deleting imported material: its bytes go, its id stays with the key, which waits for the same bytes
 * to be imported again. Material that was never used goes without a trace (AWS KMS Developer Guide,
 * "Deleting imported key material").
 */
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import type { KeyBundle, MaterialRecord } from '../store/records.ts'
import {
  ConditionFailed,
  type KeyRepository,
  type RelatedKeysRepository,
} from '../store/repositories.ts'
import { materialDeletable, requireState } from './key-states.ts'
import type { FoundKey, Keys } from './keys.ts'
import type { MaterialCache } from './material.ts'
import { isPrimary, isReplica, primaryBundle, replicaBundles } from './multi-region.ts'

export interface DeletionServices {
  readonly keys: Keys
  readonly material: Pick<MaterialCache, 'forget'>
  readonly store: { readonly keys: KeyRepository; readonly relatedKeys: RelatedKeysRepository }
}

const MAX_ATTEMPTS = 8

/**
 * @param materialId - `null`: the current one
 * @returns the id of the material that is not there now; `null` when nothing was ever imported
 * @throws JsonError ValidationException for an id that does not belong to the key, and
 *   NotFoundException or the state's error when the key was changed in between
 */
export async function deleteImportedMaterial(
  found: FoundKey,
  materialId: string | null,
  services: DeletionServices,
): Promise<MaterialId | null> {
  for (let present = found, attempt = 1; ; attempt++) {
    requireState(present.state, present.arn, materialDeletable)
    const target = await requireTarget(present, materialId, services)
    try {
      await deleteOnce(present.bundle, target, services)
      return target
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
      present = await services.keys.reread(found)
    }
  }
}

async function requireTarget(
  { bundle, arn }: FoundKey,
  named: string | null,
  services: DeletionServices,
): Promise<MaterialId | null> {
  const { current } = bundle.key
  if (named === null || named === current) return current
  const primary = isReplica(bundle) ? await primaryBundle(bundle.key, services) : null
  const rows = [...bundle.materials, ...(primary?.materials ?? [])]
  const row = rows.find(({ materialId }) => materialId === named)
  if (row !== undefined) return row.materialId
  throw new JsonError(
    'ValidationException',
    `Key material (id: ${named}) has never been imported into KMS key ${arn}.`,
  )
}

/**
 * Material that waits goes from the replicas before it goes from the primary: cut short, the primary
 * still has it, and the call can be repeated.
 */
async function deleteOnce(
  bundle: KeyBundle,
  target: MaterialId | null,
  services: DeletionServices,
): Promise<void> {
  if (target !== null && isPrimary(bundle) && isWaiting(bundle, target)) {
    for (const replica of await replicaBundles(bundle.key, services)) {
      if (isWaiting(replica, target)) await deleteFrom(replica, target, services)
    }
  }
  await deleteFrom(bundle, target, services)
}

const numberOf = ({ materials }: KeyBundle, id: MaterialId | null): number =>
  materials.find(({ materialId }) => materialId === id)?.number ?? 0

const isWaiting = (bundle: KeyBundle, target: MaterialId): boolean =>
  numberOf(bundle, target) > numberOf(bundle, bundle.key.current)

async function deleteFrom(
  bundle: KeyBundle,
  target: MaterialId | null,
  { store, keys, material }: DeletionServices,
): Promise<void> {
  const row = bundle.materials.find(({ materialId }) => materialId === target)
  if (row === undefined || row.wrapped === null) return
  try {
    // A rotation that has begun may be about to make it the current one.
    const isUnused = isWaiting(bundle, row.materialId) && row.rotation === null
    if (isUnused) await store.keys.deleteMaterial(row)
    else await store.keys.putMaterial(withoutBytes(row), row.rev)
  } finally {
    keys.forget(row)
    material.forget(row.account, row.region, row.keyId)
  }
}

/** What is left of material that was deleted or has expired: its id and its description. */
export const withoutBytes = (row: MaterialRecord): MaterialRecord => ({
  ...row,
  wrapped: null,
  imported: { description: row.imported?.description ?? null, validTo: null },
  rev: row.rev + 1,
})
