/** Whether two names lead to one key, for the condition `kms:ReEncryptOnSameKey`. */
import { keyArn } from '../ids.ts'
import { type KeyReference, parseKeyReference } from '../keys/key-reference.ts'
import type { Call, KeyName } from './operation.ts'

/**
 * Compares key ARNs, as AWS does: related multi-Region keys are different ones.
 * @returns `false` too for names that lead nowhere: what is wrong with them is told when they are used
 */
export async function isSameKey(one: KeyName, other: KeyName, call: Call): Promise<boolean> {
  const arn = await arnOf(one, call)
  return arn !== null && arn === (await arnOf(other, call))
}

async function arnOf(name: KeyName, call: Call): Promise<string | null> {
  const { services, region } = call
  const reference = name.by === 'address' ? name : referenceOf(name, call)
  if (reference === null) return null
  if (reference.by !== 'alias') return keyArn(region, reference.account, reference.keyId)
  return (await services.keys.find(reference, region, false))?.arn ?? null
}

function referenceOf(
  { text, aliases }: KeyName & { readonly by: 'identifier' },
  { caller, region }: Call,
): KeyReference | null {
  try {
    return parseKeyReference(text, { account: caller.account, region }, aliases)
  } catch {
    return null
  }
}
