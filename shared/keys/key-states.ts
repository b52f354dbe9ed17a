/**
 * What each key state allows (AWS KMS Developer Guide, "Key states of AWS KMS keys", with the texts
 * of the live service). An operation names one of these rules; the pipeline applies it.
 */
import { JsonError } from '../errors.ts'
import type { KeyArn } from '../ids.ts'
import type { KeyRecord } from '../store/records.ts'

export type KeyState = KeyRecord['state']
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

/** Encrypt, Decrypt, GenerateDataKey and their kin. */
export const cryptographic: StateRule = {
  Disabled: disabled,
  PendingDeletion: pendingDeletion,
  PendingImport: pendingImport,
}

/** Reading metadata, policy, tags and rotation status. */
export const readable: StateRule = {}

/** Tags, description, aliases, scheduling of deletion. */
export const changeable: StateRule = { PendingDeletion: pendingDeletion }

/** EnableKey and DisableKey. */
export const switchable: StateRule = {
  PendingDeletion: pendingDeletion,
  PendingImport: pendingImport,
}

/** CancelKeyDeletion. */
export const cancellable: StateRule = {
  Enabled: notPendingDeletion,
  Disabled: notPendingDeletion,
  PendingImport: notPendingDeletion,
}

/** @throws JsonError DisabledException or KMSInvalidStateException when the rule refuses the key's state */
export function requireState(key: KeyRecord, arn: KeyArn, rule: StateRule): void {
  const refusal = rule[key.state]
  if (refusal !== undefined) throw refusal(arn)
}
