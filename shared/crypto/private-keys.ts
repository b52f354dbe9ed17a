/**
 * Private keys as bytes: PKCS#8 in DER (RFC 5958), in one form for each key, whatever it was made or
 * read from. Node reads what OpenSSL reads, which is more: bytes after the key, for one.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { readElement, SEQUENCE } from './der.ts'

/** How the private keys of one algorithm and size come to be. */
export interface PrivateKeyForm {
  /** @returns a new random key, PKCS#8 DER, for the caller to wipe */
  generate(): Promise<Buffer>
  /**
   * @param bytes - PKCS#8 from elsewhere
   * @returns the same key as `generate` would give it; `null` when it is not one of this algorithm
   *   and size
   */
  accept(bytes: Uint8Array): Buffer | null
}

/**
 * @param bytes - PKCS#8 DER as a `PrivateKeyForm` gave it
 * @throws Error for anything else
 */
export const openPrivateKey = (bytes: Buffer): KeyObject =>
  createPrivateKey({ key: bytes, format: 'der', type: 'pkcs8' })

/** @returns the key of PKCS#8 DER that may come from anywhere; `null` when it is none, or more than one */
export function readPrivateKey(bytes: Uint8Array): KeyObject | null {
  const whole = readElement(bytes, 0)
  if (whole?.tag !== SEQUENCE || whole.end !== bytes.length) return null
  try {
    return openPrivateKey(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength))
  } catch {
    return null
  }
}
