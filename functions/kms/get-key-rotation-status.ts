import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier) })

export interface GetKeyRotationStatusResponse {
  readonly KeyId: string
  readonly KeyRotationEnabled: false
}

/** Whether the key's material is replaced automatically. Rotation cannot be enabled yet. */
export const getKeyRotationStatus: Operation<
  Input<typeof request>,
  GetKeyRotationStatusResponse,
  'key'
> = {
  service: 'kms',
  name: 'GetKeyRotationStatus',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:GetKeyRotationStatus') }),
  run: (_input, { key }) => ({ KeyId: key.arn, KeyRotationEnabled: false }),
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(getKeyRotationStatus)
