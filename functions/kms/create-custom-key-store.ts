import { createStore } from '../../shared/keys/custom-key-stores.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { keyStoreScope } from '../../shared/pipeline/key-store-scope.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import {
  auditedStore,
  customKeyStoreName,
  customKeyStoreType,
  keyStoreMembers,
  trustAnchorCertificate,
} from './custom-key-store-members.ts'

const request = structure({
  CustomKeyStoreName: required(customKeyStoreName),
  TrustAnchorCertificate: trustAnchorCertificate,
  CustomKeyStoreType: customKeyStoreType,
  ...keyStoreMembers,
})

export interface CreateCustomKeyStoreResponse {
  readonly CustomKeyStoreId: string
}

/** A custom key store over a CloudHSM cluster or an external key manager that can be reached. */
export const createCustomKeyStore: Operation<
  Input<typeof request>,
  CreateCustomKeyStoreResponse
> = {
  service: 'kms',
  name: 'CreateCustomKeyStore',
  input: request,
  readOnly: false,
  permissions: () => [{ action: 'kms:CreateCustomKeyStore', resource: null }],
  async run({ CustomKeyStoreName, ...members }, _keys, call) {
    return { CustomKeyStoreId: await createStore(keyStoreScope(call), CustomKeyStoreName, members) }
  },
  audit: {
    requestParameters: ({ CustomKeyStoreName, ...members }) => ({
      customKeyStoreName: CustomKeyStoreName,
      ...auditedStore(members),
    }),
    responseElements: ({ CustomKeyStoreId }) => ({ customKeyStoreId: CustomKeyStoreId }),
  },
}

export const handler = jsonHandler(createCustomKeyStore)
