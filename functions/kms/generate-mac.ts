import { openCurrent } from '../../shared/keys/current-material.ts'
import { macOf, requireMacAlgorithm } from '../../shared/keys/macs.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  grantTokens,
  keyIdentifier,
  macAlgorithm,
  message,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  Message: required(message),
  KeyId: required(keyIdentifier),
  MacAlgorithm: required(macAlgorithm),
  GrantTokens: grantTokens,
  DryRun: boolean,
})

export interface GenerateMacResponse {
  readonly Mac: Buffer
  readonly MacAlgorithm: string
  readonly KeyId: string
}

/** The HMAC of 1 to 4096 bytes. */
export const generateMac: Operation<Input<typeof request>, GenerateMacResponse, 'key'> = {
  service: 'kms',
  name: 'GenerateMac',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({
    key: cryptographicKey(KeyId, 'kms:GenerateMac', 'GENERATE_VERIFY_MAC'),
  }),
  conditions: ({ MacAlgorithm }) => ({ others: { 'kms:macalgorithm': MacAlgorithm } }),
  async run({ Message, MacAlgorithm }, { key }, { services }) {
    requireMacAlgorithm(key.key.keySpec, MacAlgorithm)
    const secret = await openCurrent(key, services.material)
    return { Mac: macOf(MacAlgorithm, secret, Message), MacAlgorithm, KeyId: key.arn }
  },
  audit: {
    requestParameters: ({ KeyId, MacAlgorithm }) => ({ keyId: KeyId, macAlgorithm: MacAlgorithm }),
  },
}

export const handler = jsonHandler(generateMac)
