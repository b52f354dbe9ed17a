/** From what a request calls a key to the key. */
import { keyArn } from '../ids.ts'
import { parseKeyReference } from '../keys/key-reference.ts'
import { type FoundKey, referenceMissing } from '../keys/keys.ts'
import type { Call, KeyUse } from './operation.ts'

/**
 * @returns `null` for a key that is not there and of which the caller is to be told no more than
 *   that access is denied: one of another account, or one that only a ciphertext names
 * @throws JsonError when the name is malformed, or when the caller's own account has no such key
 */
export async function resolveKey(use: KeyUse, call: Call): Promise<FoundKey | null> {
  const { keys } = call.services
  const fresh = use.cached !== true
  if (use.name.by === 'address') {
    const { account, keyId } = use.name
    const bundle = await keys.get(account, call.region, keyId, fresh)
    if (bundle === null) return null
    return { bundle, key: bundle.key, arn: keyArn(call.region, account, keyId), requestAlias: null }
  }
  const vantage = { account: call.caller.account, region: call.region }
  const reference = parseKeyReference(use.name.text, vantage, use.name.aliases)
  const found = await keys.find(reference, call.region, fresh)
  if (found === null && reference.account === call.caller.account) {
    throw referenceMissing(reference, call.region)
  }
  return found
}
