/**
 * How the bytes of an object lie in a backing store: a row of AES-256-GCM segments without headers
 * (the STREAM construction: Hoang, Reyhanitabar, Rogaway and Vizár, "Online Authenticated-Encryption
 * and its Nonce-Reuse Misuse-Resistance", CRYPTO 2015).
 *
 * ```
 * blob      segment 0 │ segment 1 │ … │ final segment
 * segment   ciphertext, 65,536 bytes (final: 0 to 65,536) │ tag, 16 bytes
 * nonce     7 zero bytes │ segment index, u32be │ final flag, 1 byte (0 or 1)
 * AAD       "keyhold-segments-1" │ salt of the stream, 32 bytes
 * ```
 * Every segment but the final one is full, and there is always a final one: a stream of zero bytes
 * is one tag. The final flag stops a cut at a segment's edge, the index stops reordering, and the
 * stream key, which is fresh for every written stream, stops mixing. The nonces are a counter, as
 * SP 800-38D §8.2.1 asks, and unique because no two streams share a key.
 */
import { TAG_LENGTH } from '../crypto/aes-gcm.ts'

/** Bytes of plaintext in every segment but the final one. */
export const SEGMENT_LENGTH = 65_536
/** Bytes that a full segment takes in the backing store. */
export const STORED_SEGMENT_LENGTH = SEGMENT_LENGTH + TAG_LENGTH
export const SALT_LENGTH = 32
/** The index has 32 bits: 256 TiB. */
export const MAX_SEGMENTS = 2 ** 32
/** Names this format wherever it decides how bytes are read: in the AAD and in the key derivation. */
export const FORMAT_ID = 'keyhold-segments-1'

const FORMAT_ID_BYTES = Buffer.from(FORMAT_ID)
const NONCE_LENGTH = 12

/** What to fetch of a stored stream, and what to keep of what it decrypts to, for a range of plaintext. */
export interface SegmentRange {
  /** First and last stored byte, both inclusive. */
  readonly storedStart: number
  readonly storedEnd: number
  readonly firstSegment: number
  readonly lastSegment: number
  /** Bytes of plaintext to drop before the range. */
  readonly skip: number
  /** Bytes of plaintext in the range. */
  readonly take: number
}

/** @returns how many segments `plainSize` bytes of plaintext make: at least 1 */
export const segmentCount = (plainSize: number): number =>
  Math.max(1, Math.ceil(plainSize / SEGMENT_LENGTH))

/** @returns how many bytes `plainSize` bytes of plaintext take in the backing store */
export const storedLength = (plainSize: number): number =>
  plainSize + TAG_LENGTH * segmentCount(plainSize)

/**
 * The segments that hold bytes `start` to `end` (both inclusive, as in HTTP) of a stream.
 * @param end - `start - 1` for an empty range; an empty range still covers one segment, so that
 *   something is authenticated
 * @throws RangeError when the range does not lie within `plainSize`
 */
export function segmentRange(plainSize: number, start: number, end: number): SegmentRange {
  if (!(start >= 0 && end >= start - 1 && end < plainSize)) {
    throw new RangeError(`Bytes ${start} to ${end} do not lie within ${plainSize}.`)
  }
  const finalSegment = segmentCount(plainSize) - 1
  const firstSegment = Math.min(Math.floor(start / SEGMENT_LENGTH), finalSegment)
  const lastSegment = Math.max(firstSegment, Math.floor(end / SEGMENT_LENGTH))
  return {
    storedStart: firstSegment * STORED_SEGMENT_LENGTH,
    storedEnd: Math.min((lastSegment + 1) * STORED_SEGMENT_LENGTH, storedLength(plainSize)) - 1,
    firstSegment,
    lastSegment,
    skip: start - firstSegment * SEGMENT_LENGTH,
    take: end - start + 1,
  }
}

/**
 * @param index - from 0 to 2^32 - 1
 * @returns the 12-byte nonce of a segment
 */
export function segmentNonce(index: number, final: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_LENGTH)
  nonce.writeUInt32BE(index, 7)
  nonce[11] = final ? 1 : 0
  return nonce
}

/**
 * @param salt - 32 bytes
 * @returns what every segment of the stream with this salt is bound to
 */
export const segmentAad = (salt: Uint8Array): Buffer => Buffer.concat([FORMAT_ID_BYTES, salt])
