import { cancellable } from '../../shared/keys/key-states.ts'
import { keptKey } from '../../shared/keys/multi-region-deletion.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

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
    await services.keys.change(key, cancellable, keptKey)
    return { KeyId: key.arn }
  },
  audit: {
    requestParameters: ({ KeyId }) => ({ keyId: KeyId }),
    responseElements: ({ KeyId }) => ({ keyId: KeyId }),
  },
}

export const handler = jsonHandler(cancelKeyDeletion)
