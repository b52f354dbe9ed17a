/** Encrypting and decrypting under a symmetric key: the newest material seals, every material opens. */
import {
  openCiphertextBlob,
  type ParsedCiphertextBlob,
  sealCiphertextBlob,
} from '../crypto/ciphertext-blob.ts'
import { JsonError } from '../errors.ts'
import type { MaterialId } from '../ids.ts'
import type { MaterialRecord } from '../store/records.ts'
import type { FoundKey } from './keys.ts'
import { type MaterialCache, MaterialDamaged } from './material.ts'

export type EncryptionContext = Readonly<Record<string, string>>

export const SYMMETRIC_ALGORITHM = 'SYMMETRIC_DEFAULT'

/**
 * A limit of our own, as AWS publishes none: names and values of an encryption context together, in
 * UTF-8 bytes. Every audit record carries the context.
 */
const MAX_CONTEXT_LENGTH = 8192

/**
 * @param plaintext - 1 to 4096 bytes
 * @returns the ciphertext blob, and the id of the material that it is under
 */
export async function encryptUnder(
  found: FoundKey,
  plaintext: Uint8Array,
  context: EncryptionContext,
  cache: MaterialCache,
): Promise<{ readonly blob: Buffer; readonly materialId: MaterialId }> {
  requireContextSize(context)
  const record = currentMaterial(found)
  const material = await cache.open(found.key, record)
  const { account, keyId } = found.key
  const { materialId } = record
  return {
    blob: sealCiphertextBlob({ account, keyId, materialId }, material, plaintext, context),
    materialId,
  }
}

/**
 * @param blob - one that names the found key
 * @returns the plaintext, for the caller to wipe
 * @throws JsonError InvalidCiphertextException for every way in which it does not open
 */
export async function decryptUnder(
  found: FoundKey,
  blob: ParsedCiphertextBlob,
  context: EncryptionContext,
  cache: MaterialCache,
): Promise<Buffer> {
  requireContextSize(context)
  const record = found.bundle.materials.find(({ materialId }) => materialId === blob.materialId)
  const plaintext =
    record === undefined
      ? null
      : openCiphertextBlob(blob, await cache.open(found.key, record), context)
  if (plaintext === null) throw new JsonError('InvalidCiphertextException')
  return plaintext
}

/** @throws MaterialDamaged when the key's row names material that is not there */
function currentMaterial({ bundle, key }: FoundKey): MaterialRecord {
  const record = bundle.materials.find(({ materialId }) => materialId === key.current)
  if (record === undefined)
    throw new MaterialDamaged(`The current material of ${key.keyId} is missing.`)
  return record
}

function requireContextSize(context: EncryptionContext): void {
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

/** @throws JsonError InvalidKeyUsageException for an algorithm that is not that of symmetric keys */
export function requireSymmetricAlgorithm(algorithm: string, { key }: FoundKey): void {
  if (algorithm !== SYMMETRIC_ALGORITHM) {
    throw new JsonError(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${key.keySpec}.`,
    )
  }
}
