import { JsonError } from '../../shared/errors.ts'
import { openCurrentPublic } from '../../shared/keys/current-material.ts'
import { requireSigning } from '../../shared/keys/signatures.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  grantTokens,
  keyIdentifier,
  message,
  messageType,
  signature,
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
  Signature: required(signature),
  SigningAlgorithm: required(signingAlgorithm),
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface VerifyResponse {
  readonly KeyId: string
  readonly SignatureValid: true
  readonly SigningAlgorithm: string
}

/** Whether a signature is this key's; one that is not is an error, never `false`. */
export const verify: Operation<Input<typeof request>, VerifyResponse, 'key'> = {
  service: 'kms',
  name: 'Verify',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: cryptographicKey(KeyId, 'kms:Verify', 'SIGN_VERIFY') }),
  conditions: signingConditions,
  async run(input, { key }, { services }) {
    const { Message, Signature, SigningAlgorithm } = input
    const scheme = requireSigning(key.key.keySpec, signingInput(input))
    const publicKey = await openCurrentPublic(key, services.material)
    const isValid = await scheme.verify(publicKey, Message, Signature)
    if (!isValid) throw new JsonError('KMSInvalidSignatureException')
    return { KeyId: key.arn, SignatureValid: true, SigningAlgorithm }
  },
  audit: { requestParameters: signingParameters },
}

export const handler = jsonHandler(verify)
