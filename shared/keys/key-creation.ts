/** Making keys: with random material, with given material, or without any until it is imported. */
import type { Clock } from '../clock.ts'
import type { AccountId, KeyId, Region } from '../ids.ts'
import type {
  KeyOrigin,
  KeyRecord,
  KeySpec,
  KeyUsage,
  MaterialRecord,
  Tag,
} from '../store/records.ts'
import type { KeyRepository, RelatedKeysRepository } from '../store/repositories.ts'
import type { TenantKey, TenantKeys } from '../tenants/tenant-keys.ts'
import { createIdentityKey } from './imported-material.ts'
import type { FoundKey, Keys } from './keys.ts'
import { createMaterial } from './material.ts'

export interface KeyCreationServices {
  readonly clock: Clock
  readonly keys: Keys
  readonly tenantKeys: TenantKeys
  readonly store: { readonly keys: KeyRepository; readonly relatedKeys: RelatedKeysRepository }
}

/** What a new key is to be. */
export interface KeyPlan {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  readonly description: string
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: KeyOrigin
  readonly manager: 'CUSTOMER' | 'AWS'
  readonly multiRegion: boolean
  readonly tags: readonly Tag[]
  /** The key policy's text, checked. */
  readonly policy: string
}

/** The fields of a new key's record, but its state and material. */
export type KeyDraft = Omit<KeyRecord, 'state' | 'current'>

/**
 * Makes a key: Enabled with its first material, or PendingImport when its origin is EXTERNAL.
 * @throws StoreUnavailable, TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function createKey(plan: KeyPlan, services: KeyCreationServices): Promise<FoundKey> {
  const tenantKey = await services.tenantKeys.current(plan.account)
  const draft = draftKey(plan, tenantKey, services.clock.now())
  const materials =
    plan.origin === 'EXTERNAL' ? [] : [await createMaterial(tenantKey, draft, 1, draft.createdAt)]
  return await writeKey(draft, plan.policy, materials, services)
}

/** @param now - milliseconds since the epoch */
export function draftKey(plan: KeyPlan, tenantKey: TenantKey, now: number): KeyDraft {
  const { policy: _policy, ...fields } = plan
  return {
    ...fields,
    createdAt: now,
    creatingUntil: null,
    identityKey: plan.origin === 'EXTERNAL' ? createIdentityKey(tenantKey, plan) : null,
    stateEpoch: 1,
    rev: 1,
  }
}

/**
 * Writes a key that was not there. The set of a multi-Region key comes first: without its key it
 * means nothing.
 * @param materials - oldest first; the last is the current one; none: the key waits for import
 * @throws ConditionFailed when there is a key with this id
 */
export async function writeKey(
  draft: KeyDraft,
  policy: string,
  materials: readonly MaterialRecord[],
  { store, keys }: Pick<KeyCreationServices, 'store' | 'keys'>,
): Promise<FoundKey> {
  const { account, region, keyId, multiRegion } = draft
  const current = materials.at(-1)?.materialId
  const key: KeyRecord =
    current === undefined
      ? { ...draft, state: 'PendingImport', current: null }
      : { ...draft, state: 'Enabled', current }
  const related = multiRegion
    ? { account, keyId, primary: region, replicas: [], updating: null, rev: 1 }
    : null
  if (related !== null) await store.relatedKeys.put(related, null)
  const created = { key, policy: { document: policy, rev: 1 }, materials }
  await store.keys.create(created)
  keys.forget(key)
  return keys.found({ ...created, rotation: null, lastUsage: null, related })
}
