/**
 * Keys of a seed. Their material gets ids that follow from its bytes, so that what was encrypted
 * under a seeded key opens after the stack was emptied and seeded again, here and elsewhere.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { defaultKeyPolicy } from '../../../shared/authz/default-key-policy.ts'
import {
  type AccountId,
  isMultiRegionKeyId,
  type MaterialId,
  parseMaterialId,
} from '../../../shared/ids.ts'
import { importedMaterialId, wrapIdentityKey } from '../../../shared/keys/imported-material.ts'
import { createKey, draftKey, type KeyDraft, writeKey } from '../../../shared/keys/key-creation.ts'
import type { FoundKey } from '../../../shared/keys/keys.ts'
import { unwrapMaterial, wrapMaterial } from '../../../shared/keys/material.ts'
import type { Services } from '../../../shared/pipeline/operation.ts'
import { keyPartition } from '../../../shared/store/key-rows.ts'
import type { KeyBundle, KeyRecord, MaterialRecord } from '../../../shared/store/records.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { openClient } from '../../../shared/store/store.ts'
import { keyOf, Table } from '../../../shared/store/table.ts'
import { DEFAULT_TABLE_PREFIX } from '../../../shared/store/tables.ts'
import type { TenantKey } from '../../../shared/tenants/tenant-keys.ts'
import { requireGoodPolicy } from './key-policies.ts'
import type { SeedKey, SeedTenant } from './seed.ts'

/** What AWS gives a key whose rotation is enabled without a period (EnableKeyRotation). */
const ROTATION_DAYS = 365

/**
 * @param tenant - whose key it is, and whose users exist by now
 * @throws StartProblem when there is a key of that id that is another one, and for a policy that
 *   CreateKey would not take
 */
export async function applyKey(
  tenant: SeedTenant,
  seed: SeedKey,
  services: Services,
): Promise<void> {
  const { region, keyId } = seed
  const present = await services.store.keys.get(tenant.account, region, keyId)
  if (present === null) await makeKey(tenant, seed, services)
  else await requireSame(present, seed, services)
}

async function makeKey(tenant: SeedTenant, seed: SeedKey, services: Services): Promise<void> {
  const plan = planOf(tenant.account, seed)
  if (seed.policy !== null) await requireGoodPolicy(seed.policy, plan, tenant, services)
  let made: FoundKey
  try {
    made = await writeSeeded(plan, seed, services)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    await removeRemains(plan, services)
    made = await writeSeeded(plan, seed, services).catch((again: unknown) => {
      if (!(again instanceof ConditionFailed)) throw again
      return seed.at.fail(`The key ${seed.keyId} cannot be made: a related key is elsewhere.`)
    })
  }
  if (seed.nextRotation !== null) await startRotation(made.key, seed.nextRotation, services)
}

const planOf = (account: AccountId, seed: SeedKey) => ({
  account,
  region: seed.region,
  keyId: seed.keyId,
  description: seed.description,
  keySpec: seed.keySpec,
  keyUsage: seed.keyUsage,
  origin: seed.origin,
  manager: 'CUSTOMER' as const,
  multiRegion: isMultiRegionKeyId(seed.keyId),
  tags: seed.tags,
  policy: seed.policy?.document ?? defaultKeyPolicy(account),
})

type Plan = ReturnType<typeof planOf>

async function writeSeeded(plan: Plan, seed: SeedKey, services: Services): Promise<FoundKey> {
  if (seed.materials.length === 0) return await createKey(plan, services)
  const tenantKey = await services.tenantKeys.current(plan.account)
  const draft = draftOf(plan, seed, tenantKey, services)
  const materials: MaterialRecord[] = []
  for (const [index, bytes] of seed.materials.entries()) {
    const materialId = await materialIdOf(draft, bytes, index + 1, services)
    const version = { number: index + 1, materialId, createdAt: draft.createdAt }
    const rotation = { date: draft.createdAt, type: 'ON_DEMAND' } as const
    const imported = { description: null, validTo: null }
    const facts = {
      ...version,
      ...(index === 0 ? {} : { rotation }),
      ...(seed.origin === 'EXTERNAL' ? { imported } : {}),
    }
    materials.push(wrapMaterial(tenantKey, draft, facts, Buffer.from(bytes)))
  }
  return await writeKey(draft, plan.policy, materials, services)
}

/** The ids of imported material follow from its key's identity key, so that one does from the material. */
function draftOf(plan: Plan, seed: SeedKey, tenantKey: TenantKey, { clock }: Services): KeyDraft {
  const draft = draftKey(plan, tenantKey, clock.now())
  const [first] = seed.materials
  if (draft.identityKey === null || first === undefined) return draft
  const identityKey = createHmac('sha256', first).update('keyhold seeded identity key').digest()
  return { ...draft, identityKey: wrapIdentityKey(tenantKey, draft, identityKey) }
}

async function materialIdOf(
  draft: KeyDraft,
  bytes: Buffer,
  number: number,
  { tenantKeys }: Services,
): Promise<MaterialId> {
  if (draft.identityKey !== null) {
    const key: KeyRecord = { ...draft, state: 'PendingImport', current: null }
    return await importedMaterialId(tenantKeys, key, bytes)
  }
  const { account, region, keyId } = draft
  const place = JSON.stringify(['keyhold seeded material id', account, region, keyId, number])
  const id = parseMaterialId(createHmac('sha256', bytes).update(place).digest('hex'))
  if (id === null) throw new TypeError('Not the form of a material id.')
  return id
}

/**
 * What a start that was cut short left of the key: rows without the key itself, which comes last and
 * makes it exist. Keys that are made by callers never meet theirs again, as their ids are random.
 */
async function removeRemains(plan: Plan, { store }: Services): Promise<void> {
  const related = await store.relatedKeys.get(plan.account, plan.keyId)
  if (related?.primary === plan.region && related.replicas.length === 0) {
    await store.relatedKeys.delete(related)
  }
  const client = openClient()
  try {
    const table = new Table(client, `${DEFAULT_TABLE_PREFIX}keys`)
    const { items } = await table.query({ partition: keyPartition(plan) })
    await table.deleteAll(items.map(keyOf))
  } finally {
    client.close()
  }
}

async function startRotation(
  key: KeyRecord,
  nextDate: number,
  { store, keys }: Services,
): Promise<void> {
  const automatic = { periodDays: ROTATION_DAYS, nextDate }
  const rotation = { automatic, onDemandSince: null, onDemandCount: 0, dueAt: nextDate, rev: 1 }
  await store.rotations.put(key, rotation, null)
  keys.forget(key)
}

/** The key may have been changed since, and rotated; its first material stays what the seed says. */
async function requireSame(
  { key, materials }: KeyBundle,
  { at, keySpec, keyUsage, origin, materials: wanted }: SeedKey,
  { tenantKeys }: Services,
): Promise<void> {
  const name = `The key ${key.keyId} of ${key.account} in the data directory`
  if (key.keySpec !== keySpec) at.fail(`${name} is of ${key.keySpec}.`)
  if (key.keyUsage !== keyUsage) at.fail(`${name} is for ${key.keyUsage}.`)
  if (key.origin !== origin) at.fail(`${name} is of origin ${key.origin}.`)
  for (const [index, bytes] of wanted.entries()) {
    const material = materials[index]
    if (material?.wrapped === null) continue // was imported, and is deleted or expired by now
    const stored = material && (await unwrapMaterial(tenantKeys, key, material))
    const isSame = stored?.length === bytes.length && timingSafeEqual(stored, bytes)
    stored?.fill(0)
    if (!isSame) at.fail(`${name} has other material.`)
  }
}
