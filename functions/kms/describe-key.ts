import { type KeyMetadata, keyMetadata } from '../../shared/keys/key-metadata.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { grantTokens, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { KeyUse, Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { makeManagedKey } from './managed-alias.ts'

const request = structure({ KeyId: required(keyIdentifier), GrantTokens: grantTokens })

export interface DescribeKeyResponse {
  readonly KeyMetadata: KeyMetadata
}

/**
 * What there is to know of a key, in any state, but its policy, tags and aliases. Asked about
 * `alias/aws/s3`, it makes the managed key that is not there yet, as AWS's does.
 */
export const describeKey: Operation<Input<typeof request>, DescribeKeyResponse, 'key'> = {
  service: 'kms',
  name: 'DescribeKey',
  input: request,
  readOnly: true,
  async keys({ KeyId }, call) {
    const key: KeyUse = {
      ...readKey(KeyId, 'kms:DescribeKey'),
      name: { by: 'identifier', text: KeyId, aliases: true },
    }
    await makeManagedKey(key, call)
    return { key }
  },
  run: (_input, { key }) => ({ KeyMetadata: keyMetadata(key) }),
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(describeKey)
