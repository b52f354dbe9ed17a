/** What Sign and Verify have in common: how their requests read, and what is shown of them. */
import type { SigningInput } from '../keys/signatures.ts'
import type { RequestConditions } from './operation.ts'

interface SigningRequest {
  readonly KeyId: string
  readonly Message: Buffer
  readonly MessageType?: SigningInput['messageType']
  readonly SigningAlgorithm: string
}

export const signingInput = (request: SigningRequest): SigningInput => ({
  algorithm: request.SigningAlgorithm,
  messageType: request.MessageType ?? 'RAW',
  message: request.Message,
})

/** `kms:MessageType` is the one in effect (AWS KMS Developer Guide, "Condition keys"). */
export const signingConditions = (request: SigningRequest): RequestConditions => ({
  others: {
    'kms:signingalgorithm': request.SigningAlgorithm,
    'kms:messagetype': request.MessageType ?? 'RAW',
  },
})

/** Neither the message nor the signature. */
export const signingParameters = (request: SigningRequest) => ({
  keyId: request.KeyId,
  messageType: request.MessageType ?? 'RAW',
  signingAlgorithm: request.SigningAlgorithm,
})
