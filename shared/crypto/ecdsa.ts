/**
 * ECDSA (FIPS 186-5, section 6), signatures in strict DER (X9.62): SEQUENCE { r, s }, s not brought
 * to the lower half. node:crypto always hashes what it is given, so digests go to another library.
 */
import type { KeyObject } from 'node:crypto'
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js'
import { curveOf, pointOf, scalarOf } from './ec-keys.ts'
import { nativeScheme, type SignatureScheme } from './signature-scheme.ts'

/** @param hash - Node's name of it */
export const ecdsaOfMessage = (hash: 'sha256' | 'sha384' | 'sha512'): SignatureScheme =>
  nativeScheme(hash)

const asGiven = { prehash: false, lowS: false, format: 'der' } as const

/** Over a digest; each verifies what `ecdsaOfMessage` made, and the other way about. */
export const ecdsaOfDigest: SignatureScheme = {
  async sign(key, digest) {
    const curve = await arithmeticOf(key)
    const scalar = scalarOf(key)
    try {
      // Hedged: k comes from key, digest and randomness (RFC 6979, section 3.6).
      return Buffer.from(curve.sign(digest, scalar, { ...asGiven, extraEntropy: true }))
    } finally {
      scalar.fill(0)
    }
  },
  async verify(key, digest, signature) {
    const curve = await arithmeticOf(key)
    const point = pointOf(key)
    try {
      return curve.verify(signature, digest, point, asGiven)
    } catch {
      return false // of all that is given here, only the signature may be malformed
    }
  },
}

async function arithmeticOf(key: KeyObject): Promise<ECDSA> {
  const name = curveOf(key)
  if (name === 'secp256k1') return (await import('@noble/curves/secp256k1.js')).secp256k1
  const { p256, p384, p521 } = await import('@noble/curves/nist.js')
  return { prime256v1: p256, secp384r1: p384, secp521r1: p521 }[name]
}
