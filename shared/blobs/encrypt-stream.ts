/** Turns plaintext into the segments that segments.ts describes, in flat memory and one pass. */
import type { KeyObject } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { encryptAesGcm } from '../crypto/aes-gcm.ts'
import { SegmentCutter } from './segment-cutter.ts'
import { MAX_SEGMENTS, SEGMENT_LENGTH, segmentAad, segmentNonce } from './segments.ts'

export interface SegmentEncryptorOptions {
  /** The stream key; it may serve one encryptor only. */
  readonly key: KeyObject
  /** The 32 bytes that the stream key was derived with. */
  readonly salt: Uint8Array
  /** Sees every chunk of plaintext once, in order: for digests. What it throws fails the stream. */
  readonly observe?: (chunk: Uint8Array) => void
  /**
   * Asked when all plaintext has come and before the final segment leaves. Without that segment the
   * blob opens for nobody, so what it throws (a digest that does not agree) ends the stream for good.
   */
  readonly verify?: () => void | Promise<void>
}

/**
 * Plaintext in, stored bytes out. Chunks may have any length and must not be changed after they were
 * written. Holds at most one segment of plaintext, and stops taking chunks while nobody reads.
 */
export class SegmentEncryptor extends Transform {
  readonly #options: SegmentEncryptorOptions
  readonly #aad: Buffer
  readonly #cutter = new SegmentCutter(SEGMENT_LENGTH)
  #index = 0
  #plainSize = 0

  constructor(options: SegmentEncryptorOptions) {
    super({ readableHighWaterMark: 4 * SEGMENT_LENGTH, writableHighWaterMark: SEGMENT_LENGTH })
    this.#options = options
    this.#aad = segmentAad(options.salt)
  }

  /** Bytes of plaintext that came so far. */
  get plainSize(): number {
    return this.#plainSize
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      this.#plainSize += chunk.length
      this.#options.observe?.(chunk)
      for (const piece of this.#cutter.push(chunk)) this.#emitSegment(piece, false)
      callback()
    } catch (error) {
      callback(error as Error)
    }
  }

  override _flush(callback: TransformCallback): void {
    this.#finish().then(() => callback(), callback)
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#cutter.wipe()
    callback(error)
  }

  async #finish(): Promise<void> {
    await this.#options.verify?.()
    if (this.destroyed) return
    this.#emitSegment(this.#cutter.last(), true)
  }

  #emitSegment(plaintext: Uint8Array, final: boolean): void {
    if (this.#index >= MAX_SEGMENTS) throw new RangeError('The stream is too long.')
    const nonce = segmentNonce(this.#index, final)
    this.#index += 1
    const { ciphertext, tag } = encryptAesGcm(this.#options.key, nonce, this.#aad, plaintext)
    // Two chunks: joining them would copy every byte once more.
    if (ciphertext.length > 0) this.push(ciphertext)
    this.push(tag)
  }
}
