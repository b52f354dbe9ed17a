import { updateStore } from '../../shared/keys/custom-key-stores.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import { customKeyStoreId } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { auditedStore, customKeyStoreName, keyStoreMembers } from './custom-key-store-members.ts'

const request = structure({
  CustomKeyStoreId: required(customKeyStoreId),
  NewCustomKeyStoreName: customKeyStoreName,
  ...keyStoreMembers,
})

/** Gives a custom key store another name, secret, cluster or proxy. */
export const updateCustomKeyStore: Operation<
  Input<typeof request>,
  Readonly<Record<string, never>>
> = {
  service: 'kms',
  name: 'UpdateCustomKeyStore',
  input: request,
  readOnly: false,
  permissions: () => [{ action: 'kms:UpdateCustomKeyStore', resource: null }],
  async run({ CustomKeyStoreId, NewCustomKeyStoreName, ...members }, _keys, call) {
    await updateStore(keyStoreScope(call), CustomKeyStoreId, NewCustomKeyStoreName, members)
    return {}
  },
  audit: {
    requestParameters: ({ CustomKeyStoreId, NewCustomKeyStoreName, ...members }) => ({
      customKeyStoreId: CustomKeyStoreId,
      newCustomKeyStoreName: NewCustomKeyStoreName,
      ...auditedStore(members),
    }),
  },
}

export const handler = jsonHandler(updateCustomKeyStore)
