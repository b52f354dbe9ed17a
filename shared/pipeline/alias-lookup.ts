/** The alias that a request is about to change, read strictly. */
import { JsonError } from '../errors.ts'
import { aliasArn, type KeyId } from '../ids.ts'
import { requireOwnAliasName } from '../keys/aliases.ts'
import type { AliasRecord } from '../store/records.ts'
import { readKey } from './key-use.ts'
import type { Call, KeyUse } from './operation.ts'
import { overtaken, unlessOvertaken } from './overtaken.ts'

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
 * One conditional write on the alias as it is now.
 * @param target - the key that the caller was authorized to take the alias from
 * @throws JsonError NotFoundException when the alias is gone by now; Overtaken when it has another
 *   target, or when somebody else changes it at the same time
 */
export async function changeAlias(
  name: string,
  target: KeyId,
  call: Call,
  change: (alias: AliasRecord) => Promise<void>,
): Promise<void> {
  const alias = await requireAlias(name, call)
  if (alias.targetKeyId !== target) throw overtaken()
  try {
    await unlessOvertaken(change(alias))
  } finally {
    call.services.keys.forgetAlias(alias)
  }
}
