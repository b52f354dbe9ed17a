import { aliasArn } from '../../shared/ids.ts'
import {
  refuseAliasTarget,
  requireOwnAliasName,
  requireRoomForAlias,
  requireSameKind,
} from '../../shared/keys/aliases.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changeAlias, requireAlias, targetOf } from '../../shared/pipeline/alias-lookup.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { aliasNameMember, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  AliasName: required(aliasNameMember),
  TargetKeyId: required(keyIdentifier),
})

/** Gives an alias to another key of the same kind and usage. */
export const updateAlias: Operation<Input<typeof request>, void, 'old' | 'new'> = {
  service: 'kms',
  name: 'UpdateAlias',
  input: request,
  readOnly: false,
  permissions({ AliasName, TargetKeyId }, { caller, region }) {
    const aliasName = requireOwnAliasName(AliasName)
    refuseAliasTarget(TargetKeyId)
    return [{ action: 'kms:UpdateAlias', resource: aliasArn(region, caller.account, aliasName) }]
  },
  keys: async ({ AliasName, TargetKeyId }, call) => ({
    old: targetOf(await requireAlias(AliasName, call), 'kms:UpdateAlias'),
    new: changedKey(TargetKeyId, 'kms:UpdateAlias'),
  }),
  check: (_input, keys) => requireSameKind(keys.old.key, keys.new.key),
  async run({ AliasName }, keys, call) {
    const { aliases } = call.services.store
    const isOther = keys.new.key.keyId !== keys.old.key.keyId
    if (isOther) await requireRoomForAlias(keys.new.key, aliases)
    await changeAlias(AliasName, keys.old.key.keyId, call, (alias) =>
      aliases.update(
        {
          ...alias,
          targetKeyId: keys.new.key.keyId,
          updatedAt: call.services.clock.now(),
          rev: alias.rev + 1,
        },
        alias.rev,
      ),
    )
  },
  audit: {
    requestParameters: ({ AliasName, TargetKeyId }) => ({
      aliasName: AliasName,
      targetKeyId: TargetKeyId,
    }),
  },
}

export const handler = jsonHandler(updateAlias)
