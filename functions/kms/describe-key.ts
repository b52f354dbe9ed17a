import { type KeyMetadata, keyMetadata } from '../../shared/keys/key-metadata.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { grantTokens, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), GrantTokens: grantTokens })

export interface DescribeKeyResponse {
  readonly KeyMetadata: KeyMetadata
}

/** What there is to know of a key, in any state, but its policy, tags and aliases. */
export const describeKey: Operation<Input<typeof request>, DescribeKeyResponse, 'key'> = {
  service: 'kms',
  name: 'DescribeKey',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({
    key: {
      ...readKey(KeyId, 'kms:DescribeKey'),
      name: { by: 'identifier', text: KeyId, aliases: true },
    },
  }),
  run: (_input, { key }) => ({ KeyMetadata: keyMetadata(key) }),
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(describeKey)
