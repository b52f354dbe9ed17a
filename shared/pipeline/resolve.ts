/** From what a request calls a key to the key. */
import { type AccountId, aliasArn, type KeyArn, keyArn } from '../ids.ts'
import { parseKeyReference } from '../keys/key-reference.ts'
import { type FoundKey, referenceMissing } from '../keys/keys.ts'
import type { Call, KeyUse } from './operation.ts'

/** A key, or the place where none is and of which the caller is told no more than "denied". */
export interface Resolved {
  readonly found: FoundKey | null
  /** Of the key; of the alias when there is no key. */
  readonly arn: string
  readonly account: AccountId
}

/**
 * @throws JsonError when the name is malformed, or when the caller's own account has no such key
 */
export async function resolveKey(use: KeyUse, call: Call): Promise<Resolved> {
  const fresh = use.cached !== true
  if (use.name.by === 'address') {
    const { account, keyId } = use.name
    const arn = keyArn(call.region, account, keyId)
    const bundle = await call.services.keys.get(account, call.region, keyId, fresh)
    return { found: bundle && { bundle, key: bundle.key, arn, requestAlias: null }, arn, account }
  }
  const vantage = { account: call.caller.account, region: call.region }
  const reference = parseKeyReference(use.name.text, vantage, use.name.aliases)
  const found = await call.services.keys.find(reference, call.region, fresh)
  const { account } = reference
  if (found === null && account === call.caller.account) {
    throw referenceMissing(reference, call.region)
  }
  const arn: KeyArn | string =
    found?.arn ??
    (reference.by === 'id'
      ? keyArn(call.region, account, reference.keyId)
      : aliasArn(call.region, account, reference.aliasName))
  return { found, arn, account }
}

/**
 * A key of the caller's own account, for an operation that only mentions it.
 * @param text - key id or key ARN
 * @throws JsonError NotFoundException or InvalidArnException
 */
export async function resolveOwnKey(text: string, call: Call): Promise<FoundKey> {
  const vantage = { account: call.caller.account, region: call.region }
  const reference = parseKeyReference(text, vantage, false)
  const own = reference.account === call.caller.account
  const found = own ? await call.services.keys.find(reference, call.region, true) : null
  if (found === null) throw referenceMissing(reference, call.region)
  return found
}
