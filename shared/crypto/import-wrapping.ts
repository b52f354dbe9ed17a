/**
 * How key material travels to a key: under an RSA public key made for the purpose (AWS KMS Developer
 * Guide, "Select a wrapping algorithm").
 *
 *   RSAES_OAEP_SHA_*        RSA-OAEP(material)                          RFC 8017 section 7.1
 *   RSA_AES_KEY_WRAP_SHA_*  RSA-OAEP(AES-256 key) ‖ AES-KWP(material)   RFC 5649
 *
 * OAEP has the same hash for its label, which is empty, and for MGF1. Its block is exactly as long as
 * the modulus.
 */
import { constants, createSecretKey, type KeyObject, privateDecrypt } from 'node:crypto'
import { KEY_LENGTH } from './aes-gcm.ts'
import { unwrapPadded } from './aes-kwp.ts'

export const IMPORT_WRAPPINGS = [
  'RSAES_OAEP_SHA_1',
  'RSAES_OAEP_SHA_256',
  'RSA_AES_KEY_WRAP_SHA_1',
  'RSA_AES_KEY_WRAP_SHA_256',
] as const
export type ImportWrapping = (typeof IMPORT_WRAPPINGS)[number]

const wrappings = {
  RSAES_OAEP_SHA_1: { hash: 'sha1', unwrap: unwrapOaep },
  RSAES_OAEP_SHA_256: { hash: 'sha256', unwrap: unwrapOaep },
  RSA_AES_KEY_WRAP_SHA_1: { hash: 'sha1', unwrap: unwrapTwice },
  RSA_AES_KEY_WRAP_SHA_256: { hash: 'sha256', unwrap: unwrapTwice },
} as const satisfies Record<ImportWrapping, object>

/**
 * @param importWrappingKey - an RSA private key
 * @returns the material, for the caller to wipe; `null` for every way in which it does not open
 */
export function unwrapMaterialForImport(
  importWrappingKey: KeyObject,
  wrapping: ImportWrapping,
  encrypted: Uint8Array,
): Buffer | null {
  const { hash, unwrap } = wrappings[wrapping]
  return unwrap(importWrappingKey, hash, encrypted)
}

function unwrapTwice(key: KeyObject, hash: string, encrypted: Uint8Array): Buffer | null {
  const blockLength = modulusLength(key)
  const aesKey = unwrapOaep(key, hash, encrypted.subarray(0, blockLength))
  if (aesKey === null) return null
  try {
    if (aesKey.length !== KEY_LENGTH) return null
    return unwrapPadded(createSecretKey(aesKey), encrypted.subarray(blockLength))
  } finally {
    aesKey.fill(0)
  }
}

/** OpenSSL takes a shorter block for a number with leading zeros, so the length is checked here. */
function unwrapOaep(key: KeyObject, oaepHash: string, block: Uint8Array): Buffer | null {
  if (block.length !== modulusLength(key)) return null
  try {
    return privateDecrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, block)
  } catch {
    return null
  }
}

const modulusLength = (key: KeyObject): number =>
  Math.ceil((key.asymmetricKeyDetails?.modulusLength ?? 0) / 8)
