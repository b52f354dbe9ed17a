/** HMAC with hashes of the SHA-2 family: FIPS 198-1, RFC 2104. */
import { createHmac, type KeyObject } from 'node:crypto'

export const HMAC_SHA256_LENGTH = 32

/** @returns the whole tag, as long as what the hash gives, in an allocation of its own */
export const hmac = (
  hash: 'sha224' | 'sha256' | 'sha384' | 'sha512',
  key: KeyObject,
  message: Uint8Array,
): Buffer => createHmac(hash, key).update(message).digest()

/** @returns the whole tag, 32 bytes, in an allocation of its own */
export const hmacSha256 = (key: KeyObject, message: Uint8Array): Buffer =>
  hmac('sha256', key, message)
