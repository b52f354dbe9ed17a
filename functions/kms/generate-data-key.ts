import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  dataKeyConditions,
  dataKeyParameters,
  generateDataKey as generate,
  requireDataKeySize,
} from '../../shared/pipeline/data-key.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import {
  dataKeySpec,
  grantTokens,
  keyIdentifier,
  numberOfBytes,
  recipient,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { withRecipient } from '../../shared/pipeline/recipient.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  EncryptionContext: stringMap,
  NumberOfBytes: numberOfBytes,
  KeySpec: dataKeySpec,
  GrantTokens: grantTokens,
  Recipient: recipient,
  DryRun: boolean,
})

export interface GenerateDataKeyResponse {
  readonly CiphertextBlob: Buffer
  readonly Plaintext: Buffer
  readonly KeyId: string
  readonly KeyMaterialId: string
}

/** A fresh data key: in plaintext, once, and as a ciphertext blob that Decrypt opens. */
export const generateDataKey: Operation<Input<typeof request>, GenerateDataKeyResponse, 'key'> = {
  service: 'kms',
  name: 'GenerateDataKey',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: encryptionKey(KeyId, 'kms:GenerateDataKey') }),
  conditions: dataKeyConditions,
  check: (input) => {
    requireDataKeySize(input)
  },
  async run(input, { key }, call) {
    const { dataKey, blob, materialId } = await generate(input, key, call)
    return { CiphertextBlob: blob, Plaintext: dataKey, KeyId: key.arn, KeyMaterialId: materialId }
  },
  audit: {
    requestParameters: dataKeyParameters,
    additionalEventData: ({ KeyMaterialId }) => ({ keyMaterialId: KeyMaterialId }),
  },
}

export const handler = jsonHandler(withRecipient(generateDataKey, 'Plaintext'))
