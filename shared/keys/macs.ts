/** Message authentication codes: whole HMACs, never cut (AWS KMS API reference, "GenerateMac"; RFC 2104). */
import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { hmac } from '../crypto/hmac.ts'
import { type KeySpec, requireAlgorithm } from './key-specs.ts'

const hashes = {
  HMAC_SHA_224: 'sha224',
  HMAC_SHA_256: 'sha256',
  HMAC_SHA_384: 'sha384',
  HMAC_SHA_512: 'sha512',
} as const
export type MacAlgorithm = keyof typeof hashes

/** @throws JsonError InvalidKeyUsageException for the algorithm of another key spec */
export const requireMacAlgorithm = (spec: KeySpec, algorithm: MacAlgorithm): void =>
  requireAlgorithm(spec, 'GENERATE_VERIFY_MAC', algorithm)

/** @returns 28, 32, 48 or 64 bytes */
export const macOf = (algorithm: MacAlgorithm, key: KeyObject, message: Uint8Array): Buffer =>
  hmac(hashes[algorithm], key, message)

/** @param mac - any bytes; compared in constant time when it has the length of one */
export function isMacOf(
  algorithm: MacAlgorithm,
  key: KeyObject,
  message: Uint8Array,
  mac: Uint8Array,
): boolean {
  const expected = macOf(algorithm, key, message)
  return mac.length === expected.length && timingSafeEqual(mac, expected)
}
