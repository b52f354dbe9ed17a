import {
  encryptUnder,
  requireSymmetricAlgorithm,
  SYMMETRIC_ALGORITHM,
} from '../../shared/keys/symmetric.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import {
  encryptionAlgorithm,
  grantTokens,
  keyIdentifier,
  plaintext,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  Plaintext: required(plaintext),
  EncryptionContext: stringMap,
  GrantTokens: grantTokens,
  EncryptionAlgorithm: encryptionAlgorithm,
  DryRun: boolean,
})

export interface EncryptResponse {
  readonly CiphertextBlob: Buffer
  readonly KeyId: string
  readonly EncryptionAlgorithm: string
}

/** Encrypts 1 to 4096 bytes under the current key material. */
export const encrypt: Operation<Input<typeof request>, EncryptResponse, 'key'> = {
  service: 'kms',
  name: 'Encrypt',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: encryptionKey(KeyId, 'kms:Encrypt') }),
  conditions: ({ EncryptionContext = {}, EncryptionAlgorithm = SYMMETRIC_ALGORITHM }) => ({
    encryptionContext: EncryptionContext,
    encryptionAlgorithm: EncryptionAlgorithm,
  }),
  async run(input, { key }, { services }) {
    const { Plaintext, EncryptionContext = {}, EncryptionAlgorithm = SYMMETRIC_ALGORITHM } = input
    requireSymmetricAlgorithm(EncryptionAlgorithm, key)
    const { blob } = await encryptUnder(key, Plaintext, EncryptionContext, services.material)
    return { CiphertextBlob: blob, KeyId: key.arn, EncryptionAlgorithm }
  },
  audit: {
    requestParameters: ({ KeyId, EncryptionContext, EncryptionAlgorithm }) => ({
      keyId: KeyId,
      encryptionContext: EncryptionContext,
      encryptionAlgorithm: EncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
    }),
  },
}

export const handler = jsonHandler(encrypt)
