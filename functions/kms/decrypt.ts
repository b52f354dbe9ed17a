import { decryptUnder, requireEncryptionTerms } from '../../shared/keys/encryption.ts'
import { SYMMETRIC_ALGORITHM } from '../../shared/keys/symmetric.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  readCiphertext,
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
import { withRecipient } from '../../shared/pipeline/recipient.ts'
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
  /** Of symmetric keys. */
  readonly KeyMaterialId?: string
}

const source = (input: DecryptRequest) => ({
  ciphertext: input.CiphertextBlob,
  keyId: input.KeyId,
  algorithm: input.EncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
  dryRun: input.DryRun === true,
  modifiers: input.DryRunModifiers ?? [],
})

/**
 * Opens a ciphertext blob of any of the key's materials, which itself names the key; or a block that
 * was made, here or elsewhere, under the public half of an RSA key.
 */
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
  },
  async run(input, { key }, { services }) {
    const { EncryptionContext: context = {}, EncryptionAlgorithm = SYMMETRIC_ALGORITHM } = input
    requireEncryptionTerms(key, { algorithm: EncryptionAlgorithm, context })
    const ciphertext = readCiphertext(source(input))
    const opened = await decryptUnder(key, ciphertext, context, services.material)
    return {
      KeyId: key.arn,
      Plaintext: opened.plaintext,
      EncryptionAlgorithm,
      ...(opened.materialId === null ? {} : { KeyMaterialId: opened.materialId }),
    }
  },
  audit: {
    requestParameters: ({ EncryptionContext, EncryptionAlgorithm, KeyId }, { key }) => ({
      encryptionContext: EncryptionContext,
      encryptionAlgorithm: EncryptionAlgorithm ?? SYMMETRIC_ALGORITHM,
      keyId: key?.arn ?? KeyId,
    }),
    additionalEventData: ({ KeyMaterialId }) =>
      KeyMaterialId === undefined ? null : { keyMaterialId: KeyMaterialId },
  },
}

export const handler = jsonHandler(withRecipient(decrypt, 'Plaintext'))
