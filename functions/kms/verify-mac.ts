import { JsonError } from '../../shared/errors.ts'
import { openCurrent } from '../../shared/keys/current-material.ts'
import { isMacOf, requireMacAlgorithm } from '../../shared/keys/macs.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  grantTokens,
  keyIdentifier,
  mac,
  macAlgorithm,
  message,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  Message: required(message),
  KeyId: required(keyIdentifier),
  MacAlgorithm: required(macAlgorithm),
  Mac: required(mac),
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface VerifyMacResponse {
  readonly KeyId: string
  readonly MacValid: true
  readonly MacAlgorithm: string
}

/** Whether an HMAC is this key's; one that is not is an error, never `false`. */
export const verifyMac: Operation<Input<typeof request>, VerifyMacResponse, 'key'> = {
  service: 'kms',
  name: 'VerifyMac',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({ key: cryptographicKey(KeyId, 'kms:VerifyMac', 'GENERATE_VERIFY_MAC') }),
  conditions: ({ MacAlgorithm }) => ({ others: { 'kms:macalgorithm': MacAlgorithm } }),
  async run({ Message, MacAlgorithm, Mac }, { key }, { services }) {
    requireMacAlgorithm(key.key.keySpec, MacAlgorithm)
    const secret = await openCurrent(key, services.material)
    const isValid = isMacOf(MacAlgorithm, secret, Message, Mac)
    if (!isValid) throw new JsonError('KMSInvalidMacException')
    return { KeyId: key.arn, MacValid: true, MacAlgorithm }
  },
  audit: {
    requestParameters: ({ KeyId, MacAlgorithm }) => ({ keyId: KeyId, macAlgorithm: MacAlgorithm }),
  },
}

export const handler = jsonHandler(verifyMac)
