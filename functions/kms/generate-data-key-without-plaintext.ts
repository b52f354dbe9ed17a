import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import {
  dataKeyConditions,
  dataKeyParameters,
  generateDataKey,
  requireDataKeySize,
} from '../../shared/pipeline/data-key.ts'
import { encryptionKey } from '../../shared/pipeline/key-use.ts'
import {
  dataKeySpec,
  grantTokens,
  keyIdentifier,
  numberOfBytes,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, stringMap, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  EncryptionContext: stringMap,
  KeySpec: dataKeySpec,
  NumberOfBytes: numberOfBytes,
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface GenerateDataKeyWithoutPlaintextResponse {
  readonly CiphertextBlob: Buffer
  readonly KeyId: string
  readonly KeyMaterialId: string
}

/** A fresh data key as a ciphertext blob alone, for somebody else to open. */
export const generateDataKeyWithoutPlaintext: Operation<
  Input<typeof request>,
  GenerateDataKeyWithoutPlaintextResponse,
  'key'
> = {
  service: 'kms',
  name: 'GenerateDataKeyWithoutPlaintext',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: encryptionKey(KeyId, 'kms:GenerateDataKeyWithoutPlaintext') }),
  conditions: dataKeyConditions,
  check: requireDataKeySize,
  async run(input, { key }, call) {
    const { dataKey, blob, materialId } = await generateDataKey(input, key, call)
    dataKey.fill(0)
    return { CiphertextBlob: blob, KeyId: key.arn, KeyMaterialId: materialId }
  },
  audit: {
    requestParameters: dataKeyParameters,
    additionalEventData: ({ KeyMaterialId }) => ({ keyMaterialId: KeyMaterialId }),
  },
}

export const handler = jsonHandler(generateDataKeyWithoutPlaintext)
