/**
 * Private keys that are a seed in PKCS#8: Ed25519 (RFC 8410, section 7), ML-DSA (RFC 9881, section 6)
 * and ML-KEM (RFC 9935, section 6), the last two in the form that holds the seed alone.
 *
 * ```
 * SEQUENCE { 0, SEQUENCE { algorithm }, OCTET STRING { seed } }
 * ```
 */
import { element, header, OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE } from './der.ts'
import { type PrivateKeyForm, readPrivateKey } from './private-keys.ts'
import { freshBytes } from './random.ts'

/** `[0] IMPLICIT OCTET STRING`: the choice of a seed among the forms of a post-quantum private key. */
const SEED = 0x80

interface SeededAlgorithm {
  readonly oid: string
  readonly seedTag: number
  readonly seedLength: number
}

const ed25519 = { oid: '2b6570', seedTag: OCTET_STRING, seedLength: 32 }
const mlDsa = { seedTag: SEED, seedLength: 32 }
const mlKem = { seedTag: SEED, seedLength: 64 }

/** By the name that Node has for the algorithm. */
const algorithms = {
  ed25519,
  'ml-dsa-44': { ...mlDsa, oid: '608648016503040311' },
  'ml-dsa-65': { ...mlDsa, oid: '608648016503040312' },
  'ml-dsa-87': { ...mlDsa, oid: '608648016503040313' },
  'ml-kem-512': { ...mlKem, oid: '608648016503040401' },
  'ml-kem-768': { ...mlKem, oid: '608648016503040402' },
  'ml-kem-1024': { ...mlKem, oid: '608648016503040403' },
} as const
export type SeededAlgorithmName = keyof typeof algorithms

export const seededKeys = (name: SeededAlgorithmName): PrivateKeyForm => ({
  async generate() {
    const algorithm = algorithms[name]
    const seed = freshBytes(algorithm.seedLength)
    const encoded = Buffer.concat([headerOf(algorithm), seed])
    seed.fill(0)
    return encoded
  },
  // AWS KMS imports no post-quantum key, and the longer forms of one may contradict their own seed.
  accept: (bytes) => (name === 'ed25519' ? acceptEd25519(bytes) : null),
})

/** Also with attributes and with the public key, which is dropped (RFC 8410, section 7). */
function acceptEd25519(bytes: Uint8Array): Buffer | null {
  const key = readPrivateKey(bytes)
  return key?.asymmetricKeyType === 'ed25519' ? key.export({ type: 'pkcs8', format: 'der' }) : null
}

/** Everything before the seed. */
function headerOf({ oid, seedTag, seedLength }: SeededAlgorithm): Buffer {
  const version = Buffer.of(0x02, 1, 0)
  const algorithm = element(SEQUENCE, element(OBJECT_IDENTIFIER, Buffer.from(oid, 'hex')))
  const seedHeader = header(seedTag, seedLength)
  const octets = header(OCTET_STRING, seedHeader.length + seedLength)
  const length = version.length + algorithm.length + octets.length + seedHeader.length + seedLength
  return Buffer.concat([header(SEQUENCE, length), version, algorithm, octets, seedHeader])
}
