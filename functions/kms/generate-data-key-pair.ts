import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  dataKeyPairConditions,
  dataKeyPairParameters,
  generateDataKeyPair as generate,
} from '../../shared/pipeline/data-key.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import {
  dataKeyPairSpec,
  grantTokens,
  keyIdentifier,
  recipient,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { withRecipient } from '../../shared/pipeline/recipient.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'
import type { KeySpec } from '../../shared/store/records.ts'

const request = structure({
  EncryptionContext: stringMap,
  KeyId: required(keyIdentifier),
  KeyPairSpec: required(dataKeyPairSpec),
  GrantTokens: grantTokens,
  Recipient: recipient,
  DryRun: boolean,
})

export interface GenerateDataKeyPairResponse {
  readonly PrivateKeyCiphertextBlob: Buffer
  /** PKCS#8 in DER. */
  readonly PrivateKeyPlaintext: Buffer
  /** SubjectPublicKeyInfo in DER. */
  readonly PublicKey: Buffer
  readonly KeyId: string
  readonly KeyPairSpec: KeySpec
  readonly KeyMaterialId: string
}

/** A fresh key pair: its private key in plaintext, once, and as a ciphertext blob that Decrypt opens. */
export const generateDataKeyPair: Operation<
  Input<typeof request>,
  GenerateDataKeyPairResponse,
  'key'
> = {
  service: 'kms',
  name: 'GenerateDataKeyPair',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: encryptionKey(KeyId, 'kms:GenerateDataKeyPair') }),
  conditions: dataKeyPairConditions,
  async run(input, { key }, call) {
    const { privateKey, publicKey, blob, materialId } = await generate(input, key, call)
    return {
      PrivateKeyCiphertextBlob: blob,
      PrivateKeyPlaintext: privateKey,
      PublicKey: publicKey,
      KeyId: key.arn,
      KeyPairSpec: input.KeyPairSpec,
      KeyMaterialId: materialId,
    }
  },
  audit: {
    requestParameters: dataKeyPairParameters,
    additionalEventData: ({ KeyMaterialId }) => ({ keyMaterialId: KeyMaterialId }),
  },
}

export const handler = jsonHandler(withRecipient(generateDataKeyPair, 'PrivateKeyPlaintext'))
