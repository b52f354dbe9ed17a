/**
 * RSASSA-PKCS1-v1_5 and RSASSA-PSS (RFC 8017, section 8), over a message and over a digest that was
 * made elsewhere. PSS: MGF1 with the same hash, and a salt exactly as long as a digest.
 */
import { constants, type KeyObject, privateEncrypt, publicDecrypt } from 'node:crypto'
import { encodePkcs1, encodePss, type HashName, hashes, isPssOf } from './emsa.ts'
import { freshBytes } from './random.ts'
import { nativeScheme, type SignatureScheme } from './signature-scheme.ts'

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_NO_PADDING } = constants

/** Over a message of any length. */
export const pkcs1OfMessage = (hash: HashName): SignatureScheme =>
  nativeScheme(hash, { padding: RSA_PKCS1_PADDING })

/** Over a message of any length. */
export const pssOfMessage = (hash: HashName): SignatureScheme =>
  nativeScheme(hash, { padding: RSA_PKCS1_PSS_PADDING, saltLength: hashes[hash].length })

/** Over a digest; the same signatures as `pkcs1OfMessage` makes of what was digested. */
export const pkcs1OfDigest = (hash: HashName): SignatureScheme => ({
  async sign(key, digest) {
    return signEncoded(key, encodePkcs1(hash, digest, modulusBytes(key)))
  },
  async verify(key, digest, signature) {
    const expected = encodePkcs1(hash, digest, modulusBytes(key))
    return openEncoded(key, signature)?.equals(expected) ?? false
  },
})

/** Over a digest; each verifies what `pssOfMessage` made, and the other way about. */
export const pssOfDigest = (hash: HashName): SignatureScheme => ({
  async sign(key, digest) {
    const salt = freshBytes(hashes[hash].length)
    return signEncoded(key, encodePss(hash, digest, salt, modulusBytes(key)))
  },
  async verify(key, digest, signature) {
    const encoded = openEncoded(key, signature)
    return encoded !== null && isPssOf(hash, digest, encoded)
  },
})

const modulusBytes = (key: KeyObject): number => (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8

/** RSASP1 (RFC 8017, section 5.2.1). */
const signEncoded = (key: KeyObject, encoded: Buffer): Buffer =>
  privateEncrypt({ key, padding: RSA_NO_PADDING }, encoded)

/** RSAVP1 (RFC 8017, section 5.2.2). @returns `null` for a signature that is not a number below the modulus */
function openEncoded(key: KeyObject, signature: Uint8Array): Buffer | null {
  if (signature.length !== modulusBytes(key)) return null
  try {
    return publicDecrypt({ key, padding: RSA_NO_PADDING }, signature)
  } catch {
    return null
  }
}
