import { JsonError } from '../../shared/errors.ts'
import { deletable } from '../../shared/keys/key-states.ts'
import {
  awaitingDeletion,
  isAwaitingDeletion,
  settle,
} from '../../shared/keys/multi-region-deletion.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { changedKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, integer, required, structure } from '../../shared/pipeline/shape.ts'

const DEFAULT_WINDOW_DAYS = 30

const request = structure({
  KeyId: required(keyIdentifier),
  PendingWindowInDays: integer({ min: 1, max: 365 }),
})

export interface ScheduleKeyDeletionResponse {
  readonly KeyId: string
  /** Absent while a primary key waits for its replicas: its waiting period starts after them. */
  readonly DeletionDate?: Date
  readonly KeyState: 'PendingDeletion' | 'PendingReplicaDeletion'
  readonly PendingWindowInDays: number
}

/** Takes a key out of use at once, and for good when the waiting period of 7 to 30 days has passed. */
export const scheduleKeyDeletion: Operation<
  Input<typeof request>,
  ScheduleKeyDeletionResponse,
  'key'
> = {
  service: 'kms',
  name: 'ScheduleKeyDeletion',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...changedKey(KeyId, 'kms:ScheduleKeyDeletion'), states: deletable },
  }),
  conditions: ({ PendingWindowInDays = DEFAULT_WINDOW_DAYS }) => ({
    others: { 'kms:schedulekeydeletionpendingwindowindays': String(PendingWindowInDays) },
  }),
  check({ PendingWindowInDays = DEFAULT_WINDOW_DAYS }) {
    if (PendingWindowInDays < 7 || PendingWindowInDays > 30) {
      throw new JsonError('ValidationException', 'PendingWindowInDays must be between 7 and 30')
    }
  },
  async run({ PendingWindowInDays = DEFAULT_WINDOW_DAYS }, { key }, { services }) {
    const now = services.clock.now()
    const scheduled = await services.keys.change(key, deletable, (present, { bundle }) =>
      awaitingDeletion(present, bundle.related, PendingWindowInDays, now),
    )
    // Another key may have become the primary since the set was read, or the first replica have come.
    const settled = scheduled.multiRegion
      ? await settle(await services.keys.reread(key), services)
      : scheduled
    const pending = isAwaitingDeletion(settled) ? settled : scheduled
    return pending.state === 'PendingDeletion'
      ? {
          KeyId: key.arn,
          DeletionDate: new Date(pending.deletionDate),
          KeyState: pending.state,
          PendingWindowInDays,
        }
      : { KeyId: key.arn, KeyState: 'PendingReplicaDeletion', PendingWindowInDays }
  },
  audit: {
    requestParameters: ({ KeyId, PendingWindowInDays }) => ({
      keyId: KeyId,
      pendingWindowInDays: PendingWindowInDays,
    }),
    responseElements: ({ KeyId, KeyState, DeletionDate }) => ({
      keyId: KeyId,
      keyState: KeyState,
      deletionDate: DeletionDate?.toISOString(),
    }),
  },
}

export const handler = jsonHandler(scheduleKeyDeletion)
