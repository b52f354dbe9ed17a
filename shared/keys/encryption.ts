/** Encrypting and decrypting under any key that is made for it, symmetric or RSA. */
import type { ParsedCiphertextBlob } from '../crypto/ciphertext-blob.ts'
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import { decryptAsymmetric, encryptAsymmetric } from './asymmetric-encryption.ts'
import { requireAlgorithm } from './key-specs.ts'
import type { FoundKey } from './keys.ts'
import type { MaterialCache } from './material.ts'
import {
  decryptSymmetric,
  type EncryptionContext,
  encryptSymmetric,
  requireContextSize,
  SYMMETRIC_ALGORITHM,
} from './symmetric.ts'

export interface EncryptionTerms {
  readonly algorithm: string
  readonly context: EncryptionContext
}

/**
 * @throws JsonError InvalidKeyUsageException for the algorithm of another key spec,
 *   ValidationException for an encryption context that the key cannot bind
 */
export function requireEncryptionTerms(
  { key }: FoundKey,
  { algorithm, context }: EncryptionTerms,
): void {
  requireAlgorithm(key.keySpec, 'ENCRYPT_DECRYPT', algorithm)
  if (algorithm === SYMMETRIC_ALGORITHM) requireContextSize(context)
  else if (Object.keys(context).length > 0) {
    throw new JsonError(
      'ValidationException',
      'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
    )
  }
}

/**
 * @param plaintext - 1 to 4096 bytes
 * @param terms - that fit the key (`requireEncryptionTerms`)
 * @returns the ciphertext; the id of the material that it is under where callers are told of it,
 *   which is for symmetric keys alone (AWS KMS API reference, "ReEncrypt": DestinationKeyMaterialId)
 * @throws JsonError ValidationException when the plaintext is too long for the key
 */
export const encryptUnder = (
  found: FoundKey,
  plaintext: Uint8Array,
  { algorithm, context }: EncryptionTerms,
  cache: MaterialCache,
): Promise<{ readonly ciphertext: Buffer; readonly materialId: MaterialId | null }> =>
  algorithm === SYMMETRIC_ALGORITHM
    ? encryptSymmetric(found, plaintext, context, cache)
    : encryptAsymmetric(found, algorithm, plaintext, cache)

/** A ciphertext as its algorithm gives it: one that names its key, or a block. */
export type Ciphertext =
  | { readonly blob: ParsedCiphertextBlob }
  | { readonly block: Uint8Array; readonly algorithm: string }

/**
 * @param ciphertext - a blob that names the found key, or any block
 * @returns the plaintext, for the caller to wipe; the material as `encryptUnder` tells it
 * @throws JsonError InvalidCiphertextException for every way in which it does not open
 */
export const decryptUnder = (
  found: FoundKey,
  ciphertext: Ciphertext,
  context: EncryptionContext,
  cache: MaterialCache,
): Promise<{ readonly plaintext: Buffer; readonly materialId: MaterialId | null }> =>
  'blob' in ciphertext
    ? decryptSymmetric(found, ciphertext.blob, context, cache)
    : decryptAsymmetric(found, ciphertext.algorithm, ciphertext.block, cache)
