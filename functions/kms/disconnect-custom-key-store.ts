import { disconnectStore } from '../../shared/keys/custom-key-stores.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import { customKeyStoreId } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ CustomKeyStoreId: required(customKeyStoreId) })

/** Begins to disconnect a custom key store; its keys cannot be used until it is connected again. */
export const disconnectCustomKeyStore: Operation<
  Input<typeof request>,
  Readonly<Record<string, never>>
> = {
  service: 'kms',
  name: 'DisconnectCustomKeyStore',
  input: request,
  readOnly: false,
  permissions: () => [{ action: 'kms:DisconnectCustomKeyStore', resource: null }],
  async run({ CustomKeyStoreId }, _keys, call) {
    await disconnectStore(keyStoreScope(call), CustomKeyStoreId)
    return {}
  },
  audit: { requestParameters: ({ CustomKeyStoreId }) => ({ customKeyStoreId: CustomKeyStoreId }) },
}

export const handler = jsonHandler(disconnectCustomKeyStore)
