import { JsonError } from '../../shared/errors.ts'
import { aliasArn } from '../../shared/ids.ts'
import {
  refuseAliasTarget,
  requireOwnAliasName,
  requireRoomForAlias,
} from '../../shared/keys/aliases.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { aliasNameMember, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'

const request = structure({
  AliasName: required(aliasNameMember),
  TargetKeyId: required(keyIdentifier),
})

/** Gives a key a name that can later be given to another key. */
export const createAlias: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'CreateAlias',
  input: request,
  readOnly: false,
  permissions({ AliasName, TargetKeyId }, { caller, region }) {
    const aliasName = requireOwnAliasName(AliasName)
    refuseAliasTarget(TargetKeyId)
    return [{ action: 'kms:CreateAlias', resource: aliasArn(region, caller.account, aliasName) }]
  },
  keys: ({ TargetKeyId }) => ({ key: changedKey(TargetKeyId, 'kms:CreateAlias') }),
  async run({ AliasName }, { key }, { services, region }) {
    const { account, keyId } = key.key
    const { aliases } = services.store
    await requireRoomForAlias(key.key, aliases)
    const now = services.clock.now()
    const aliasName = requireOwnAliasName(AliasName)
    const alias = {
      account,
      region,
      aliasName,
      targetKeyId: keyId,
      createdAt: now,
      updatedAt: now,
      rev: 1,
    }
    try {
      await aliases.create(alias)
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      throw new JsonError(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(region, account, aliasName)} already exists`,
      )
    } finally {
      services.keys.forgetAlias(alias)
    }
  },
  audit: {
    requestParameters: ({ AliasName, TargetKeyId }) => ({
      aliasName: AliasName,
      targetKeyId: TargetKeyId,
    }),
  },
}

export const handler = jsonHandler(createAlias)
