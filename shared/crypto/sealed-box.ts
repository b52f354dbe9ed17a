/**
 * A sealed box: short secrets of the service itself, encrypted under a key of the hierarchy. Holds
 * wrapped key material, secrets of access keys, pagination markers, wrapped object keys.
 *
 *   offset  length
 *        0       1   version, 01
 *        1      16   nonce
 *       17      12   IV
 *       29      32   key commitment
 *       61       n   ciphertext
 *   61 + n      16   tag
 *
 * Keys and AAD: committed-aead.ts. The layout is frozen: what was sealed once opens for ever.
 */
import type { KeyObject } from 'node:crypto'
import { openCommitted, sealCommitted } from './committed-aead.ts'

const VERSION = 1
const prefix = Buffer.of(VERSION)

/**
 * @param key - 32 random bytes
 * @param label - the purpose, printable ASCII; a box opens only under the label it was sealed with
 * @param aad - authenticated, not stored; `open` needs the same bytes
 * @returns 77 bytes more than the plaintext
 */
export const seal = (
  key: KeyObject,
  label: string,
  plaintext: Uint8Array,
  aad: Uint8Array,
): Buffer => sealCommitted(key, label, prefix, plaintext, aad)

/**
 * @returns the plaintext, which the caller wipes; `null` when version, length, key, label, AAD or
 *   any byte is not that of `seal`
 */
export function open(
  key: KeyObject,
  label: string,
  sealed: Uint8Array,
  aad: Uint8Array,
): Buffer | null {
  if (sealed[0] !== VERSION) return null
  return openCommitted(key, label, prefix.length, sealed, aad)
}
