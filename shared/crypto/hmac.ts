/** HMAC with SHA-256: FIPS 198-1, RFC 2104. */
import { createHmac, type KeyObject } from 'node:crypto'

export const HMAC_SHA256_LENGTH = 32

/** @returns the whole tag, 32 bytes, in an allocation of its own */
export const hmacSha256 = (key: KeyObject, message: Uint8Array): Buffer =>
  createHmac('sha256', key).update(message).digest()
