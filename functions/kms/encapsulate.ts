import { encapsulateUnder } from '../../shared/keys/encapsulation.ts'
import { requireAlgorithm } from '../../shared/keys/key-specs.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  encapsulationAlgorithm,
  grantTokens,
  keyIdentifier,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  EncapsulationAlgorithm: required(encapsulationAlgorithm),
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface EncapsulateResponse {
  readonly KeyId: string
  readonly SharedSecret: Buffer
  readonly SharedSecretCiphertextBlob: Buffer
  readonly EncapsulationAlgorithm: string
}

/** A fresh shared secret of 32 bytes, and the ciphertext from which Decapsulate gives it again. */
export const encapsulate: Operation<Input<typeof request>, EncapsulateResponse, 'key'> = {
  service: 'kms',
  name: 'Encapsulate',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({
    key: cryptographicKey(KeyId, 'kms:Encapsulate', 'ENCAPSULATE_DECAPSULATE'),
  }),
  async run({ EncapsulationAlgorithm }, { key }, { services }) {
    requireAlgorithm(key.key.keySpec, 'ENCAPSULATE_DECAPSULATE', EncapsulationAlgorithm)
    const { sharedSecret, ciphertext } = await encapsulateUnder(key, services.material)
    return {
      KeyId: key.arn,
      SharedSecret: sharedSecret,
      SharedSecretCiphertextBlob: ciphertext,
      EncapsulationAlgorithm,
    }
  },
  audit: {
    requestParameters: ({ KeyId, EncapsulationAlgorithm }) => ({
      keyId: KeyId,
      encapsulationAlgorithm: EncapsulationAlgorithm,
    }),
  },
}

export const handler = jsonHandler(encapsulate)
