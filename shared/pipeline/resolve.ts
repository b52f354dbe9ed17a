/** From what a request calls a key to the key. */
import type { JsonError } from '../errors.ts'
import {
  type AccountId,
  aliasArn,
  isMultiRegionKeyId,
  keyArn,
  parseRegion,
  type Region,
} from '../ids.ts'
import { type KeyReference, parseKeyReference } from '../keys/key-reference.ts'
import { type FoundKey, referenceMissing } from '../keys/keys.ts'
import { incorrectKey } from './incorrect-key.ts'
import type { Call, KeyName, KeyUse } from './operation.ts'

/** A key, or the place where none is. */
export interface Resolved {
  readonly found: FoundKey | null
  readonly account: AccountId
  /** What the request named, told without looking: ARN of the key, or of the alias. */
  readonly named: string
  readonly requestAlias: string | null
  /** What somebody who might use the key is told when there is none; `null`: no more than "denied". */
  readonly missing: JsonError | null
}

/**
 * Finds the key that a request names. Whether there is one is for `authorizeKey` to tell.
 * @throws JsonError when the name is malformed, of another Region, or an alias where none is taken
 */
export async function resolveKey({ name, cached }: KeyUse, call: Call): Promise<Resolved> {
  const fresh = cached !== true
  const { caller, region } = call
  if (name.by === 'address') {
    const { account, keyId } = name
    const arn = keyArn(region, account, keyId)
    const bundle = await call.services.keys.get(account, region, keyId, fresh)
    const found = bundle && call.services.keys.found(bundle)
    return { found, account, named: arn, requestAlias: null, missing: null }
  }
  if (isRelatedElsewhere(name, region)) throw incorrectKey()
  const reference = parseKeyReference(name.text, { account: caller.account, region }, name.aliases)
  const { account } = reference
  const found = await call.services.keys.find(reference, region, fresh)
  const isOwn = account === caller.account
  return {
    found,
    account,
    ...asNamed(reference, call),
    missing: found === null && isOwn ? referenceMissing(reference, region) : null,
  }
}

const asNamed = (reference: KeyReference, { region }: Call) =>
  reference.by === 'id'
    ? { named: keyArn(region, reference.account, reference.keyId), requestAlias: null }
    : {
        named: aliasArn(region, reference.account, reference.aliasName),
        requestAlias: reference.aliasName,
      }

/**
 * Whether a request names the key of its ciphertext by the ARN that a related key of another Region
 * has. That is told from the request alone, so it says nothing of what keys there are.
 */
function isRelatedElsewhere(
  { text, ciphertextKey }: KeyName & { by: 'identifier' },
  here: Region,
): boolean {
  const region = parseRegion(text.split(':')[3] ?? '')
  if (ciphertextKey === undefined || region === null || region === here) return false
  const { account, keyId } = ciphertextKey
  return isMultiRegionKeyId(keyId) && text === keyArn(region, account, keyId)
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
