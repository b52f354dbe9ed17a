import { aliasArn } from '../../shared/ids.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyIdentifier, limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { resolveOwnKey } from '../../shared/pipeline/resolve.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'
import type { AliasRecord } from '../../shared/store/records.ts'

const request = structure({ KeyId: keyIdentifier, Limit: limit, Marker: marker })

export interface ListAliasesResponse extends Listed {
  readonly Aliases: readonly {
    readonly AliasName: string
    readonly AliasArn: string
    readonly TargetKeyId: string
    readonly CreationDate: Date
    readonly LastUpdatedDate: Date
  }[]
}

/** The aliases of the caller's account in the Region, or those of one key, by name. */
export const listAliases: Operation<Input<typeof request>, ListAliasesResponse> = {
  service: 'kms',
  name: 'ListAliases',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'kms:ListAliases', resource: null }],
  async run(input, _keys, call) {
    const { account } = call.caller
    const { aliases } = call.services.store
    const key = input.KeyId === undefined ? null : (await resolveOwnKey(input.KeyId, call)).key
    const { items, ...listed } = await listPage(
      call,
      {
        operation: 'ListAliases',
        parameters: key === null ? [] : [key.keyId],
        page: input,
        defaultLimit: 50,
        maxLimit: 100,
      },
      (size, after) =>
        key === null
          ? aliases.list(account, call.region, size, after)
          : aliases.listOfKey(account, call.region, key.keyId, size, after),
    )
    return { Aliases: items.map(entry), ...listed }
  },
  audit: { requestParameters: ({ KeyId, Limit }) => ({ keyId: KeyId, limit: Limit }) },
}

const entry = (alias: AliasRecord): ListAliasesResponse['Aliases'][number] => ({
  AliasName: alias.aliasName,
  AliasArn: aliasArn(alias.region, alias.account, alias.aliasName),
  TargetKeyId: alias.targetKeyId,
  CreationDate: new Date(alias.createdAt),
  LastUpdatedDate: new Date(alias.updatedAt),
})

export const handler = jsonHandler(listAliases)
