/**
 * Making a replica of a multi-Region key (AWS KMS Developer Guide, "Create multi-Region replica
 * keys"). The replica is written first, unlisted and unseen; that its set names it makes it exist.
 * Whatever a cut leaves behind is finished or removed by the next attempt, or by a schedule.
 */
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { JsonError } from '../errors.ts'
import type { Region } from '../ids.ts'
import type { KeyRecord, MaterialRecord, Tag } from '../store/records.ts'
import { ConditionFailed, type KeyName } from '../store/repositories.ts'
import { unwrapIdentityKey, wrapIdentityKey } from './imported-material.ts'
import { replicable, requireState } from './key-states.ts'
import type { FoundKey } from './keys.ts'
import {
  following,
  forgetRelated,
  type MultiRegionServices,
  primaryBundle,
  regionsOf,
  rewrapMaterial,
} from './multi-region.ts'
import { settlePrimary } from './multi-region-deletion.ts'
import { changeSet, otherClaims } from './multi-region-set.ts'

export interface ReplicationServices extends MultiRegionServices {
  readonly clock: Clock
}

/** What a replica has of its own. */
export interface ReplicaPlan {
  readonly region: Region
  readonly description: string
  readonly tags: readonly Tag[]
  /** The key policy's text, checked. */
  readonly policy: string
}

/** How long a new replica shows as Creating. */
const CREATING_MS = 1000
/** No attempt to make a replica takes that long. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000

/**
 * Makes the replica of a primary key in another Region: Creating for a moment, then Enabled, or
 * PendingImport when the material was imported.
 * @throws JsonError AlreadyExistsException when the Region has one
 * @throws ConditionFailed when another attempt to make the same replica came in between
 * @throws MaterialDamaged, StoreUnavailable, TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function createReplica(
  primary: FoundKey,
  plan: ReplicaPlan,
  services: ReplicationServices,
): Promise<FoundKey> {
  const { keys, store } = services
  const { account, keyId } = primary.key
  const claim = { region: plan.region, claim: randomUUID() }
  const place = { account, region: plan.region, keyId }
  const leftovers = await store.keys.leftovers(place)
  await changeSet(place, services, (set) => {
    if (regionsOf(set).includes(plan.region)) throw replicaExists()
    return { ...set, replicating: [...otherClaims(set, plan.region), claim] }
  })
  // From here on the primary does not go without taking the claim away.
  const present = await keys.reread(primary)
  requireState(present.state, present.arn, replicable)
  await leftovers.remove()
  await writeReplica(present, plan, services)
  const related = await changeSet(place, services, (set) => {
    const isOurs = set.replicating?.some((each) => each.claim === claim.claim) === true
    if (!isOurs) throw new ConditionFailed('Another attempt makes this replica.')
    const replicas = [...set.replicas, plan.region].sort()
    return { ...set, replicas, replicating: otherClaims(set, plan.region) }
  })
  await finishReplica(place, services)
  forgetRelated(related, services)
  const bundle = await keys.get(account, plan.region, keyId, true)
  if (bundle === null) throw new ConditionFailed('The replica is gone again.')
  return keys.found(bundle)
}

/**
 * Takes a replica that its set names to the end of its making: it gets what the primary got
 * meanwhile, and is listed. To be repeated when it was cut short.
 */
export async function finishReplica(
  place: KeyName,
  services: Pick<ReplicationServices, 'keys' | 'store' | 'tenantKeys' | 'clock'>,
): Promise<void> {
  const { keys, store, tenantKeys } = services
  const primary = await primaryBundle(place, services)
  const replica = await store.keys.get(place.account, place.region, place.keyId)
  if (primary === null || replica === null) return
  if (primary.key.origin === 'AWS_KMS') {
    const known = new Set(replica.materials.map(({ materialId }) => materialId))
    for (const material of primary.materials) {
      if (known.has(material.materialId)) continue
      const copy = await rewrapMaterial(material, primary.key, replica.key, tenantKeys)
      await unlessThere(store.keys.putMaterial(copy, null))
    }
  }
  const found = await keys.reread(keys.found(replica))
  // What became current before the material was here was followed by nobody.
  const rotated = (await primaryBundle(place, services)) ?? primary
  // Any change lists it, also one that changes nothing.
  await keys.change(found, {}, (key, { bundle }) => following(key, bundle, rotated) ?? key)
  if (rotated.key.state === 'PendingDeletion') await settlePrimary(place, services)
}

/** @throws ConditionFailed when somebody else writes the same replica */
async function writeReplica(
  { bundle: { key: primary, materials } }: FoundKey,
  { policy, ...own }: ReplicaPlan,
  { store, tenantKeys, clock }: ReplicationServices,
): Promise<void> {
  const now = clock.now()
  const { state: _, current: __, ...fields } = primary
  const shared = { ...fields, ...own, manager: 'CUSTOMER', createdAt: now } as const
  const draft = {
    ...shared,
    creatingUntil: now + CREATING_MS,
    identityKey: await rewrapIdentity(primary, own.region, tenantKeys),
    stateEpoch: 1,
    rev: 1,
  }
  const isImported = primary.origin === 'EXTERNAL'
  const key: KeyRecord =
    isImported || primary.current === null
      ? { ...draft, state: 'PendingImport', current: null }
      : { ...draft, state: 'Enabled', current: primary.current }
  const copies: MaterialRecord[] = []
  for (const material of isImported ? [] : materials) {
    copies.push(await rewrapMaterial(material, primary, key, tenantKeys))
  }
  await store.keys.createDraft(
    { key, policy: { document: policy, rev: 1 }, materials: copies },
    now + ABANDONED_AFTER_MS,
  )
}

async function rewrapIdentity(
  primary: KeyRecord,
  region: Region,
  tenantKeys: ReplicationServices['tenantKeys'],
): Promise<KeyRecord['identityKey']> {
  if (primary.identityKey === null) return null
  const tenantKey = await tenantKeys.current(primary.account)
  const bytes = await unwrapIdentityKey(tenantKeys, primary)
  return wrapIdentityKey(tenantKey, { ...primary, region }, bytes)
}

const replicaExists = (): JsonError =>
  new JsonError(
    'AlreadyExistsException',
    'You can create only one replica of each primary key in each AWS Region.',
  )

async function unlessThere(put: Promise<void>): Promise<void> {
  try {
    await put
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
}
