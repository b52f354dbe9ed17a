import { readable, switchable } from '../../shared/keys/key-states.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { isReplica } from '../../shared/keys/multi-region.ts'
import { changeRotation, dueTime } from '../../shared/keys/rotation.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
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
    await resumeRotation(key, services)
  },
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

/**
 * A rotation that was put off while the key was disabled is looked at again when it is due, which may
 * be at once. The row is written even when it says so already: a schedule that still takes the key
 * for disabled is then too late to put it off.
 */
async function resumeRotation(found: FoundKey, services: Call['services']): Promise<void> {
  if (found.bundle.rotation?.automatic == null || isReplica(found.bundle)) return
  await changeRotation(
    found,
    readable,
    (plan) => (found.state === 'Disabled' || plan.dueAt !== dueTime(plan) ? plan : null),
    services,
  )
}

export const handler = jsonHandler(enableKey)
