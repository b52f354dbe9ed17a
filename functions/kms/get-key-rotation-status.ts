import type { FoundKey } from '../../shared/keys/keys.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier) })

export interface GetKeyRotationStatusResponse {
  readonly KeyRotationEnabled: boolean
  readonly KeyId: string
  readonly RotationPeriodInDays?: number
  readonly NextRotationDate?: Date
  readonly OnDemandRotationStartDate?: Date
}

/** Whether and when the key's material is replaced. Keys that never rotate say that they do not. */
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
  run: (_input, { key }) => ({
    KeyId: key.arn,
    ...automaticRotation(key),
    ...onDemandRotation(key),
  }),
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

/** A key that waits for its deletion does not rotate, and does again when that is cancelled. */
function automaticRotation({ key, bundle: { rotation } }: FoundKey) {
  const automatic = rotation?.automatic ?? null
  if (automatic === null || key.state === 'PendingDeletion') return { KeyRotationEnabled: false }
  return {
    KeyRotationEnabled: true,
    RotationPeriodInDays: automatic.periodDays,
    NextRotationDate: new Date(automatic.nextDate),
  }
}

function onDemandRotation({ bundle: { rotation } }: FoundKey) {
  const since = rotation?.onDemandSince ?? null
  return since === null ? {} : { OnDemandRotationStartDate: new Date(since) }
}

export const handler = jsonHandler(getKeyRotationStatus)
