import { agreeOnSecret } from '../../shared/keys/key-agreement.ts'
import { requireAlgorithm } from '../../shared/keys/key-specs.ts'
import { jsonHandler } from '../../shared/lambda/json-stack.ts'
import { cryptographicKey } from '../../shared/pipeline/key-use.ts'
import {
  grantTokens,
  keyAgreementAlgorithm,
  keyIdentifier,
  peerPublicKey,
  recipient,
} from '../../shared/pipeline/kms-members.ts'
import type { Operation } from '../../shared/pipeline/operation.ts'
import { withRecipient } from '../../shared/pipeline/recipient.ts'
import { boolean, type Input, required, structure } from '../../shared/pipeline/shape.ts'

const request = structure({
  KeyId: required(keyIdentifier),
  KeyAgreementAlgorithm: required(keyAgreementAlgorithm),
  PublicKey: required(peerPublicKey),
  GrantTokens: grantTokens,
  DryRun: boolean,
  Recipient: recipient,
})

export interface DeriveSharedSecretResponse {
  readonly KeyId: string
  readonly SharedSecret: Buffer
  readonly KeyAgreementAlgorithm: string
  readonly KeyOrigin: string
}

/** The raw secret that the key and somebody else's key pair have in common; not to be used as a key as it is. */
export const deriveSharedSecret: Operation<
  Input<typeof request>,
  DeriveSharedSecretResponse,
  'key'
> = {
  service: 'kms',
  name: 'DeriveSharedSecret',
  input: request,
  readOnly: true,
  dryRun: true,
  keys: ({ KeyId }) => ({
    key: cryptographicKey(KeyId, 'kms:DeriveSharedSecret', 'KEY_AGREEMENT'),
  }),
  conditions: ({ KeyAgreementAlgorithm }) => ({
    others: { 'kms:keyagreementalgorithm': KeyAgreementAlgorithm },
  }),
  async run({ PublicKey, KeyAgreementAlgorithm }, { key }, { services }) {
    requireAlgorithm(key.key.keySpec, 'KEY_AGREEMENT', KeyAgreementAlgorithm)
    return {
      KeyId: key.arn,
      SharedSecret: await agreeOnSecret(key, PublicKey, services.material),
      KeyAgreementAlgorithm,
      KeyOrigin: key.key.origin,
    }
  },
  audit: {
    requestParameters: ({ KeyId, KeyAgreementAlgorithm, PublicKey }) => ({
      keyId: KeyId,
      keyAgreementAlgorithm: KeyAgreementAlgorithm,
      publicKey: PublicKey.toString('base64'),
    }),
  },
}

export const handler = jsonHandler(withRecipient(deriveSharedSecret, 'SharedSecret'))
