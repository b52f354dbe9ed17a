/**
 * What RSA signs: encodings of a digest, as long as the modulus (RFC 8017, section 9).
 *
 * ```
 * EMSA-PKCS1-v1_5   00 01 │ ff … ff │ 00 │ DigestInfo: which hash, and the digest
 * EMSA-PSS          DB xor MGF1(H)                      │ H = hash(00×8, digest, salt) │ bc
 *                   DB = 00 … 00 │ 01 │ salt
 * ```
 */
import { hash } from 'node:crypto'

/** By Node's name of the hash: bytes of a digest, and what precedes it in a DigestInfo (RFC 8017, section 9.2, note 1). */
export const hashes = {
  sha256: { length: 32, digestInfo: '3031300d060960864801650304020105000420' },
  sha384: { length: 48, digestInfo: '3041300d060960864801650304020205000430' },
  sha512: { length: 64, digestInfo: '3051300d060960864801650304020305000440' },
} as const
export type HashName = keyof typeof hashes

/** @param length - bytes of the modulus */
export function encodePkcs1(hashName: HashName, digest: Uint8Array, length: number): Buffer {
  const digestInfo = Buffer.from(hashes[hashName].digestInfo, 'hex')
  const padding = Buffer.alloc(length - 3 - digestInfo.length - digest.length, 0xff)
  return Buffer.concat([Buffer.of(0, 1), padding, Buffer.of(0), digestInfo, digest])
}

const TRAILER = 0xbc
/** A modulus has whole bytes, and what is signed has one bit less, so that it is the smaller number. */
const TOP_BITS = 0x7f

/**
 * @param salt - as long as a digest
 * @param length - bytes of the modulus
 */
export function encodePss(
  hashName: HashName,
  digest: Uint8Array,
  salt: Uint8Array,
  length: number,
): Buffer {
  const h = pssHash(hashName, digest, salt)
  const padding = Buffer.alloc(length - h.length - salt.length - 2)
  const db = Buffer.concat([padding, Buffer.of(1), salt])
  return Buffer.concat([masked(hashName, db, h), h, Buffer.of(TRAILER)])
}

/**
 * Whether these bytes encode the digest, with a salt as long as a digest (RFC 8017, section 9.1.2).
 * @param encoded - as long as the modulus
 */
export function isPssOf(hashName: HashName, digest: Uint8Array, encoded: Buffer): boolean {
  const hLength = hashes[hashName].length
  const dbLength = encoded.length - hLength - 1
  const maskedDb = encoded.subarray(0, dbLength)
  const h = encoded.subarray(dbLength, -1)
  if (encoded.at(-1) !== TRAILER || ((maskedDb[0] ?? 0) & ~TOP_BITS) !== 0) return false
  const db = masked(hashName, maskedDb, h)
  const salt = db.subarray(dbLength - hLength)
  const padding = db.subarray(0, dbLength - hLength - 1)
  if (padding.some((byte) => byte !== 0) || db[padding.length] !== 1) return false
  return pssHash(hashName, digest, salt).equals(h)
}

const pssHash = (hashName: HashName, digest: Uint8Array, salt: Uint8Array): Buffer =>
  hash(hashName, Buffer.concat([Buffer.alloc(8), digest, salt]), 'buffer')

/** DB under the mask that H gives, or the other way about. */
function masked(hashName: HashName, db: Uint8Array, h: Uint8Array): Buffer {
  const mask = mgf1(hashName, h, db.length)
  const result = Buffer.from(db.map((byte, index) => byte ^ (mask[index] ?? 0)))
  result[0] = (result[0] ?? 0) & TOP_BITS
  return result
}

/** RFC 8017, appendix B.2.1. */
function mgf1(hashName: HashName, seed: Uint8Array, length: number): Buffer {
  const blocks: Buffer[] = []
  for (let counter = 0; counter * hashes[hashName].length < length; counter++) {
    const index = Buffer.alloc(4)
    index.writeUInt32BE(counter)
    blocks.push(hash(hashName, Buffer.concat([seed, index]), 'buffer'))
  }
  return Buffer.concat(blocks).subarray(0, length)
}
