/**
 * RSAES-OAEP (RFC 8017, section 7.1) with one hash for the label and for MGF1, and the empty label.
 * A ciphertext is one block as long as the modulus, so whoever has the public key can make it.
 */
import { constants, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto'

export type OaepHash = 'sha1' | 'sha256'

const HASH_LENGTH = { sha1: 20, sha256: 32 } as const
const padding = constants.RSA_PKCS1_OAEP_PADDING

/**
 * @param modulusBytes - of the RSA key
 * @returns how many bytes fit into one block (RFC 8017, section 7.1.1, step 1b)
 */
export const maxOaepPlaintext = (modulusBytes: number, hash: OaepHash): number =>
  modulusBytes - 2 * HASH_LENGTH[hash] - 2

/**
 * @param plaintext - 0 to `maxOaepPlaintext` bytes
 * @returns one block as long as the modulus
 * @throws Error when the plaintext is longer
 */
export const encryptOaep = (key: KeyObject, hash: OaepHash, plaintext: Uint8Array): Buffer =>
  publicEncrypt({ key, padding, oaepHash: hash }, plaintext)

/**
 * @param modulusBytes - of the RSA key
 * @returns the plaintext, for the caller to wipe; `null` for everything else, and nothing tells one
 *   way of being wrong from another (RFC 8017, section 7.1.2, the note on Manger's attack)
 */
export function decryptOaep(
  key: KeyObject,
  modulusBytes: number,
  hash: OaepHash,
  ciphertext: Uint8Array,
): Buffer | null {
  if (ciphertext.length !== modulusBytes) return null // section 7.1.2, step 1b
  try {
    return privateDecrypt({ key, padding, oaepHash: hash }, ciphertext)
  } catch {
    return null
  }
}
