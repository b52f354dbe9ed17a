/**
 * CRC-64/NVME (NVM Express NVM Command Set Specification, "64b CRC"), as S3 has it in
 * `x-amz-checksum-crc64nvme`; S3 computes it for every object that comes without a checksum.
 * Eight bytes at a time with eight tables, each in halves of 32 bits, because a BigInt costs an
 * allocation (see crc32c.ts for the method).
 */
import { splitWords } from './words.ts'

// 0x9a6c9329ac4bc9b5, reversed.
const POLYNOMIAL_LOW = 0xac4bc9b5
const POLYNOMIAL_HIGH = 0x9a6c9329
const TABLE_LENGTH = 256
const TABLES = 8
const WORDS_AT_ONCE = 2
const DIGEST_LENGTH = 8

interface Tables {
  readonly low: Int32Array
  readonly high: Int32Array
}

let tables: Tables | null = null

export class Crc64Nvme {
  readonly #tables: Tables
  #low = -1
  #high = -1

  constructor() {
    tables ??= makeTables()
    this.#tables = tables
  }

  /** Takes the next bytes. */
  update(bytes: Uint8Array): this {
    const { head, words, tail } = splitWords(bytes, WORDS_AT_ONCE)
    this.#byBytes(head)
    this.#byWords(words)
    this.#byBytes(tail)
    return this
  }

  /** @returns 8 bytes, big-endian, of all bytes so far */
  digest(): Buffer {
    const digest = Buffer.allocUnsafe(DIGEST_LENGTH)
    digest.writeInt32BE(~this.#high, 0)
    digest.writeInt32BE(~this.#low, 4)
    return digest
  }

  #byBytes(bytes: Uint8Array): void {
    const { low, high } = this.#tables
    for (const byte of bytes) {
      const index = (this.#low ^ byte) & 255
      this.#low = ((this.#low >>> 8) | (this.#high << 24)) ^ at(low, index)
      this.#high = (this.#high >>> 8) ^ at(high, index)
    }
  }

  #byWords(words: Int32Array): void {
    const { low, high } = this.#tables
    let stateLow = this.#low
    let stateHigh = this.#high
    for (let i = 0; i < words.length; i += WORDS_AT_ONCE) {
      const a = at(words, i) ^ stateLow
      const b = at(words, i + 1) ^ stateHigh
      stateLow = word(low, 4, a) ^ word(low, 0, b)
      stateHigh = word(high, 4, a) ^ word(high, 0, b)
    }
    this.#low = stateLow
    this.#high = stateHigh
  }
}

/** What the four bytes of a word add to one half, when `after` bytes follow them. */
const word = (half: Int32Array, after: number, w: number): number =>
  at(half, (after + 3) * TABLE_LENGTH + (w & 255)) ^
  at(half, (after + 2) * TABLE_LENGTH + ((w >>> 8) & 255)) ^
  at(half, (after + 1) * TABLE_LENGTH + ((w >>> 16) & 255)) ^
  at(half, after * TABLE_LENGTH + (w >>> 24))

const at = (array: Int32Array, index: number): number => array[index] as number

function makeTables(): Tables {
  const low = new Int32Array(TABLES * TABLE_LENGTH)
  const high = new Int32Array(TABLES * TABLE_LENGTH)
  for (let byte = 0; byte < TABLE_LENGTH; byte++) {
    low[byte] = byte
    for (let bit = 0; bit < 8; bit++) {
      const isOdd = at(low, byte) & 1
      low[byte] = ((at(low, byte) >>> 1) | (at(high, byte) << 31)) ^ (isOdd ? POLYNOMIAL_LOW : 0)
      high[byte] = (at(high, byte) >>> 1) ^ (isOdd ? POLYNOMIAL_HIGH : 0)
    }
  }
  for (let i = TABLE_LENGTH; i < low.length; i++) {
    const before = at(low, i - TABLE_LENGTH)
    low[i] = ((before >>> 8) | (at(high, i - TABLE_LENGTH) << 24)) ^ at(low, before & 255)
    high[i] = (at(high, i - TABLE_LENGTH) >>> 8) ^ at(high, before & 255)
  }
  return { low, high }
}
