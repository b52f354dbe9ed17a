/**
 * Keys that callers bring (SSE-C). The key itself is never kept: a wrapping key for the object key is
 * derived from it by HKDF-SHA-512 (RFC 5869), and beside that a commitment, by which a later
 * request's key is known to be the same before anything is opened.
 *
 * ```
 * salt    32 random bytes, fresh for every object
 * info    "keyhold customer key v1"
 * output  wrapping key, 32 bytes │ commitment, 32 bytes
 * ```
 */
import {
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'

/** AES-256, the one algorithm there is. */
export const CUSTOMER_KEY_LENGTH = 32
const LABEL = 'keyhold customer key v1'
const SALT_LENGTH = 32
const HALF = 32

export interface CustomerWrappingKey {
  readonly wrappingKey: KeyObject
  readonly salt: Uint8Array
  /** 32 bytes, not secret. */
  readonly commitment: Buffer
}

/**
 * @param customerKey - 32 bytes, random as callers are told to make them
 * @param salt - that of the object; a new one when it is left out
 */
export function deriveWrappingKey(
  customerKey: KeyObject,
  salt: Uint8Array = randomBytes(SALT_LENGTH),
): CustomerWrappingKey {
  const output = Buffer.from(hkdfSync('sha512', customerKey, salt, LABEL, 2 * HALF))
  const wrappingKey = createSecretKey(output.subarray(0, HALF))
  const commitment = Buffer.from(output.subarray(HALF))
  output.fill(0)
  return { wrappingKey, salt, commitment }
}

/** @returns the wrapping key; `null` when this is not the key that the commitment is of */
export function matchWrappingKey(
  customerKey: KeyObject,
  salt: Uint8Array,
  expected: Uint8Array,
): KeyObject | null {
  const { wrappingKey, commitment } = deriveWrappingKey(customerKey, salt)
  const isSame = expected.length === commitment.length && timingSafeEqual(expected, commitment)
  return isSame ? wrappingKey : null
}
