/**
 * ML-DSA (FIPS 204), hedged, with an empty context: over a message, and over the message
 * representative mu = SHAKE256(SHAKE256(public key) ‖ 00 00 ‖ message), 64 bytes, that was made
 * elsewhere ("ExternalMu-ML-DSA"). node:crypto does not take mu.
 */
import type { KeyObject } from 'node:crypto'
import type { DSA } from '@noble/post-quantum/ml-dsa.js'
import { freshBytes } from './random.ts'
import { nativeScheme, type SignatureScheme } from './signature-scheme.ts'

export const MU_LENGTH = 64
/** Of the randomness that hedges a signature (FIPS 204, algorithm 2). */
const HEDGE_LENGTH = 32

export const mlDsaOfMessage: SignatureScheme = nativeScheme(null)

/** Over mu; each verifies what `mlDsaOfMessage` made, and the other way about. */
export const mlDsaOfMu: SignatureScheme = {
  async sign(key, mu) {
    const { internal, lengths } = await parametersOf(key)
    const encoded = key.export({ type: 'pkcs8', format: 'der' })
    const secretKey = expandedKey(encoded, lengths.secretKey ?? 0)
    const extraEntropy = freshBytes(HEDGE_LENGTH)
    try {
      return Buffer.from(internal.sign(mu, secretKey, { externalMu: true, extraEntropy }))
    } finally {
      encoded.fill(0)
      extraEntropy.fill(0)
    }
  },
  async verify(key, mu, signature) {
    const { internal } = await parametersOf(key)
    const publicKey = key.export({ format: 'raw-public' })
    return internal.verify(signature, mu, publicKey, { externalMu: true })
  },
}

/** PKCS#8 as node:crypto writes it ends with the key that the seed expands to (RFC 9881, section 6). */
function expandedKey(pkcs8: Buffer, length: number): Buffer {
  if (length === 0 || pkcs8.length <= length) throw new RangeError('Not an expanded private key.')
  return pkcs8.subarray(-length)
}

async function parametersOf(key: KeyObject): Promise<DSA> {
  const { ml_dsa44, ml_dsa65, ml_dsa87 } = await import('@noble/post-quantum/ml-dsa.js')
  switch (key.asymmetricKeyType) {
    case 'ml-dsa-44':
      return ml_dsa44
    case 'ml-dsa-65':
      return ml_dsa65
    case 'ml-dsa-87':
      return ml_dsa87
    default:
      throw new TypeError('Not a key of ML-DSA.')
  }
}
