/**
 * AES key wrap with padding, AES-256: RFC 5649, NIST SP 800-38F section 6.3.
 *
 *   semiblock 0            A65959A6 | length of the key material u32be
 *   then, after unwrapping the key material, filled up to 8 bytes with zeros
 */
import { createDecipheriv, type KeyObject } from 'node:crypto'

const CIPHER = 'id-aes256-wrap-pad'
/** RFC 5649, section 3: the alternative initial value. */
const INITIAL_VALUE = Buffer.from('a65959a6', 'hex')
const SEMIBLOCK_LENGTH = 8

/**
 * @param key - 32 bytes
 * @param wrapped - two semiblocks or more
 * @returns what was wrapped, one byte or more, for the caller to wipe; `null` when it does not verify
 * @throws RangeError when the key has another length
 */
export function unwrapPadded(key: KeyObject, wrapped: Uint8Array): Buffer | null {
  const tooShort = wrapped.length < 2 * SEMIBLOCK_LENGTH
  if (tooShort || wrapped.length % SEMIBLOCK_LENGTH !== 0) return null
  const decipher = createDecipheriv(CIPHER, key, INITIAL_VALUE)
  try {
    // The whole of it is unwrapped and verified by `update`; there is nothing left for `final`.
    const material = decipher.update(wrapped)
    decipher.final()
    return material.length === 0 ? null : material
  } catch {
    return null
  }
}
