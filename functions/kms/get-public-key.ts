import { JsonError } from '../../shared/errors.ts'
import { openCurrentPublic } from '../../shared/keys/current-material.ts'
import { type AlgorithmLists, algorithmsOf } from '../../shared/keys/key-metadata.ts'
import { keySpec } from '../../shared/keys/key-specs.ts'
import { publicKeyReadable } from '../../shared/keys/key-states.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { grantTokens, keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({ KeyId: required(keyIdentifier), GrantTokens: grantTokens })

export type GetPublicKeyResponse = AlgorithmLists & {
  readonly KeyId: string
  /** SubjectPublicKeyInfo, DER. */
  readonly PublicKey: Buffer
  readonly CustomerMasterKeySpec: string
  readonly KeySpec: string
  readonly KeyUsage: string
}

/** The public half of an asymmetric key, of a disabled one too, for use without this service. */
export const getPublicKey: Operation<Input<typeof request>, GetPublicKeyResponse, 'key'> = {
  service: 'kms',
  name: 'GetPublicKey',
  input: request,
  readOnly: true,
  keys: ({ KeyId }) => ({
    key: {
      name: { by: 'identifier', text: KeyId, aliases: true },
      action: 'kms:GetPublicKey',
      states: publicKeyReadable,
      cached: true,
    },
  }),
  async run(_input, { key: found }, { services }) {
    const { keySpec: spec, keyUsage } = found.key
    if (keySpec(spec).family !== 'asymmetric') throw new JsonError('UnsupportedOperationException')
    const publicKey = await openCurrentPublic(found, services.material)
    return {
      KeyId: found.arn,
      PublicKey: publicKey.export({ type: 'spki', format: 'der' }),
      CustomerMasterKeySpec: spec,
      KeySpec: spec,
      KeyUsage: keyUsage,
      ...algorithmsOf(spec, keyUsage),
    }
  },
  audit: { requestParameters: ({ KeyId }) => ({ keyId: KeyId }) },
}

export const handler = jsonHandler(getPublicKey)
