import { deleteStore } from '../../shared/keys/custom-key-stores.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import { customKeyStoreId } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ CustomKeyStoreId: required(customKeyStoreId) })

/** Removes a disconnected custom key store, not what stands behind it. */
export const deleteCustomKeyStore: Operation<
  Input<typeof request>,
  Readonly<Record<string, never>>
> = {
  service: 'kms',
  name: 'DeleteCustomKeyStore',
  input: request,
  readOnly: false,
  permissions: () => [{ action: 'kms:DeleteCustomKeyStore', resource: null }],
  async run({ CustomKeyStoreId }, _keys, call) {
    await deleteStore(keyStoreScope(call), CustomKeyStoreId)
    return {}
  },
  audit: { requestParameters: ({ CustomKeyStoreId }) => ({ customKeyStoreId: CustomKeyStoreId }) },
}

export const handler = jsonHandler(deleteCustomKeyStore)
