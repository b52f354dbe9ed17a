/** Opens the segments that segments.ts describes, each only when its tag verifies. */
import type { KeyObject } from 'node:crypto'
import { decryptAesGcm, TAG_LENGTH } from '../crypto/aes-gcm.ts'
import { SegmentCutter } from './segment-cutter.ts'
import {
  type SegmentRange,
  STORED_SEGMENT_LENGTH,
  segmentAad,
  segmentCount,
  segmentNonce,
} from './segments.ts'

/** What is stored is not what was written, or was not written under this key. The message is for our log. */
export class ObjectDamaged extends Error {
  override readonly name = 'ObjectDamaged'
}

/** Turns the stored bytes of one range of segments into the plaintext that was asked for. */
export class SegmentDecryptor {
  readonly #key: KeyObject
  readonly #aad: Buffer
  readonly #range: SegmentRange
  readonly #finalSegment: number
  readonly #cutter = new SegmentCutter(STORED_SEGMENT_LENGTH)
  #index: number
  #skip: number
  #left: number

  /**
   * @param key - the stream key
   * @param stream - its salt (32 bytes) and the bytes of plaintext in the whole stream
   * @param range - from `segmentRange`; exactly its stored bytes are to be pushed
   */
  constructor(
    key: KeyObject,
    stream: { readonly salt: Uint8Array; readonly size: number },
    range: SegmentRange,
  ) {
    this.#key = key
    this.#aad = segmentAad(stream.salt)
    this.#range = range
    this.#finalSegment = segmentCount(stream.size) - 1
    this.#index = range.firstSegment
    this.#skip = range.skip
    this.#left = range.take
  }

  /**
   * Takes stored bytes and gives verified plaintext, a piece for every segment.
   * @throws ObjectDamaged when a segment does not verify or there are more than the range has
   */
  *push(chunk: Uint8Array): Generator<Buffer, void, void> {
    for (const segment of this.#cutter.push(chunk)) {
      if (this.#index >= this.#range.lastSegment) throw new ObjectDamaged('A blob is too long.')
      yield this.#open(segment)
    }
  }

  /**
   * To be called when all stored bytes have come.
   * @returns the plaintext of the last segment
   * @throws ObjectDamaged when it does not verify or bytes are missing
   */
  finish(): Buffer {
    const { firstSegment, lastSegment, storedStart, storedEnd } = this.#range
    const before = (lastSegment - firstSegment) * STORED_SEGMENT_LENGTH
    const segment = this.#cutter.last()
    if (this.#index !== lastSegment || segment.length !== storedEnd - storedStart + 1 - before) {
      throw new ObjectDamaged('A blob has another length than was written.')
    }
    return this.#open(segment)
  }

  #open(segment: Uint8Array): Buffer {
    const nonce = segmentNonce(this.#index, this.#index === this.#finalSegment)
    const body = segment.subarray(0, -TAG_LENGTH)
    const tag = segment.subarray(-TAG_LENGTH)
    const plaintext = decryptAesGcm(this.#key, nonce, this.#aad, body, tag)
    if (plaintext === null) throw new ObjectDamaged(`Segment ${this.#index} does not verify.`)
    this.#index += 1
    return this.#trim(plaintext)
  }

  #trim(plaintext: Buffer): Buffer {
    const wanted = plaintext.subarray(this.#skip, this.#skip + this.#left)
    this.#skip = 0
    this.#left -= wanted.length
    return wanted
  }
}
