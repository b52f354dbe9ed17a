/**
 * What state a key is in, and what each state allows (AWS KMS Developer Guide, "Key states of AWS KMS keys", with the texts
 * of the live service). An operation names one of these rules; the pipeline applies it.
 */
import { JsonError } from '../errors.ts'
import type { KeyArn } from '../ids.ts'
import type { ImportedMaterial, KeyBundle, KeyRecord, MaterialRecord } from '../store/records.ts'

export type KeyState = KeyRecord['state'] | 'Creating' | 'Updating' | 'Unavailable'
/** Per state that refuses: which error it gives. A state that is not named allows. */
export type StateRule = Readonly<Partial<Record<KeyState, (arn: KeyArn) => JsonError>>>

const disabled = (arn: KeyArn): JsonError =>
  new JsonError('DisabledException', `${arn} is disabled.`)
const pendingDeletion = (arn: KeyArn): JsonError =>
  new JsonError('KMSInvalidStateException', `${arn} is pending deletion.`)
const pendingImport = (arn: KeyArn): JsonError =>
  new JsonError('KMSInvalidStateException', `${arn} is pending import.`)
const notPendingDeletion = (arn: KeyArn): JsonError =>
  new JsonError('KMSInvalidStateException', `${arn} is not pending deletion.`)

const stateIs =
  (words: string) =>
  (arn: KeyArn): JsonError =>
    new JsonError('KMSInvalidStateException', `${arn} is ${words}.`)
const pendingReplicaDeletion = stateIs('pending replica deletion')
const creating = stateIs('creating')
const updating = stateIs('updating')
const unavailable = stateIs('unavailable')

const beingDeleted: StateRule = {
  PendingDeletion: pendingDeletion,
  PendingReplicaDeletion: pendingReplicaDeletion,
}

/** Encrypt, Decrypt, GenerateDataKey and their kin. */
export const cryptographic: StateRule = {
  ...beingDeleted,
  Disabled: disabled,
  PendingImport: pendingImport,
  Creating: creating,
  Unavailable: unavailable,
}

/** GetPublicKey: a disabled key still shows its public half. */
export const publicKeyReadable: StateRule = {
  ...beingDeleted,
  PendingImport: pendingImport,
  Creating: creating,
}

/** CreateGrant. */
export const grantable: StateRule = {
  ...beingDeleted,
  Disabled: disabled,
  PendingImport: pendingImport,
  Creating: creating,
}

/** EnableKeyRotation, DisableKeyRotation and RotateKeyOnDemand. */
export const rotatable: StateRule = {
  ...beingDeleted,
  Disabled: disabled,
  PendingImport: pendingImport,
  Creating: creating,
}

/** GetParametersForImport. */
export const importable: StateRule = { ...beingDeleted, Creating: creating, Updating: updating }

/** ImportKeyMaterial. */
export const materialImportable: StateRule = { ...beingDeleted, Creating: creating }

/** DeleteImportedKeyMaterial. */
export const materialDeletable: StateRule = { Creating: creating, Updating: updating }

/** ReplicateKey. */
export const replicable: StateRule = {
  ...beingDeleted,
  Disabled: disabled,
  PendingImport: pendingImport,
  Creating: creating,
  Updating: updating,
}

/** UpdatePrimaryRegion, for both keys. */
export const promotable: StateRule = {
  ...beingDeleted,
  Disabled: disabled,
  PendingImport: pendingImport,
  Creating: creating,
}

/** ScheduleKeyDeletion. */
export const deletable: StateRule = { ...beingDeleted, Updating: updating }

/** Reading metadata, policy, tags and rotation status. */
export const readable: StateRule = {}

/** Tags, description, aliases. */
export const changeable: StateRule = beingDeleted

/** EnableKey and DisableKey. */
export const switchable: StateRule = {
  ...beingDeleted,
  PendingImport: pendingImport,
  Creating: creating,
  Updating: updating,
}

/** CancelKeyDeletion. */
export const cancellable: StateRule = {
  Enabled: notPendingDeletion,
  Disabled: notPendingDeletion,
  PendingImport: notPendingDeletion,
  Creating: notPendingDeletion,
  Updating: notPendingDeletion,
  Unavailable: notPendingDeletion,
}

/** @throws JsonError DisabledException or KMSInvalidStateException when the rule refuses the state */
export function requireState(state: KeyState, arn: KeyArn, rule: StateRule): void {
  const refusal = rule[state]
  if (refusal !== undefined) throw refusal(arn)
}

/** How long both keys of a set show as Updating when one of them becomes the primary. */
export const UPDATING_MS = 1000

/**
 * The state that a key is in at a moment. What depends on time alone is not stored: a replica is
 * there after a while, and imported material is over at its date, whether or not a schedule ran. A
 * clock that was set back keeps no key in a state that passes.
 * @param now - milliseconds since the epoch
 */
export function keyState(bundle: KeyBundle, now: number): KeyState {
  const { key, related } = bundle
  if (key.state === 'PendingDeletion' || key.state === 'PendingReplicaDeletion') return key.state
  if (key.creatingUntil !== null && key.createdAt <= now && now < key.creatingUntil) {
    return 'Creating'
  }
  if (isMaterialMissing(bundle, now)) return 'PendingImport'
  if (key.state !== 'Enabled' || related?.updating == null) return key.state
  const { until, regions } = related.updating
  const isUpdating = until - UPDATING_MS <= now && now < until
  return isUpdating && regions.includes(key.region) ? 'Updating' : key.state
}

/** Whether any material of the key's history was deleted or has expired: then nothing works. */
export function isMaterialMissing(bundle: KeyBundle, now: number): boolean {
  if (bundle.key.origin !== 'EXTERNAL') return false
  const used = usedMaterials(bundle)
  return (
    used.length === 0 ||
    used.some(({ wrapped, imported }) => wrapped === null || isOver(imported, now))
  )
}

/** The material of a key's history: what waits for its first use is not part of it. Oldest first. */
export function usedMaterials({
  key,
  materials,
}: Pick<KeyBundle, 'key' | 'materials'>): readonly MaterialRecord[] {
  const current = materials.find(({ materialId }) => materialId === key.current)
  return current === undefined ? [] : materials.filter(({ number }) => number <= current.number)
}

const isOver = (imported: ImportedMaterial | null, now: number): boolean =>
  imported !== null && imported.validTo !== null && imported.validTo <= now
