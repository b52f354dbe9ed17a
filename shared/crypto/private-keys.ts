/**
 * Private keys as bytes: PKCS#8 in DER (RFC 5958), in one form for each key, whatever it was made or
 * read from. Node reads what OpenSSL reads, which is more: bytes after the key, for one.
 */
import { createPrivateKey, type KeyObject } from 'node:crypto'
import { element, readElement, SEQUENCE } from './der.ts'

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

/** As `readPrivateKey`, also when the outermost length is written in a way that BER has and DER has not. */
export function readBerPrivateKey(bytes: Uint8Array): KeyObject | null {
  const content = bytes[0] === SEQUENCE ? berContent(bytes) : null
  if (content === null) return null
  const der = element(SEQUENCE, content)
  try {
    return readPrivateKey(der)
  } finally {
    der.fill(0)
  }
}

/**
 * What is in the one element that these bytes are (X.690, section 8.1.3): its length is indefinite, and
 * two zero bytes end it, or it is written in up to four bytes.
 */
function berContent(bytes: Uint8Array): Uint8Array | null {
  const first = bytes[1] ?? 0
  if (first === 0x80) return endsIndefinite(bytes) ? bytes.subarray(2, -2) : null
  const start = first < 0x80 ? 2 : first - 0x80 + 2
  if (start > 6 || start > bytes.length) return null
  const length = bytes.subarray(2, start).reduce((sum, byte) => sum * 256 + byte, 0)
  return start + (first < 0x80 ? first : length) === bytes.length ? bytes.subarray(start) : null
}

/** Whether elements fill the bytes from the third on, and the end mark is the last of them. */
function endsIndefinite(bytes: Uint8Array): boolean {
  let at = 2
  while (at < bytes.length - 2) {
    const next = readElement(bytes, at)
    if (next === null || next.tag === 0) return false
    at = next.end
  }
  return at === bytes.length - 2 && bytes[at] === 0 && bytes[at + 1] === 0
}
