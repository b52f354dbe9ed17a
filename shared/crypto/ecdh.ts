/**
 * Elliptic curve Diffie-Hellman on the NIST curves (NIST SP 800-56A Rev. 3, section 5.7.1.2). The
 * other party's public key comes from outside, as SubjectPublicKeyInfo in the one DER encoding that
 * RFC 5480 gives for a named curve and an uncompressed point:
 *
 * ```
 * SEQUENCE { SEQUENCE { ecPublicKey, curve }, BIT STRING 04 x y }
 * ```
 */
import { createPublicKey, diffieHellman, type KeyObject } from 'node:crypto'
import type { CurveName } from './ec-keys.ts'

/** By curve: everything before the point, and the bytes of a coordinate. */
const encodings: ReadonlyMap<CurveName, { readonly prefix: Buffer; readonly size: number }> =
  new Map(
    (
      [
        ['prime256v1', '3059301306072a8648ce3d020106082a8648ce3d030107034200', 32],
        ['secp384r1', '3076301006072a8648ce3d020106052b81040022036200', 48],
        ['secp521r1', '30819b301006072a8648ce3d020106052b8104002303818600', 66],
      ] as const
    ).map(([curve, prefix, size]) => [curve, { prefix: Buffer.from(prefix, 'hex'), size }]),
  )

const UNCOMPRESSED = 0x04

/**
 * @param spki - SubjectPublicKeyInfo in DER
 * @returns the public key; `null` unless the bytes are exactly one key on the curve: parameters in
 *   place of the curve's name, compressed points and trailing bytes are refused, and so are points
 *   that are not on the curve (SP 800-56A, section 5.6.2.3.3; all three curves have cofactor 1)
 */
export function readPeerKey(spki: Uint8Array, curve: CurveName): KeyObject | null {
  const encoding = encodings.get(curve)
  if (encoding === undefined) return null
  const { prefix, size } = encoding
  if (spki.length !== prefix.length + 1 + 2 * size || spki[prefix.length] !== UNCOMPRESSED) {
    return null
  }
  if (prefix.compare(spki, 0, prefix.length) !== 0) return null
  try {
    return createPublicKey({ key: Buffer.from(spki), format: 'der', type: 'spki' })
  } catch {
    return null
  }
}

/**
 * @param peer - from `readPeerKey`, on the curve of the private key
 * @returns the X coordinate of the shared point: 32, 48 or 66 bytes, for the caller to wipe
 */
export const deriveSecret = (privateKey: KeyObject, peer: KeyObject): Buffer =>
  diffieHellman({ privateKey, publicKey: peer })
