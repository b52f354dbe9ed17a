import { JsonError } from '../../shared/errors.ts'
import { rotatable } from '../../shared/keys/key-states.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { replicaBundles } from '../../shared/keys/multi-region.ts'
import { isReady, waitingMaterial } from '../../shared/keys/next-material.ts'
import {
  changeRotation,
  requireNoReplica,
  requireRotatable,
  withOnDemand,
} from '../../shared/keys/rotation.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier) })

export interface RotateKeyOnDemandResponse {
  readonly KeyId: string
}

/** Asks for new current material, which the key has some minutes later: generated, or imported before. */
export const rotateKeyOnDemand: Operation<
  Input<typeof request>,
  RotateKeyOnDemandResponse,
  'key'
> = {
  service: 'kms',
  name: 'RotateKeyOnDemand',
  input: request,
  readOnly: false,
  keys: ({ KeyId }) => ({
    key: { ...readKey(KeyId, 'kms:RotateKeyOnDemand'), states: rotatable },
  }),
  check: (_input, { key }) => requireNoReplica(key, 'RotateKeyOnDemand'),
  async run(_input, { key }, { services }) {
    requireRotatable(key)
    await requireImported(key, services)
    await changeRotation(
      key,
      rotatable,
      (plan) => withOnDemand(plan, key.arn, services.clock.now()),
      services,
    )
    return { KeyId: key.arn }
  },
  audit: {
    requestParameters: ({ KeyId }) => ({ keyId: KeyId }),
    responseElements: ({ KeyId }) => ({ keyId: KeyId }),
  },
}

/** @throws JsonError KMSInvalidStateException when a key has not the imported material to rotate to */
async function requireImported(
  { key, bundle, arn }: FoundKey,
  services: Call['services'],
): Promise<void> {
  if (key.origin === 'AWS_KMS') return
  if (!waitingMaterial(bundle)?.wrapped) {
    throw new JsonError(
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${arn}.`,
    )
  }
  if (isReady(bundle, await replicaBundles(key, services))) return
  throw new JsonError(
    'KMSInvalidStateException',
    'Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.',
  )
}

export const handler = jsonHandler(rotateKeyOnDemand)
