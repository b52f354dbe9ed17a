import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { LastUsageRecord } from '../../shared/store/records.ts'

const request = structure({ KeyId: required(keyIdentifier) })

export interface GetKeyLastUsageResponse {
  readonly KeyId: string
  readonly KeyLastUsage: {
    readonly Operation?: string
    readonly Timestamp?: Date
    readonly CloudTrailEventId?: string
    readonly KmsRequestId?: string
  }
  readonly TrackingStartDate: Date
  readonly KeyCreationDate: Date
}

/** The last successful cryptographic use of a key, as far as the audit relay has come. */
export const getKeyLastUsage: Operation<Input<typeof request>, GetKeyLastUsageResponse, 'key'> = {
  service: 'kms',
  name: 'GetKeyLastUsage',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({ key: readKey(KeyId, 'kms:GetKeyLastUsage') }),
  run: (_input, { key: { key, bundle } }) => ({
    KeyId: key.keyId,
    KeyLastUsage: bundle.lastUsage === null ? {} : shownUsage(bundle.lastUsage),
    // Uses were always tracked here.
    TrackingStartDate: new Date(key.createdAt),
    KeyCreationDate: new Date(key.createdAt),
  }),
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

const shownUsage = ({ operation, at, eventId, requestId }: LastUsageRecord) => ({
  Operation: operation,
  Timestamp: new Date(at),
  CloudTrailEventId: eventId,
  KmsRequestId: requestId,
})

export const handler = jsonHandler(getKeyLastUsage)
