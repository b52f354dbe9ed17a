import { aliasArn } from '../../shared/ids.ts'
import { requireOwnAliasName } from '../../shared/keys/aliases.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changeAlias, requireAlias, targetOf } from '../../shared/pipeline/alias-lookup.ts'
import { aliasNameMember } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ AliasName: required(aliasNameMember) })

/** Takes the name away; the key stays as it is. */
export const deleteAlias: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'DeleteAlias',
  input: request,
  readOnly: false,
  permissions({ AliasName }, { caller, region }) {
    const arn = aliasArn(region, caller.account, requireOwnAliasName(AliasName))
    return [{ action: 'kms:DeleteAlias', resource: arn }]
  },
  keys: async ({ AliasName }, call) => ({
    key: targetOf(await requireAlias(AliasName, call), 'kms:DeleteAlias'),
  }),
  run: ({ AliasName }, { key }, call) =>
    changeAlias(AliasName, key.key.keyId, call, (alias) =>
      call.services.store.aliases.delete(alias),
    ),
  audit: { requestParameters: ({ AliasName }) => ({ aliasName: AliasName }) },
}

export const handler = jsonHandler(deleteAlias)
