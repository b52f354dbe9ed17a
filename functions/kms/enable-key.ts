import { switchable } from '../../shared/keys/key-states.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier) })

/** Lets a disabled key work again; an enabled one stays as it is. */
export const enableKey: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'EnableKey',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: { ...readKey(KeyId, 'kms:EnableKey'), states: switchable } }),
  async run(_input, { key }, { services }) {
    await services.keys.change(key, switchable, (present) =>
      present.state === 'Disabled'
        ? { ...present, state: 'Enabled', stateEpoch: present.stateEpoch + 1 }
        : null,
    )
  },
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(enableKey)
