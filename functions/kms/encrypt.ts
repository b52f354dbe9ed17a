import { encryptUnder, requireEncryptionTerms } from '../../shared/keys/encryption.ts'
import { SYMMETRIC_ALGORITHM } from '../../shared/keys/symmetric.ts'
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

/** Encrypts 1 to 4096 bytes under the current key material; under an RSA key as many as fit into a block. */
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
    const { Plaintext, EncryptionAlgorithm = SYMMETRIC_ALGORITHM } = input
    const terms = { algorithm: EncryptionAlgorithm, context: input.EncryptionContext ?? {} }
    requireEncryptionTerms(key, terms)
    const { ciphertext } = await encryptUnder(key, Plaintext, terms, services.material)
    return { CiphertextBlob: ciphertext, KeyId: key.arn, EncryptionAlgorithm }
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
