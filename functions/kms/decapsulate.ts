import { decapsulateUnder } from '../../shared/keys/encapsulation.ts'
import { requireAlgorithm } from '../../shared/keys/key-specs.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  encapsulationAlgorithm,
  grantTokens,
  keyIdentifier,
  sharedSecretCiphertextBlob,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  SharedSecretCiphertextBlob: required(sharedSecretCiphertextBlob),
  EncapsulationAlgorithm: required(encapsulationAlgorithm),
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface DecapsulateResponse {
  readonly KeyId: string
  readonly SharedSecret: Buffer
  readonly EncapsulationAlgorithm: string
}

/** The shared secret of a ciphertext that was made, here or elsewhere, under the key's public half. */
export const decapsulate: Operation<Input<typeof request>, DecapsulateResponse, 'key'> = {
  service: 'kms',
  name: 'Decapsulate',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({
    key: cryptographicKey(KeyId, 'kms:Decapsulate', 'ENCAPSULATE_DECAPSULATE'),
  }),
  async run({ SharedSecretCiphertextBlob, EncapsulationAlgorithm }, { key }, { services }) {
    requireAlgorithm(key.key.keySpec, 'ENCAPSULATE_DECAPSULATE', EncapsulationAlgorithm)
    return {
      KeyId: key.arn,
      SharedSecret: await decapsulateUnder(key, SharedSecretCiphertextBlob, services.material),
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

export const handler = jsonHandler(decapsulate)
