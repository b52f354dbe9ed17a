/**
 * Rotating a key: new material becomes the current one, and every older one goes on opening what is
 * under it (AWS KMS Developer Guide, "Rotate AWS KMS keys"). The steps are ordered so that a rotation
 * that was cut short at any of them harms nothing and is taken up where it ended, and so that two
 * that happen at once make one rotation:
 *
 *   1. the next material is put into the primary's partition, dated with the rotation, then into
 *      those of the replicas: what will be under it opens before it can exist;
 *   2. it becomes the key's current material: from here on the rotation has happened;
 *   3. the replicas follow;
 *   4. the audit trail tells of it;
 *   5. the next rotation is planned.
 *
 * A rotation bears the date for which it was planned. So material of that date and kind in the
 * history of the key tells that the rotation has happened, whoever did it.
 */
import type { Clock } from '../clock.ts'
import type { MaterialId } from '../ids.ts'
import type { KeyBundle, KeyRecord, MaterialRecord, RotationRecord } from '../store/records.ts'
import { ConditionFailed, type KeyName } from '../store/repositories.ts'
import { usedMaterials } from './key-states.ts'
import {
  followCurrent,
  forgetRelated,
  type MultiRegionServices,
  primaryBundle,
} from './multi-region.ts'
import { isSameRotation, type NextMaterial, placeNext, removeEmptied } from './next-material.ts'
import {
  type DueRotation,
  dueRotations,
  dueTime,
  planAfter,
  putOff,
  putRotation,
  type RotationPlan,
  type RotationServices,
} from './rotation.ts'

export type KeyRotationServices = MultiRegionServices & RotationServices & { readonly clock: Clock }

/** A rotation that has happened. */
export interface Rotation {
  /** The primary, of a set. */
  readonly key: KeyRecord
  readonly type: DueRotation['type']
  readonly previous: MaterialId
  readonly current: MaterialId
  readonly hasReplicas: boolean
}

/** A rotation later than that happens now, and not for the date for which it was planned. */
const LATE_MS = 60 * 60 * 1000
/** Rotations of one key in one run, and attempts at them when others change the key too. */
const MAX_STEPS = 16

/**
 * Puts the material of a due rotation where the key is, without making it the current one.
 * @param name - of any key of a set
 * @returns whether it was put there by this call, so that not everybody can have seen it yet
 * @throws StoreUnavailable, MaterialDamaged, TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function prepareRotation(
  name: KeyName,
  services: KeyRotationServices,
): Promise<boolean> {
  const bundle = await rotatingBundle(name, services)
  const due = bundle && possibleRotation(bundle, services.clock.now())
  if (bundle === null || due === null || happened(bundle, due) !== null) return false
  try {
    return (await placeNext(bundle, due, services))?.isNew === true
  } catch (error) {
    if (error instanceof ConditionFailed) return true // somebody else is at it
    throw error
  }
}

/**
 * Does all rotations of a key that are due.
 * @param name - of any key of a set
 * @param tell - tells the audit trail; before a crash it may have been told already
 * @returns how many rotations there were
 * @throws as `prepareRotation`, and what `tell` throws
 */
export async function rotateIfDue(
  name: KeyName,
  tell: (rotation: Rotation) => Promise<unknown>,
  services: KeyRotationServices,
): Promise<number> {
  const told = new Set<MaterialId>()
  const tellOnce = async (rotation: Rotation): Promise<void> => {
    if (told.has(rotation.current)) return
    await tell(rotation)
    told.add(rotation.current)
  }
  for (let step = 1; step <= MAX_STEPS; step++) {
    const bundle = await rotatingBundle(name, services)
    if (bundle === null) break
    try {
      if (!(await takeStep(bundle, tellOnce, services))) break
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
    }
  }
  return told.size
}

/** For a rotation that failed: it is looked at again later, so that it keeps no other one from happening. */
export async function postpone(name: KeyName, services: KeyRotationServices): Promise<void> {
  const bundle = await rotatingBundle(name, services)
  if (bundle !== null) await wait(bundle, services)
}

interface RotatingBundle extends KeyBundle {
  readonly rotation: RotationRecord
}

/** The key whose rotation it is, as it is now in the store; `null` when it is gone, or never rotates. */
async function rotatingBundle(
  name: KeyName,
  services: KeyRotationServices,
): Promise<RotatingBundle | null> {
  const own = await services.store.keys.get(name.account, name.region, name.keyId)
  const isElsewhere = own === null || (own.related !== null && own.related.primary !== name.region)
  const bundle = isElsewhere ? await primaryBundle(name, services) : own
  return bundle === null || bundle.rotation === null || bundle.key.current === null
    ? null
    : { ...bundle, rotation: bundle.rotation }
}

/** @returns whether there may be more to do */
async function takeStep(
  bundle: RotatingBundle,
  tell: (rotation: Rotation) => Promise<void>,
  services: KeyRotationServices,
): Promise<boolean> {
  const now = services.clock.now()
  const { key, rotation } = bundle
  const due = possibleRotation(bundle, now)
  if (due === null) {
    await wait(bundle, services)
    return false
  }
  const done = happened(bundle, due)
  if (done === null && isLate(due, now)) {
    await plan(bundle, fromNow(rotation, now), services)
    return true
  }
  const next = done ?? (await placeNext(bundle, due, services))
  if (next === null) {
    await lapse(bundle, services)
    return true
  }
  if (done === null) await makeCurrent(bundle, next.material, services)
  if (key.multiRegion) await followCurrent(key, services)
  if (bundle.related !== null) forgetRelated(bundle.related, services)
  await tell(rotationOf(bundle, due, next.material))
  await plan(bundle, planAfter(rotation, due), services)
  return true
}

/** The commit point. @throws ConditionFailed when the key has other current material by now */
async function makeCurrent(
  bundle: KeyBundle,
  { materialId }: MaterialRecord,
  { keys }: KeyRotationServices,
): Promise<void> {
  await keys.change(keys.found(bundle), {}, (present) => {
    if (present.current === materialId) return null
    if (present.current === bundle.key.current) return { ...present, current: materialId }
    throw new ConditionFailed('Another rotation of the key came first.')
  })
}

/** The first rotation that is due and may happen: a key that is not enabled rotates on demand alone. */
function possibleRotation(bundle: RotatingBundle, now: number): DueRotation | null {
  const isEnabled = bundle.key.state === 'Enabled'
  const isPossible = (due: DueRotation): boolean =>
    isEnabled || due.type === 'ON_DEMAND' || happened(bundle, due) !== null
  return dueRotations(bundle.rotation, now).find(isPossible) ?? null
}

function happened(bundle: KeyBundle, due: DueRotation): NextMaterial | null {
  const material = usedMaterials(bundle).find(({ rotation }) => isSameRotation(rotation, due))
  return material === undefined ? null : { material, isNew: false }
}

const isLate = ({ type, date }: DueRotation, now: number): boolean =>
  type === 'AUTOMATIC' && now - date > LATE_MS

const fromNow = (rotation: RotationRecord, now: number): RotationPlan =>
  rotation.automatic === null
    ? rotation
    : { ...rotation, automatic: { ...rotation.automatic, nextDate: now } }

const plan = (
  { key, rotation }: RotatingBundle,
  next: RotationPlan,
  services: KeyRotationServices,
): Promise<void> => putRotation(key, rotation, next, dueTime(next), services)

/** Nothing can be done now; what is overdue is put off, so that others get their turn. */
async function wait(
  { key, rotation }: RotatingBundle,
  services: KeyRotationServices,
): Promise<void> {
  const now = services.clock.now()
  if (rotation.dueAt === null || rotation.dueAt > now) return
  const since = dueTime(rotation)
  const again = since === null || since > now ? since : putOff(rotation, since, now)
  await putRotation(key, rotation, rotation, again, services)
}

/** The imported material that was to be rotated to is gone: the request ends, and does not count. */
async function lapse(bundle: RotatingBundle, services: KeyRotationServices): Promise<void> {
  const { rotation } = bundle
  await removeEmptied(bundle, services)
  const onDemandCount = rotation.onDemandCount - 1
  await plan(bundle, { ...rotation, onDemandSince: null, onDemandCount }, services)
}

function rotationOf(
  { key, materials, related }: KeyBundle,
  { type }: DueRotation,
  { number, materialId }: MaterialRecord,
): Rotation {
  const before = materials.find((each) => each.number === number - 1)
  return {
    key,
    type,
    previous: before?.materialId ?? materialId,
    current: materialId,
    hasReplicas: related !== null && related.replicas.length > 0,
  }
}
