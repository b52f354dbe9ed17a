/**
 * Ed25519 and Ed25519ph (RFC 8032, section 5.1), signatures of 64 bytes. Ed25519ph hashes what it is
 * given with SHA-512 and signs that under a domain of its own; node:crypto does not have it.
 */
import type { KeyObject } from 'node:crypto'
import { nativeScheme, type SignatureScheme } from './signature-scheme.ts'

const KEY_LENGTH = 32

export const ed25519Pure: SignatureScheme = nativeScheme(null)

export const ed25519Prehashed: SignatureScheme = {
  async sign(key, message) {
    const { ed25519ph } = await import('@noble/curves/ed25519.js')
    const encoded = key.export({ type: 'pkcs8', format: 'der' })
    try {
      return Buffer.from(ed25519ph.sign(message, encoded.subarray(-KEY_LENGTH)))
    } finally {
      encoded.fill(0)
    }
  },
  async verify(key, message, signature) {
    const { ed25519ph } = await import('@noble/curves/ed25519.js')
    try {
      // Strictly by RFC 8032: no encodings of points but the canonical ones.
      return ed25519ph.verify(signature, message, publicBytes(key), { zip215: false })
    } catch {
      return false // of another length
    }
  },
}

/** The key is what an SPKI ends with (RFC 8410, section 4). */
const publicBytes = (key: KeyObject): Buffer =>
  key.export({ type: 'spki', format: 'der' }).subarray(-KEY_LENGTH)
