import { rotatable } from '../../shared/keys/key-states.ts'
import {
  changeRotation,
  DEFAULT_PERIOD_DAYS,
  requireGenerated,
  requireNoReplica,
  requireRotatable,
  withAutomatic,
} from '../../shared/keys/rotation.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier, rotationPeriodInDays } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  RotationPeriodInDays: rotationPeriodInDays,
})

/** Rotates the key every so many days from now on; a schedule that has the period already stays as it is. */
export const enableKeyRotation: Operation<Input<typeof request>, void, 'key'> = {
  service: 'kms',
  name: 'EnableKeyRotation',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({ key: { ...readKey(KeyId, 'kms:EnableKeyRotation'), states: rotatable } }),
  conditions: ({ RotationPeriodInDays = DEFAULT_PERIOD_DAYS }) => ({
    others: { 'kms:rotationperiodindays': String(RotationPeriodInDays) },
  }),
  check(_input, { key }) {
    requireGenerated(key)
    requireNoReplica(key, 'EnableKeyRotation')
  },
  async run({ RotationPeriodInDays }, { key }, { services }) {
    requireRotatable(key)
    await changeRotation(
      key,
      rotatable,
      (plan) => withAutomatic(plan, RotationPeriodInDays, services.clock.now()),
      services,
    )
  },
  audit: {
    requestParameters: ({ KeyId, RotationPeriodInDays }) => ({
      keyId: KeyId,
      rotationPeriodInDays: RotationPeriodInDays,
    }),
  },
}

export const handler = jsonHandler(enableKeyRotation)
