/** RSA private keys with two primes (RFC 8017, section 3.2 and appendix A.1.2). */
import {
  constants,
  createPublicKey,
  generateKeyPair,
  type KeyObject,
  sign,
  verify,
} from 'node:crypto'
import { promisify } from 'node:util'
import { INTEGER, OCTET_STRING, readElement } from './der.ts'
import { type PrivateKeyForm, readBerPrivateKey } from './private-keys.ts'

const generateRsa = promisify(generateKeyPair)

/** @param modulusLength - bits */
export const rsaKeys = (modulusLength: number): PrivateKeyForm => ({
  async generate() {
    const { privateKey } = await generateRsa('rsa', {
      modulusLength,
      publicExponent: 65_537,
      publicKeyEncoding: { type: 'spki', format: 'der' },
      privateKeyEncoding: { type: 'pkcs8', format: 'der' },
    })
    return privateKey
  },
  accept(bytes) {
    const key = readBerPrivateKey(bytes)
    if (key?.asymmetricKeyType !== 'rsa') return null
    if (key.asymmetricKeyDetails?.modulusLength !== modulusLength) return null
    const encoded = key.export({ type: 'pkcs8', format: 'der' })
    if (hasTwoPrimes(encoded) && isConsistent(key)) return encoded
    encoded.fill(0)
    return null
  },
})

/** PrivateKeyInfo { version, algorithm, OCTET STRING { RSAPrivateKey { version, … } } }: 0 is two primes. */
function hasTwoPrimes(pkcs8: Buffer): boolean {
  const info = readElement(pkcs8, 0)
  const version = info && readElement(pkcs8, info.start)
  const algorithm = version && readElement(pkcs8, version.end)
  const octets = algorithm && readElement(pkcs8, algorithm.end)
  const rsa = octets?.tag === OCTET_STRING ? readElement(pkcs8, octets.start) : null
  const primes = rsa && readElement(pkcs8, rsa.start)
  return primes?.tag === INTEGER && primes.end === primes.start + 1 && pkcs8[primes.start] === 0
}

/** Whether the private and the public numbers belong together, which reading a key does not check. */
function isConsistent(key: KeyObject): boolean {
  const message = Buffer.from('pairwise consistency')
  const padding = constants.RSA_PKCS1_PADDING
  try {
    const signature = sign('sha256', message, { key, padding })
    return verify('sha256', message, { key: createPublicKey(key), padding }, signature)
  } catch {
    return false
  }
}
