/**
 * Cuts a row of chunks of any lengths into pieces of one length. It holds back one piece, because
 * whether a piece is the last one shows only when another byte comes or none.
 *
 * A piece that lies within one chunk is passed on as it is; only one that spans chunks is copied, so
 * at most one piece is in memory here. A chunk must not be changed after it was given.
 */
export class SegmentCutter {
  readonly #length: number
  #staging = Buffer.alloc(0)
  #filled = 0
  #held: Uint8Array | null = null

  /** @param length - bytes of every piece but the last */
  constructor(length: number) {
    this.#length = length
  }

  /** Gives each piece that is now known not to be the last. A piece is valid until the next is asked for. */
  *push(chunk: Uint8Array): Generator<Uint8Array, void, void> {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#held !== null) {
        yield this.#held
        this.#held = null
      }
      offset += this.#take(chunk, offset)
    }
  }

  /** @returns the last piece: 0 bytes when there were none at all, otherwise 1 to `length` */
  last(): Uint8Array {
    return this.#held ?? this.#staging.subarray(0, this.#filled)
  }

  /** Overwrites what was copied. */
  wipe(): void {
    this.#staging.fill(0)
    this.#held = null
    this.#filled = 0
  }

  #take(chunk: Uint8Array, offset: number): number {
    const available = chunk.length - offset
    if (this.#filled === 0 && available >= this.#length) {
      this.#held = chunk.subarray(offset, offset + this.#length)
      return this.#length
    }
    const count = Math.min(this.#length - this.#filled, available)
    this.#reserve(count)
    this.#staging.set(chunk.subarray(offset, offset + count), this.#filled)
    this.#filled += count
    if (this.#filled === this.#length) {
      this.#held = this.#staging
      this.#filled = 0
    }
    return count
  }

  /** Grows the buffer up to the length of a piece: most streams are shorter than one. */
  #reserve(count: number): void {
    const needed = this.#filled + count
    if (needed <= this.#staging.length) return
    const grown = Buffer.allocUnsafeSlow(Math.min(this.#length, Math.max(needed, 2 * this.#filled)))
    this.#staging.copy(grown, 0, 0, this.#filled)
    this.#staging.fill(0)
    this.#staging = grown
  }
}
