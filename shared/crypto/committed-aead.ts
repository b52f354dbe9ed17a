/**
 * Encryption under a key that is derived for one message and committed to. Both formats of this
 * room, the sealed box and the ciphertext blob, are a prefix of their own followed by this:
 *
 *   nonce 16 | IV 12 | commitment 32 | ciphertext as long as the plaintext | tag 16
 *
 *   message key 32 ‖ commitment 32 = KDF(key, label, nonce)     SP 800-108r1, one call of 64 bytes
 *   ciphertext, tag                = AES-256-GCM(message key, IV, AAD)
 *   AAD                            = prefix ‖ nonce ‖ IV ‖ commitment ‖ the caller's AAD
 *
 * A fresh message key for every message lifts the bound of 2^32 messages that random IVs have under
 * one key (SP 800-38D §8.3): a repetition needs equal nonce and equal IV, 224 random bits. GCM
 * alone does not commit to its key: one ciphertext can be made that opens under two. The commitment
 * is another block of the same PRF, so two keys that share it are a collision of HMAC-SHA-256.
 */
import { createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { decryptAesGcm, encryptAesGcm, IV_LENGTH, KEY_LENGTH, TAG_LENGTH } from './aes-gcm.ts'
import { deriveBytes } from './kdf.ts'
import { freshBytes } from './random.ts'

const NONCE_LENGTH = 16
const COMMITMENT_LENGTH = 32
const COMMITMENT_OFFSET = NONCE_LENGTH + IV_LENGTH
const CIPHERTEXT_OFFSET = COMMITMENT_OFFSET + COMMITMENT_LENGTH

/** How many bytes longer the result is than prefix and plaintext together. */
export const COMMITTED_OVERHEAD = CIPHERTEXT_OFFSET + TAG_LENGTH

/**
 * @param label - the purpose, printable ASCII
 * @param prefix - goes in front as it is; its length must follow from its own content
 * @returns prefix and encrypted plaintext, `COMMITTED_OVERHEAD` bytes longer than both
 */
export function sealCommitted(
  key: KeyObject,
  label: string,
  prefix: Uint8Array,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Buffer {
  const sealed = Buffer.allocUnsafe(prefix.length + COMMITTED_OVERHEAD + plaintext.length)
  sealed.set(prefix, 0)
  sealed.set(freshBytes(COMMITMENT_OFFSET), prefix.length)
  const parts = partsOf(sealed, prefix.length)
  const { messageKey, commitment } = messageKeyOf(key, label, parts.nonce)
  parts.commitment.set(commitment)
  const { ciphertext, tag } = encryptAesGcm(
    messageKey,
    parts.iv,
    Buffer.concat([parts.header, aad]),
    plaintext,
  )
  parts.ciphertext.set(ciphertext)
  parts.tag.set(tag)
  return sealed
}

/**
 * @param prefixLength - bytes before the nonce, as `sealCommitted` was given them
 * @returns the plaintext, in an allocation of its own; `null` when anything does not verify
 */
export function openCommitted(
  key: KeyObject,
  label: string,
  prefixLength: number,
  sealed: Uint8Array,
  aad: Uint8Array,
): Buffer | null {
  if (sealed.length < prefixLength + COMMITTED_OVERHEAD) return null
  const parts = partsOf(sealed, prefixLength)
  const { messageKey, commitment } = messageKeyOf(key, label, parts.nonce)
  if (!timingSafeEqual(commitment, parts.commitment)) return null
  const fullAad = Buffer.concat([parts.header, aad])
  return decryptAesGcm(messageKey, parts.iv, fullAad, parts.ciphertext, parts.tag)
}

/** Views into the sealed bytes, which are long enough; nothing is copied. */
function partsOf(sealed: Uint8Array, prefixLength: number) {
  const ciphertextAt = prefixLength + CIPHERTEXT_OFFSET
  const tagAt = sealed.length - TAG_LENGTH
  return {
    header: sealed.subarray(0, ciphertextAt),
    nonce: sealed.subarray(prefixLength, prefixLength + NONCE_LENGTH),
    iv: sealed.subarray(prefixLength + NONCE_LENGTH, prefixLength + COMMITMENT_OFFSET),
    commitment: sealed.subarray(prefixLength + COMMITMENT_OFFSET, ciphertextAt),
    ciphertext: sealed.subarray(ciphertextAt, tagAt),
    tag: sealed.subarray(tagAt),
  }
}

/**
 * The message key as a KeyObject: OpenSSL keeps it in memory that it clears when freeing, and Node
 * starts a cipher from one in a quarter of the time that raw bytes take.
 */
function messageKeyOf(
  key: KeyObject,
  label: string,
  nonce: Uint8Array,
): { readonly messageKey: KeyObject; readonly commitment: Buffer } {
  const derived = deriveBytes(key, label, nonce, KEY_LENGTH + COMMITMENT_LENGTH)
  const messageKey = createSecretKey(derived.subarray(0, KEY_LENGTH))
  derived.fill(0, 0, KEY_LENGTH)
  return { messageKey, commitment: derived.subarray(KEY_LENGTH) }
}
