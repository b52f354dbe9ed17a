import { cancellable } from '../../shared/keys/key-states.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { KeyRecord } from '../../shared/store/records.ts'

const request = structure({ KeyId: required(keyIdentifier) })

export interface CancelKeyDeletionResponse {
  readonly KeyId: string
}

/** Keeps a key that was waiting for deletion; it comes back disabled. */
export const cancelKeyDeletion: Operation<
  Input<typeof request>,
  CancelKeyDeletionResponse,
  'key'
> = {
  service: 'kms',
  name: 'CancelKeyDeletion',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:CancelKeyDeletion'), states: cancellable },
  }),
  async run(_input, { key }, { services }) {
    await services.keys.change(key, cancellable, kept)
    return { KeyId: key.arn }
  },
  audit: {
    requestParameters: ({ KeyId }) => ({ keyId: KeyId }),
    responseElements: ({ KeyId }) => ({ keyId: KeyId }),
  },
}

function kept(key: KeyRecord): KeyRecord | null {
  if (key.state !== 'PendingDeletion') return null
  const { deletionDate: _deletionDate, current, ...rest } = key
  const stateEpoch = key.stateEpoch + 1
  return current === null
    ? { ...rest, state: 'PendingImport', current, stateEpoch }
    : { ...rest, state: 'Disabled', current, stateEpoch }
}

export const handler = jsonHandler(cancelKeyDeletion)
