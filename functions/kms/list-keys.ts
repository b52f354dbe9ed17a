import { keyArn } from '../../shared/ids.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { limit, marker } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Listed, listPage } from '../../shared/pipeline/paging.ts'
import { type Input, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ Limit: limit, Marker: marker })

export interface ListKeysResponse extends Listed {
  readonly Keys: readonly { readonly KeyId: string; readonly KeyArn: string }[]
}

/** The keys of the caller's account in the Region, in a stable order. */
export const listKeys: Operation<Input<typeof request>, ListKeysResponse> = {
  service: 'kms',
  name: 'ListKeys',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'kms:ListKeys', resource: null }],
  async run(input, _keys, call) {
    const { account } = call.caller
    const { items, ...listed } = await listPage(
      call,
      { operation: 'ListKeys', parameters: [], page: input, defaultLimit: 100, maxLimit: 1000 },
      (size, after) => call.services.store.keys.list(account, call.region, size, after),
    )
    const entry = (keyId: (typeof items)[number]) => ({
      KeyId: keyId,
      KeyArn: keyArn(call.region, account, keyId),
    })
    return { Keys: items.map(entry), ...listed }
  },
  audit: { requestParameters: ({ Limit }) => ({ limit: Limit }) },
}

export const handler = jsonHandler(listKeys)
