/** The alias that a request is about to change, read strictly. */
import { JsonError } from '../errors.ts'
import { aliasArn } from '../ids.ts'
import { requireOwnAliasName } from '../keys/aliases.ts'
import type { AliasRecord } from '../store/records.ts'
import { ConditionFailed } from '../store/repositories.ts'
import { readKey } from './key-use.ts'
import type { Call, KeyUse } from './operation.ts'

const MAX_ATTEMPTS = 8

/** @throws JsonError NotFoundException when the caller's account has no such alias */
export async function requireAlias(name: string, call: Call): Promise<AliasRecord> {
  const { account } = call.caller
  const aliasName = requireOwnAliasName(name)
  const alias = await call.services.store.aliases.get(account, call.region, aliasName)
  if (alias === null) {
    const arn = aliasArn(call.region, account, aliasName)
    throw new JsonError('NotFoundException', `Alias ${arn} is not found.`)
  }
  return alias
}

/** The key that an alias points to now, in any state. */
export const targetOf = ({ account, targetKeyId }: AliasRecord, action: string): KeyUse => ({
  ...readKey('', action),
  name: { by: 'address', account, keyId: targetKeyId },
})

/**
 * One conditional write on the alias, tried again from a fresh read when somebody else was faster.
 * @throws JsonError NotFoundException when the alias is gone by now
 */
export async function changeAlias(
  name: string,
  call: Call,
  change: (alias: AliasRecord) => Promise<void>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const alias = await requireAlias(name, call)
    try {
      return await change(alias)
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
    } finally {
      call.services.keys.forgetAlias(alias)
    }
  }
}
