/**
 * The end of multi-Region keys (AWS KMS Developer Guide, "Deleting multi-Region keys"): a primary
 * waits for the last of its replicas, and its own waiting period starts when that is gone.
 */
import type { Clock } from '../clock.ts'
import type { KeyRecord, RelatedKeysRecord } from '../store/records.ts'
import {
  ConditionFailed,
  type KeyName,
  type LeaveSet,
  StoreUnavailable,
} from '../store/repositories.ts'
import type { FoundKey } from './keys.ts'
import { isPrimary, type MultiRegionServices, primaryBundle } from './multi-region.ts'
import { changeSet, otherClaims } from './multi-region-set.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const MIN_WINDOW_DAYS = 7
const MAX_WINDOW_DAYS = 30

export interface DeletionServices extends Pick<MultiRegionServices, 'keys' | 'store'> {
  readonly clock: Clock
}

const hasReplicas = (key: KeyRecord, related: RelatedKeysRecord | null): boolean =>
  isPrimary({ key, related }) && related !== null && related.replicas.length > 0

/**
 * @param windowDays - the waiting period
 * @param now - milliseconds since the epoch
 * @returns the key as it is while it waits for its deletion, or for that of its replicas
 */
export function awaitingDeletion(
  key: KeyRecord,
  related: RelatedKeysRecord | null,
  windowDays: number,
  now: number,
): KeyRecord & { readonly state: 'PendingDeletion' | 'PendingReplicaDeletion' } {
  const waiting = { ...withoutState(key), stateEpoch: key.stateEpoch + 1 }
  return hasReplicas(key, related)
    ? { ...waiting, state: 'PendingReplicaDeletion', windowDays }
    : { ...waiting, state: 'PendingDeletion', deletionDate: now + windowDays * DAY_MS }
}

export const isAwaitingDeletion = ({ state }: KeyRecord): boolean =>
  state === 'PendingDeletion' || state === 'PendingReplicaDeletion'

/** @returns the key as it is when its deletion was cancelled; `null` when it did not wait for one */
export function keptKey(key: KeyRecord): KeyRecord | null {
  if (!isAwaitingDeletion(key)) return null
  const { current, ...rest } = withoutState(key)
  const stateEpoch = key.stateEpoch + 1
  return current === null
    ? { ...rest, state: 'PendingImport', current, stateEpoch }
    : { ...rest, state: 'Disabled', current, stateEpoch }
}

function withoutState(key: KeyRecord) {
  const {
    state: _,
    deletionDate: __,
    windowDays: ___,
    ...rest
  } = { deletionDate: 0, windowDays: 0, ...key }
  return rest
}

/** Does for the primary of a key's set what `settle` does. @throws as `settle` */
export async function settlePrimary(of: KeyName, services: DeletionServices): Promise<void> {
  const primary = await primaryBundle(of, services)
  if (primary !== null) await settle(services.keys.found(primary), services)
}

/**
 * Lets a key that is to be deleted wait for what it has to wait for as its set is now: for its date
 * when it has no replicas, or is one itself by now, and for its replicas when it got one meanwhile.
 * @param found - as read from the store
 * @returns the key as it is then
 * @throws JsonError NotFoundException when the key is gone by now
 * @throws ConditionFailed, StoreUnavailable
 */
export function settle(found: FoundKey, services: DeletionServices): Promise<KeyRecord> {
  const now = services.clock.now()
  return services.keys.change(found, {}, (key, { bundle }) => settled(key, bundle.related, now))
}

function settled(key: KeyRecord, related: RelatedKeysRecord | null, now: number): KeyRecord | null {
  if (key.state === 'PendingReplicaDeletion' && !hasReplicas(key, related)) {
    return awaitingDeletion(key, related, key.windowDays, now)
  }
  if (key.state === 'PendingDeletion' && hasReplicas(key, related)) {
    const days = Math.ceil((key.deletionDate - now) / DAY_MS)
    const windowDays = Math.min(MAX_WINDOW_DAYS, Math.max(MIN_WINDOW_DAYS, days))
    return awaitingDeletion(key, related, windowDays, now)
  }
  return null
}

/**
 * Whether a key whose date has come may go: a primary not before its replicas. Nobody makes one of
 * them from then on.
 * @throws ConditionFailed, StoreUnavailable
 */
export async function mayGo(key: KeyRecord, services: DeletionServices): Promise<boolean> {
  if (!key.multiRegion) return true
  const set = await changeSet(key, services, (present) =>
    present.primary !== key.region || present.replicating === undefined
      ? null
      : { ...present, replicating: [] },
  )
  if (!hasReplicas(key, set)) return true
  await settlePrimary(key, services)
  return false
}

/**
 * Takes a key that is all but gone out of its set; the set goes with its last key.
 * @returns what `KeyRepository.delete` is to call; it throws StoreUnavailable
 */
export const leavingSet =
  (key: KeyRecord, services: DeletionServices): LeaveSet =>
  async (isStill) => {
    if (!key.multiRegion) return
    try {
      await leaveSet(key, isStill, services)
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      throw new StoreUnavailable('The set of a key was changed meanwhile.', { cause: error })
    }
  }

async function leaveSet(
  key: KeyRecord,
  isStill: () => Promise<boolean>,
  services: DeletionServices,
): Promise<void> {
  const { relatedKeys } = services.store
  const present = await relatedKeys.get(key.account, key.keyId)
  if (present === null) return
  if (present.primary === key.region) {
    if (present.replicas.length === 0) await relatedKeys.delete(present)
    return
  }
  await changeSet(key, services, async (set) => {
    if (!set.replicas.includes(key.region) || !(await isStill())) return null
    return { ...set, replicas: set.replicas.filter((region) => region !== key.region) }
  })
  await settlePrimary(key, services)
}

/** Removes a replica that was never finished, unless its set names it by now. */
export async function dropDraft(key: KeyRecord, services: DeletionServices): Promise<boolean> {
  const leftovers = await services.store.keys.leftovers(key)
  const related = await services.store.relatedKeys.get(key.account, key.keyId)
  const set =
    related &&
    (await changeSet(key, services, (present) =>
      present.replicas.includes(key.region) || present.primary === key.region
        ? null
        : { ...present, replicating: otherClaims(present, key.region) },
    ))
  if (set?.replicas.includes(key.region) || set?.primary === key.region) return false
  await leftovers.remove()
  return true
}
