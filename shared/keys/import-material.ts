/**
 * Imported material in the store. A key's first material is named in the key before its bytes are
 * written: of two that race, one becomes the key's own for good, and a key whose bytes did not come
 * after it waits for them as one whose bytes were deleted does.
 */
import type { Clock } from '../clock.ts'
import type { MaterialId } from '../ids.ts'
import type { KeyBundle, KeyRecord, MaterialRecord } from '../store/records.ts'
import {
  ConditionFailed,
  type KeyRepository,
  type RelatedKeysRepository,
} from '../store/repositories.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import type { ImportOrder } from './import-request.ts'
import { type ImportingKey, importTarget, type KnownMaterial } from './import-target.ts'
import { importedMaterialId } from './imported-material.ts'
import { isMaterialMissing, materialImportable, requireState, usedMaterials } from './key-states.ts'
import type { FoundKey, Keys } from './keys.ts'
import { wrapMaterial } from './material.ts'
import { isReplica, primaryBundle } from './multi-region.ts'

export interface ImportServices {
  readonly clock: Clock
  readonly keys: Keys
  readonly tenantKeys: TenantKeys
  readonly store: { readonly keys: KeyRepository; readonly relatedKeys: RelatedKeysRepository }
}

/** How many times an import is tried again when the key's material changed in between. */
const MAX_ATTEMPTS = 8

/**
 * Takes material into a key, and makes the key Enabled once nothing of its history is missing.
 * @param bytes - as the key spec stores them; the caller wipes them
 * @returns the id of the material
 * @throws JsonError as `importTarget`, and NotFoundException or the state's error when the key was
 *   changed in between
 */
export async function importMaterial(
  found: FoundKey,
  order: ImportOrder,
  bytes: Buffer,
  services: ImportServices,
): Promise<MaterialId> {
  const { keys, tenantKeys } = services
  const materialId = await importedMaterialId(tenantKeys, found.key, bytes)
  for (let present = found, attempt = 1; ; attempt++) {
    requireState(present.state, present.arn, materialImportable)
    try {
      await importOnce(present, order, materialId, bytes, services)
      break
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
      present = await keys.reread(found)
    } finally {
      keys.forget(found.key)
    }
  }
  await enableIfComplete(await keys.reread(found), materialId, services)
  return materialId
}

/** @throws ConditionFailed when the key or its material was changed since it was read */
async function importOnce(
  present: FoundKey,
  order: ImportOrder,
  materialId: MaterialId,
  bytes: Buffer,
  services: ImportServices,
): Promise<void> {
  const now = services.clock.now()
  const importing = await importingKey(present, services)
  const next = { number: (importing.current?.number ?? 0) + 1, materialId, createdAt: now }
  const target = importTarget(importing, order, materialId) ?? { ...next, ...NOTHING_IMPORTED }
  await noteMissing(present, importing, target, services)
  if (present.key.current === null) {
    await nameCurrent(present, importing.current ?? target, services.keys)
  }
  await putBytes(present, target, order, bytes, services)
}

const NOTHING_IMPORTED = { rotation: null, imported: null, isPresent: false }

/** With what belongs to the key without a row: what is named as current only, and its primary's material. */
async function importingKey(
  { bundle, arn }: FoundKey,
  services: ImportServices,
): Promise<ImportingKey> {
  const primary = isReplica(bundle) ? await primaryBundle(bundle.key, services) : null
  const now = services.clock.now()
  const known = knownMaterials(bundle, primary, now)
  const currentId = bundle.key.current ?? primary?.key.current ?? null
  if (currentId !== null && !known.some(({ materialId }) => materialId === currentId)) {
    const number = (known.at(-1)?.number ?? 0) + 1
    known.push({ number, materialId: currentId, createdAt: now, ...NOTHING_IMPORTED })
  }
  const current = known.find(({ materialId }) => materialId === currentId) ?? null
  return { arn, keySpec: bundle.key.keySpec, known, current }
}

/** Of a replica: the primary's, whether it has imported them itself or not. */
function knownMaterials(
  { materials }: KeyBundle,
  primary: KeyBundle | null,
  now: number,
): KnownMaterial[] {
  if (primary === null) return materials.map((row) => known(row, now))
  return primary.materials.map((row) => {
    const own = materials.find(({ materialId }) => materialId === row.materialId)
    return own === undefined ? { ...known(row, now), isPresent: false } : known(own, now)
  })
}

function known(row: MaterialRecord, now: number): KnownMaterial {
  const { number, materialId, createdAt, rotation, imported } = row
  const isOver = imported?.validTo != null && imported.validTo <= now
  const isPresent = row.wrapped !== null && !isOver
  return { number, materialId, createdAt, rotation, imported, isPresent }
}

/**
 * A replica gets a row without bytes for all that its primary uses and it lacks, so that it is not
 * taken for complete before each of them was imported.
 */
async function noteMissing(
  { key, bundle }: FoundKey,
  { known, current }: ImportingKey,
  target: KnownMaterial,
  { store }: ImportServices,
): Promise<void> {
  const rows = bundle.materials.map(({ number }) => number)
  for (const { isPresent: _isPresent, imported, ...material } of known) {
    const { number } = material
    if (number > (current?.number ?? 0) || number === target.number || rows.includes(number))
      continue
    const { account, region, keyId } = key
    const description = imported?.description ?? null
    const empty = { wrapped: null, tenantKeyVersion: 0, imported: { description, validTo: null } }
    await store.keys.putMaterial({ account, region, keyId, ...material, ...empty, rev: 1 }, null)
  }
}

/** The first import decides what the key's material is. */
async function nameCurrent(
  present: FoundKey,
  { materialId }: KnownMaterial,
  keys: Keys,
): Promise<void> {
  await keys.change(present, materialImportable, (key) => {
    if (key.current !== null) throw new ConditionFailed('Somebody else imported material first.')
    return enabled(key, materialId)
  })
}

/** A description is kept from the import before. */
async function putBytes(
  { key, bundle }: FoundKey,
  { number, materialId, createdAt, rotation, imported }: KnownMaterial,
  { description, validTo }: ImportOrder,
  bytes: Buffer,
  { tenantKeys, store }: ImportServices,
): Promise<void> {
  const row = bundle.materials.find((each) => each.number === number)
  const version = {
    number,
    materialId,
    createdAt,
    imported: { description: description ?? imported?.description ?? null, validTo },
    ...(rotation === null ? {} : { rotation }),
  }
  const tenantKey = await tenantKeys.current(key.account)
  const next = wrapMaterial(tenantKey, key, version, Buffer.from(bytes))
  await store.keys.putMaterial({ ...next, rev: (row?.rev ?? 0) + 1 }, row?.rev ?? null)
}

/** Material that waits for its rotation changes nothing yet. */
async function enableIfComplete(
  present: FoundKey,
  imported: MaterialId,
  { keys, clock }: ImportServices,
): Promise<void> {
  const isUsed = usedMaterials(present.bundle).some(({ materialId }) => materialId === imported)
  if (!isUsed || present.key.state === 'Enabled') return
  await keys.change(present, materialImportable, (key, { bundle }) =>
    key.state === 'Enabled' || key.current === null || isMaterialMissing(bundle, clock.now())
      ? null
      : enabled(key, key.current),
  )
}

function enabled(key: KeyRecord, current: MaterialId): KeyRecord {
  if (key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion') return key
  return { ...key, state: 'Enabled', current, stateEpoch: key.stateEpoch + 1 }
}
