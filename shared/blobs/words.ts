/** Bytes seen as 32-bit words, for CRCs that take several words at a time. */

const WORD_LENGTH = 4
const noBytes = new Uint8Array(0)
const noWords = new Int32Array(0)

export interface Words {
  /** The bytes before the first word that lies on an address of words. */
  readonly head: Uint8Array
  /** Little-endian, as on every machine that Node runs on; a multiple of `step`. */
  readonly words: Int32Array
  readonly tail: Uint8Array
}

/** Splits bytes without copying them. */
export function splitWords(bytes: Uint8Array, step: number): Words {
  const start = -bytes.byteOffset & (WORD_LENGTH - 1)
  const count = Math.floor((bytes.length - start) / WORD_LENGTH / step) * step
  if (count <= 0) return { head: bytes, words: noWords, tail: noBytes }
  return {
    head: bytes.subarray(0, start),
    words: new Int32Array(bytes.buffer, bytes.byteOffset + start, count),
    tail: bytes.subarray(start + WORD_LENGTH * count),
  }
}
