/**
 * Data keys and data key pairs: what is fresh and goes to the caller, and its ciphertext under a
 * key, for all four operations that make them.
 */
import { freshBytes } from '../crypto/random.ts'
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import { newDataKeyPair, requireOfferedPair } from '../keys/data-key-pairs.ts'
import type { KeySpec } from '../keys/key-specs.ts'
import type { FoundKey } from '../keys/keys.ts'
import {
  encryptSymmetric,
  requireContextSize,
  requireSymmetricKey,
  SYMMETRIC_ALGORITHM,
} from '../keys/symmetric.ts'
import { dryRunSucceeded } from './dry-run.ts'
import type { Call, RequestConditions } from './operation.ts'

interface Request {
  readonly KeyId: string
  readonly EncryptionContext?: Readonly<Record<string, string>>
}

export interface DataKeyRequest extends Request {
  readonly NumberOfBytes?: number
  readonly KeySpec?: 'AES_128' | 'AES_256'
}

export interface DataKeyPairRequest extends Request {
  readonly KeyPairSpec: KeySpec
  readonly DryRun?: boolean
}

const LENGTHS = { AES_128: 16, AES_256: 32 } as const

/** @throws JsonError ValidationException unless exactly one of KeySpec and NumberOfBytes is given */
export function requireDataKeySize({ KeySpec, NumberOfBytes }: DataKeyRequest): void {
  if ((KeySpec === undefined) === (NumberOfBytes === undefined)) {
    throw new JsonError('ValidationException', 'Please specify either number of bytes or key spec.')
  }
}

/**
 * @returns the data key, for the caller to wipe, and its ciphertext blob
 * @throws JsonError InvalidKeyUsageException for an RSA key, ValidationException for a large context
 */
export async function generateDataKey(
  { EncryptionContext = {}, NumberOfBytes, KeySpec }: DataKeyRequest,
  key: FoundKey,
  { services }: Call,
): Promise<{ readonly dataKey: Buffer; readonly blob: Buffer; readonly materialId: MaterialId }> {
  requireSymmetricKey(key, 'data key')
  requireContextSize(EncryptionContext)
  const dataKey = freshBytes(NumberOfBytes ?? LENGTHS[KeySpec ?? 'AES_256'])
  const sealed = await encryptSymmetric(key, dataKey, EncryptionContext, services.material)
  return { dataKey, blob: sealed.ciphertext, materialId: sealed.materialId }
}

/**
 * @returns PKCS#8 of the private key, for the caller to wipe, its ciphertext blob, and
 *   SubjectPublicKeyInfo of the public key
 * @throws JsonError InvalidKeyUsageException for an RSA key, UnsupportedOperationException for SM2,
 *   ValidationException for a large context; DryRunOperationException in a dry run: an RSA key that
 *   nobody gets would cost a second
 */
export async function generateDataKeyPair(
  { EncryptionContext = {}, KeyPairSpec, DryRun }: DataKeyPairRequest,
  key: FoundKey,
  { services }: Call,
): Promise<{
  readonly privateKey: Buffer
  readonly publicKey: Buffer
  readonly blob: Buffer
  readonly materialId: MaterialId
}> {
  requireSymmetricKey(key, 'data key pair')
  requireOfferedPair(KeyPairSpec)
  requireContextSize(EncryptionContext)
  if (DryRun === true) throw dryRunSucceeded()
  const pair = await newDataKeyPair(KeyPairSpec)
  try {
    const sealed = await encryptSymmetric(
      key,
      pair.privateKey,
      EncryptionContext,
      services.material,
    )
    return { ...pair, blob: sealed.ciphertext, materialId: sealed.materialId }
  } catch (error) {
    pair.privateKey.fill(0)
    throw error
  }
}

export const dataKeyConditions = ({ EncryptionContext = {} }: Request): RequestConditions => ({
  encryptionContext: EncryptionContext,
  encryptionAlgorithm: SYMMETRIC_ALGORITHM,
})

export const dataKeyPairConditions = (input: DataKeyPairRequest): RequestConditions => ({
  ...dataKeyConditions(input),
  others: { 'kms:datakeypairspec': input.KeyPairSpec },
})

export const dataKeyParameters = (input: DataKeyRequest): Readonly<Record<string, unknown>> => ({
  keyId: input.KeyId,
  encryptionContext: input.EncryptionContext,
  keySpec: input.KeySpec,
  numberOfBytes: input.NumberOfBytes,
})

export const dataKeyPairParameters = (
  input: DataKeyPairRequest,
): Readonly<Record<string, unknown>> => ({
  keyId: input.KeyId,
  encryptionContext: input.EncryptionContext,
  keyPairSpec: input.KeyPairSpec,
})
