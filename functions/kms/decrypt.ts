import {
  decryptUnder,
  requireSymmetricAlgorithm,
  SYMMETRIC_ALGORITHM,
} from '../../shared/keys/symmetric.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  readCiphertext,
  refuseRecipient,
  requireKeyOfCiphertext,
  sourceKey,
} from '../../shared/pipeline/ciphertext.ts'
import {
  ciphertextBlob,
  dryRunModifiers,
  encryptionAlgorithm,
  grantTokens,
  keyIdentifier,
  recipient,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, stringMap, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  CiphertextBlob: ciphertextBlob,
  EncryptionContext: stringMap,
  GrantTokens: grantTokens,
  KeyId: keyIdentifier,
  EncryptionAlgorithm: encryptionAlgorithm,
  Recipient: recipient,
  DryRun: boolean,
  DryRunModifiers: dryRunModifiers,
})
type DecryptRequest = Input<typeof request>

export interface DecryptResponse {
  readonly KeyId: string
  readonly Plaintext: Buffer
  readonly EncryptionAlgorithm: string
  readonly KeyMaterialId: string
}

const source = (input: DecryptRequest) => ({
  ciphertext: input.CiphertextBlob,
  keyId: input.KeyId,
  algorithm: input.EncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
  dryRun: input.DryRun === true,
  modifiers: input.DryRunModifiers ?? [],
})

/** Opens a ciphertext blob of any of the key's materials; the blob itself names the key. */
export const decrypt: Operation<DecryptRequest, DecryptResponse, 'key'> = {
  service: 'kms',
  name: 'Decrypt',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: (input) => ({ key: sourceKey(source(input), 'kms:Decrypt') }),
  conditions: ({ EncryptionContext = {}, EncryptionAlgorithm = SYMMETRIC_ALGORITHM }) => ({
    encryptionContext: EncryptionContext,
    encryptionAlgorithm: EncryptionAlgorithm,
  }),
  check: (input, { key }) => {
    requireKeyOfCiphertext(source(input), key)
    refuseRecipient(input.Recipient)
  },
  async run(input, { key }, { services }) {
    const { EncryptionContext = {}, EncryptionAlgorithm = SYMMETRIC_ALGORITHM } = input
    requireSymmetricAlgorithm(EncryptionAlgorithm, key)
    const blob = readCiphertext(source(input))
    return {
      KeyId: key.arn,
      Plaintext: await decryptUnder(key, blob, EncryptionContext, services.material),
      EncryptionAlgorithm,
      KeyMaterialId: blob.materialId,
    }
  },
  audit: {
    requestParameters: ({ EncryptionContext, EncryptionAlgorithm, KeyId }, { key }) => ({
      encryptionContext: EncryptionContext,
      encryptionAlgorithm: EncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
      keyId: key?.arn ?? KeyId,
    }),
    additionalEventData: ({ KeyMaterialId }) => ({ keyMaterialId: KeyMaterialId }),
  },
}

export const handler = jsonHandler(decrypt)
