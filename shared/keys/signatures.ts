/**
 * Signing and verifying: which algorithm takes which kind of message, what is wrong with a request,
 * and how it is done (AWS KMS API reference, "Sign" and "Verify"; texts of the live service).
 */
import { ecdsaOfDigest, ecdsaOfMessage } from '../crypto/ecdsa.ts'
import { ed25519Prehashed, ed25519Pure } from '../crypto/ed25519.ts'
import { type HashName, hashes } from '../crypto/emsa.ts'
import { MU_LENGTH, mlDsaOfMessage, mlDsaOfMu } from '../crypto/ml-dsa.ts'
import {
  pkcs1OfDigest,
  pkcs1OfMessage,
  pssOfDigest,
  pssOfMessage,
} from '../crypto/rsa-signatures.ts'
import type { SignatureScheme } from '../crypto/signature-scheme.ts'
import { JsonError } from '../errors.ts'
import { type KeySpec, keySpec, requireAlgorithm } from './key-specs.ts'

export type MessageType = 'RAW' | 'DIGEST' | 'EXTERNAL_MU'

/** How a signing algorithm goes about each kind of message that it takes. */
interface SigningAlgorithm {
  readonly schemes: Readonly<Partial<Record<MessageType, SignatureScheme>>>
  /** Bytes of a digest, or of mu. */
  readonly digestLength: number
}

const pkcs1 = (hash: HashName): SigningAlgorithm => ({
  schemes: { RAW: pkcs1OfMessage(hash), DIGEST: pkcs1OfDigest(hash) },
  digestLength: hashes[hash].length,
})

const pss = (hash: HashName): SigningAlgorithm => ({
  schemes: { RAW: pssOfMessage(hash), DIGEST: pssOfDigest(hash) },
  digestLength: hashes[hash].length,
})

const ecdsa = (hash: HashName): SigningAlgorithm => ({
  schemes: { RAW: ecdsaOfMessage(hash), DIGEST: ecdsaOfDigest },
  digestLength: hashes[hash].length,
})

const algorithms: ReadonlyMap<string, SigningAlgorithm> = new Map([
  ['RSASSA_PKCS1_V1_5_SHA_256', pkcs1('sha256')],
  ['RSASSA_PKCS1_V1_5_SHA_384', pkcs1('sha384')],
  ['RSASSA_PKCS1_V1_5_SHA_512', pkcs1('sha512')],
  ['RSASSA_PSS_SHA_256', pss('sha256')],
  ['RSASSA_PSS_SHA_384', pss('sha384')],
  ['RSASSA_PSS_SHA_512', pss('sha512')],
  ['ECDSA_SHA_256', ecdsa('sha256')],
  ['ECDSA_SHA_384', ecdsa('sha384')],
  ['ECDSA_SHA_512', ecdsa('sha512')],
  ['ED25519_SHA_512', { schemes: { RAW: ed25519Pure }, digestLength: 64 }],
  ['ED25519_PH_SHA_512', { schemes: { DIGEST: ed25519Prehashed }, digestLength: 64 }],
  [
    'ML_DSA_SHAKE_256',
    { schemes: { RAW: mlDsaOfMessage, EXTERNAL_MU: mlDsaOfMu }, digestLength: MU_LENGTH },
  ],
])

/** What a request asks to be signed or verified. */
export interface SigningInput {
  readonly algorithm: string
  readonly messageType: MessageType
  /** 1 to 4096 bytes; a digest or mu unless the type is RAW. */
  readonly message: Uint8Array
}

/**
 * @param spec - of a key that signs
 * @returns how it is to be done
 * @throws JsonError InvalidKeyUsageException for an algorithm of other key specs, ValidationException
 *   for a kind of message that the spec or the algorithm does not take, and for a wrong length
 */
export function requireSigning(spec: KeySpec, input: SigningInput): SignatureScheme {
  const { algorithm, messageType, message } = input
  requireAlgorithm(spec, 'SIGN_VERIFY', algorithm)
  if (!isTakenBySome(spec, messageType)) {
    throw invalid(`Message type ${messageType} is incompatible with key spec ${spec}.`)
  }
  const known = algorithms.get(algorithm)
  const scheme = known?.schemes[messageType]
  if (known === undefined || scheme === undefined) {
    throw invalid(`Message type ${messageType} is incompatible with algorithm ${algorithm}.`)
  }
  if (messageType !== 'RAW' && message.length !== known.digestLength) {
    const name = messageType === 'DIGEST' ? 'Digest' : 'External Mu'
    throw invalid(`${name} is invalid length for algorithm ${algorithm}.`)
  }
  return scheme
}

const isTakenBySome = (spec: KeySpec, messageType: MessageType): boolean =>
  keySpec(spec).algorithms.SIGN_VERIFY?.some(
    (name) => algorithms.get(name)?.schemes[messageType] !== undefined,
  ) === true

const invalid = (text: string): JsonError => new JsonError('ValidationException', text)
