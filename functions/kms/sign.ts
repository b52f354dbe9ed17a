import { openCurrent } from '../../shared/keys/current-material.ts'
import { requireSigning } from '../../shared/keys/signatures.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  grantTokens,
  keyIdentifier,
  message,
  messageType,
  signingAlgorithm,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'
import {
  signingConditions,
  signingInput,
  signingParameters,
} from '../../shared/pipeline/signing.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  Message: required(message),
  MessageType: messageType,
  GrantTokens: grantTokens,
  SigningAlgorithm: required(signingAlgorithm),
  DryRun: boolean,
})

export interface SignResponse {
  readonly KeyId: string
  readonly Signature: Buffer
  readonly SigningAlgorithm: string
}

/** Signs 1 to 4096 bytes, or a digest, with a private key. */
export const sign: Operation<Input<typeof request>, SignResponse, 'key'> = {
  service: 'kms',
  name: 'Sign',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: cryptographicKey(KeyId, 'kms:Sign', 'SIGN_VERIFY') }),
  conditions: signingConditions,
  async run(input, { key }, { services }) {
    const scheme = requireSigning(key.key.keySpec, signingInput(input))
    const privateKey = await openCurrent(key, services.material)
    const Signature = await scheme.sign(privateKey, input.Message)
    return { KeyId: key.arn, Signature, SigningAlgorithm: input.SigningAlgorithm }
  },
  audit: { requestParameters: signingParameters },
}

export const handler = jsonHandler(sign)
