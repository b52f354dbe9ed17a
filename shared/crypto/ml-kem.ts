/** ML-KEM (NIST FIPS 203): a shared secret of 32 bytes, and the ciphertext that carries it. */
import { decapsulate, encapsulate, type KeyObject } from 'node:crypto'

/**
 * @param publicKey - ML-KEM-512, -768 or -1024
 * @returns a new secret, for the caller to wipe, and its ciphertext of 768, 1088 or 1568 bytes
 *   (FIPS 203, section 7.2)
 */
export function encapsulateSecret(publicKey: KeyObject): {
  readonly sharedSecret: Buffer
  readonly ciphertext: Buffer
} {
  const { sharedKey, ciphertext } = encapsulate(publicKey)
  return { sharedSecret: sharedKey, ciphertext }
}

/**
 * @param ciphertextBytes - the length that the parameter set has
 * @returns the secret, for the caller to wipe: of a ciphertext that was not made under this key a
 *   pseudo-random one ("implicit rejection", FIPS 203, section 6.3); `null` for another length
 *   (section 7.3, ciphertext type check)
 */
export const decapsulateSecret = (
  privateKey: KeyObject,
  ciphertext: Uint8Array,
  ciphertextBytes: number,
): Buffer | null =>
  ciphertext.length === ciphertextBytes ? decapsulate(privateKey, ciphertext) : null
