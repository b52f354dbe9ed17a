import { rotatable } from '../../shared/keys/key-states.ts'
import { changeRotation, requireGenerated, requireNoReplica } from '../../shared/keys/rotation.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier) })

/** Ends automatic rotation, and forgets its period. Keys that never rotate take the call too, as AWS's do. */
export const disableKeyRotation: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'DisableKeyRotation',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:DisableKeyRotation'), states: rotatable },
  }),
  check(_input, { key }) {
    requireGenerated(key)
    requireNoReplica(key, 'DisableKeyRotation')
  },
  async run(_input, { key }, { services }) {
    await changeRotation(
      key,
      rotatable,
      (plan) => (plan.automatic === null ? null : { ...plan, automatic: null }),
      services,
    )
  },
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(disableKeyRotation)
