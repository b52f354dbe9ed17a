/** What an alias may be called and how many a key may have (AWS KMS Developer Guide, "Aliases"). */
import { JsonError } from '../errors.ts'
import { type AliasName, aliasNameOf } from '../ids.ts'
import type { KeyRecord } from '../store/records.ts'
import type { AliasRepository, KeyName } from '../store/repositories.ts'
import { keySpec } from './key-specs.ts'

export const MAX_ALIASES_PER_KEY = 50

const PREFIX = 'alias/'
const RESERVED_PREFIX = 'alias/aws/'
const ALLOWED = /^alias\/[a-zA-Z0-9/_-]+$/

/** Whether only AWS services, and what stands for them here, have aliases of that name. */
export const isReservedAlias = (text: string): boolean => text.startsWith(RESERVED_PREFIX)

/**
 * @param text - as it came in a request that writes the alias
 * @throws JsonError ValidationException, or NotAuthorizedException for a name that AWS services own
 */
export function requireOwnAliasName(text: string): AliasName {
  if (!text.startsWith(PREFIX) || text === PREFIX) {
    throw new JsonError(
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
  }
  if (isReservedAlias(text)) throw new JsonError('NotAuthorizedException')
  if (!ALLOWED.test(text)) {
    throw new JsonError('ValidationException', `${text} contains invalid characters for an alias`)
  }
  return aliasNameOf(text)
}

/** @throws JsonError ValidationException when the target of an alias is named by an alias */
export function refuseAliasTarget(target: string): void {
  if (target.startsWith(PREFIX) || /^arn:[^:]*:kms:[^:]*:[^:]*:alias\//.test(target)) {
    throw new JsonError('ValidationException', 'Aliases must refer to keys. Not aliases')
  }
}

/**
 * @param key - that is to get one more
 * @throws JsonError LimitExceededException when it has as many as a key may have
 * @throws StoreUnavailable
 */
export async function requireRoomForAlias(
  { account, region, keyId }: KeyName,
  aliases: Pick<AliasRepository, 'listOfKey'>,
): Promise<void> {
  const { items } = await aliases.listOfKey(account, region, keyId, MAX_ALIASES_PER_KEY, null)
  if (items.length < MAX_ALIASES_PER_KEY) return
  throw new JsonError(
    'LimitExceededException',
    `Aliases per key quota for this account in this region is ${MAX_ALIASES_PER_KEY}, current usage is ${items.length}.`,
  )
}

/**
 * Whether an alias may move from one key to the other: both symmetric, both asymmetric or both for
 * MACs, and of the same usage (AWS KMS API reference, "UpdateAlias").
 * @throws JsonError ValidationException
 */
export function requireSameKind(from: KeyRecord, to: KeyRecord): void {
  if (from.keyUsage !== to.keyUsage) throw otherKind('usage', from.keyUsage, to.keyUsage)
  if (keySpec(from.keySpec).family === keySpec(to.keySpec).family) return
  throw otherKind('spec', from.keySpec, to.keySpec)
}

const otherKind = (of: string, from: string, to: string): JsonError =>
  new JsonError(
    'ValidationException',
    `Alias can not be changed from a key with ${of} ${from} to a key with ${of} ${to}`,
  )
