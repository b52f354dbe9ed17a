/**
 * Writes fields one after the other so that they can be read back in one way only, and hands full
 * stretches of them on: for authenticating long records without holding their encoding.
 *
 * ```
 * bytes, text    length, u32be │ the bytes (text: as in crypto/text.ts)
 * number         IEEE 754 double, big-endian
 * flag           1 byte, 0 or 1
 * ```
 */
import { encodeText } from '../crypto/text.ts'

const BUFFER_LENGTH = 16_384
const LENGTH_LENGTH = 4
const NUMBER_LENGTH = 8

export class FieldWriter {
  readonly #sink: (bytes: Uint8Array) => void
  readonly #buffer = Buffer.allocUnsafeSlow(BUFFER_LENGTH)
  #used = 0

  /** @param sink - takes stretches of the encoding, in order; it must be done with one when it returns */
  constructor(sink: (bytes: Uint8Array) => void) {
    this.#sink = sink
  }

  number(value: number): void {
    this.#reserve(NUMBER_LENGTH)
    this.#used = this.#buffer.writeDoubleBE(value, this.#used)
  }

  flag(value: boolean): void {
    this.#reserve(1)
    this.#buffer[this.#used] = value ? 1 : 0
    this.#used += 1
  }

  text(value: string): void {
    // Three bytes are the most that a UTF-16 code unit takes; short text needs no buffer of its own.
    if (LENGTH_LENGTH + 3 * value.length > BUFFER_LENGTH || !value.isWellFormed()) {
      this.bytes(encodeText(value))
      return
    }
    this.#reserve(LENGTH_LENGTH + 3 * value.length)
    const length = this.#buffer.write(value, this.#used + LENGTH_LENGTH, 'utf8')
    this.#buffer.writeUInt32BE(length, this.#used)
    this.#used += LENGTH_LENGTH + length
  }

  bytes(value: Uint8Array): void {
    this.#reserve(LENGTH_LENGTH)
    this.#buffer.writeUInt32BE(value.length, this.#used)
    this.#used += LENGTH_LENGTH
    if (value.length > BUFFER_LENGTH - this.#used) {
      this.flush()
      if (value.length > BUFFER_LENGTH) {
        this.#sink(value)
        return
      }
    }
    this.#buffer.set(value, this.#used)
    this.#used += value.length
  }

  /** Hands on what was written so far; to be called after the last field. */
  flush(): void {
    this.#sink(this.#buffer.subarray(0, this.#used))
    this.#used = 0
  }

  #reserve(length: number): void {
    if (this.#used + length > BUFFER_LENGTH) this.flush()
  }
}
