import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  dataKeyPairConditions,
  dataKeyPairParameters,
  generateDataKeyPair,
} from '../../shared/pipeline/data-key.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import { dataKeyPairSpec, grantTokens, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'
import type { KeySpec } from '../../shared/store/records.ts'

const request = structure({
  EncryptionContext: stringMap,
  KeyId: required(keyIdentifier),
  KeyPairSpec: required(dataKeyPairSpec),
  GrantTokens: grantTokens,

  DryRun: boolean,
})

export interface GenerateDataKeyPairWithoutPlaintextResponse {
  readonly PrivateKeyCiphertextBlob: Buffer
  /** SubjectPublicKeyInfo in DER. */
  readonly PublicKey: Buffer
  readonly KeyId: string
  readonly KeyPairSpec: KeySpec
  readonly KeyMaterialId: string
}

/** A fresh key pair, its private key as a ciphertext blob alone. */
export const generateDataKeyPairWithoutPlaintext: Operation<
  Input<typeof request>,
  GenerateDataKeyPairWithoutPlaintextResponse,
  'key'
> = {
  service: 'kms',
  name: 'GenerateDataKeyPairWithoutPlaintext',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: encryptionKey(KeyId, 'kms:GenerateDataKeyPairWithoutPlaintext') }),
  conditions: dataKeyPairConditions,
  async run(input, { key }, call) {
    const { privateKey, publicKey, blob, materialId } = await generateDataKeyPair(input, key, call)
    privateKey.fill(0)
    return {
      PrivateKeyCiphertextBlob: blob,

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

export const handler = jsonHandler(generateDataKeyPairWithoutPlaintext)
