/**
 * AES-256-GCM as this house uses it, and in no other way: 256-bit keys, 96-bit IVs, 128-bit tags
 * (NIST SP 800-38D).
 */
import { createCipheriv, createDecipheriv, type KeyObject } from 'node:crypto'

export const KEY_LENGTH = 32
export const IV_LENGTH = 12
export const TAG_LENGTH = 16

// Without authTagLength, Node accepts tags of as little as four bytes.
const options = { authTagLength: TAG_LENGTH } as const

/**
 * @param key - 32 bytes
 * @param iv - 12 bytes, never used before under this key
 * @returns ciphertext as long as the plaintext, and a tag of 16 bytes
 * @throws RangeError when key or IV have another length
 */
export function encryptAesGcm(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  plaintext: Uint8Array,
): { readonly ciphertext: Buffer; readonly tag: Buffer } {
  requireIvLength(iv)
  const cipher = createCipheriv('aes-256-gcm', key, iv, options)
  cipher.setAAD(aad)
  const ciphertext = cipher.update(plaintext)
  cipher.final()
  return { ciphertext, tag: cipher.getAuthTag() }
}

/**
 * @returns the plaintext, only once its tag is verified; `null` when it is not
 * @throws RangeError when key or IV have another length
 */
export function decryptAesGcm(
  key: KeyObject,
  iv: Uint8Array,
  aad: Uint8Array,
  ciphertext: Uint8Array,
  tag: Uint8Array,
): Buffer | null {
  requireIvLength(iv)
  if (tag.length !== TAG_LENGTH) return null
  const decipher = createDecipheriv('aes-256-gcm', key, iv, options)
  decipher.setAuthTag(tag)
  decipher.setAAD(aad)
  const unverified = decipher.update(ciphertext)
  try {
    decipher.final()
    return unverified
  } catch {
    unverified.fill(0)
    return null
  }
}

// Node takes an IV of any length, and GCM hashes those that are not 96 bits long (SP 800-38D §7.1).
function requireIvLength(iv: Uint8Array): void {
  if (iv.length !== IV_LENGTH) throw new RangeError(`An IV has ${IV_LENGTH} bytes.`)
}
