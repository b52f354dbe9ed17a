/** Comparison of hashes and signatures that takes as long wherever they differ. */
import { timingSafeEqual } from 'node:crypto'

const SHA256_HEX = /^[0-9a-f]{64}$/

/**
 * @param given - what a caller sent
 * @param ours - 64 lower-case hex digits
 * @returns whether `given` is the same 64 lower-case hex digits
 */
export const equalHex = (given: string, ours: string): boolean =>
  equalsDigest(given, Buffer.from(ours, 'hex'))

/**
 * @param given - what a caller sent
 * @param ours - 32 bytes
 * @returns whether `given` is those bytes as 64 lower-case hex digits
 */
export const equalsDigest = (given: string, ours: Buffer): boolean =>
  SHA256_HEX.test(given) && timingSafeEqual(Buffer.from(given, 'hex'), ours)
