/** Encrypting and decrypting under a symmetric key: the newest material seals, every material opens. */
import {
  openCiphertextBlob,
  type ParsedCiphertextBlob,
  sealCiphertextBlob,
} from '../crypto/ciphertext-blob.ts'
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import { currentMaterial } from './current-material.ts'
import { keySpec } from './key-specs.ts'
import type { FoundKey } from './keys.ts'
import type { MaterialCache } from './material.ts'

export type EncryptionContext = Readonly<Record<string, string>>

export const SYMMETRIC_ALGORITHM = 'SYMMETRIC_DEFAULT'

/**
 * A limit of our own, as AWS publishes none: names and values of an encryption context together, in
 * UTF-8 bytes. Every audit record carries the context.
 */
const MAX_CONTEXT_LENGTH = 8192

/**
 * @param plaintext - up to 6011 bytes; requests have at most 4096, private keys a little less
 * @param context - as long as `requireContextSize` allows
 * @returns the ciphertext blob, and the id of the material that it is under
 */
export async function encryptSymmetric(
  found: FoundKey,
  plaintext: Uint8Array,
  context: EncryptionContext,
  cache: MaterialCache,
): Promise<{ readonly ciphertext: Buffer; readonly materialId: MaterialId }> {
  const record = currentMaterial(found)
  const material = await cache.open(found.key, record)
  const { account, keyId } = found.key
  const { materialId } = record
  const ciphertext = sealCiphertextBlob(
    { account, keyId, materialId },
    material,
    plaintext,
    context,
  )
  return { ciphertext, materialId }
}

/**
 * @param blob - one that names the found key
 * @returns the plaintext, for the caller to wipe, and the id of the material that opened it
 * @throws JsonError InvalidCiphertextException for every way in which it does not open
 */
export async function decryptSymmetric(
  found: FoundKey,
  blob: ParsedCiphertextBlob,
  context: EncryptionContext,
  cache: MaterialCache,
): Promise<{ readonly plaintext: Buffer; readonly materialId: MaterialId }> {
  const { materialId } = blob
  const record = found.bundle.materials.find((each) => each.materialId === materialId)
  // Material that was deleted before its first use made no ciphertext, whatever a blob says.
  const plaintext =
    record === undefined || record.wrapped === null
      ? null
      : openCiphertextBlob(blob, await cache.open(found.key, record), context)
  if (plaintext === null) throw new JsonError('InvalidCiphertextException')
  return { plaintext, materialId }
}

/** @throws JsonError ValidationException for an encryption context that is too large */
export function requireContextSize(context: EncryptionContext): void {
  let length = 0
  for (const name in context) {
    length += Buffer.byteLength(name) + Buffer.byteLength(context[name] ?? '')
  }
  if (length > MAX_CONTEXT_LENGTH) {
    throw new JsonError(
      'ValidationException',
      `EncryptionContext must not be larger than ${MAX_CONTEXT_LENGTH} bytes.`,
    )
  }
}

/**
 * @param product - what is to be made under the key
 * @throws JsonError InvalidKeyUsageException for an RSA key, though it encrypts
 */
export function requireSymmetricKey({ key }: FoundKey, product: string): void {
  if (keySpec(key.keySpec).family === 'symmetric') return
  throw new JsonError(
    'InvalidKeyUsageException',
    `You cannot generate a ${product} with an asymmetric CMK`,
  )
}
