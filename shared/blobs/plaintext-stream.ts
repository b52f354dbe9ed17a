/**
 * The plaintext of a row of ranges as one stream. It drives the stored streams by their events: a
 * promise for every piece would cost a third of the throughput.
 */
import { type KeyObject, timingSafeEqual } from 'node:crypto'
import { finished, Readable } from 'node:stream'
import type { PartRecord } from '../store/records.ts'
import type { BackingStore } from './backing-store.ts'
import { ObjectDamaged, SegmentDecryptor } from './segment-decryptor.ts'
import { SEGMENT_LENGTH, segmentRange, storedLength } from './segments.ts'
import { deriveStreamKey } from './stream-key.ts'

/** One stored stream; a `PartRecord` is one. */
export type StoredPart = Pick<PartRecord, 'blob' | 'salt' | 'commitment' | 'size'>

/** Bytes `start` to `end`, both inclusive, of one part. */
export interface PartRange {
  readonly part: StoredPart
  readonly start: number
  readonly end: number
}

export interface PlaintextSource {
  readonly store: Pick<BackingStore, 'get'>
  readonly objectKey: KeyObject
  readonly streamId: string
  /** Of the layer around what is stored, where there is one. */
  readonly outerKey?: KeyObject | null
}

/** Verified plaintext, in order; fails with `ObjectDamaged` where a segment does not verify or is missing. */
export class PlaintextStream extends Readable {
  readonly #source: PlaintextSource
  readonly #ranges: Iterator<PartRange>
  readonly #verified = Promise.withResolvers<void>()
  #stored: Readable | null = null
  #opening = false
  #isRead = false
  #failure: Error | null = null

  /** Opens the first part at once, each other one when it is reached. */
  constructor(source: PlaintextSource, ranges: Iterable<PartRange>) {
    super({ highWaterMark: SEGMENT_LENGTH })
    this.#source = source
    this.#ranges = ranges[Symbol.iterator]()
    this.#openNext()
  }

  /** Resolves when the first segment was verified; rejects with what stopped that. */
  get verified(): Promise<void> {
    return this.#verified.promise
  }

  /** Node itself reads ahead, with a size of 0; anything else is a reader, who listens for errors. */
  override read(size?: number): unknown {
    if (size !== 0) {
      this.#isRead = true
      if (this.#failure !== null) this.destroy(this.#failure)
    }
    return super.read(size)
  }

  override _read(): void {
    if (this.#failure !== null) return
    if (this.#stored !== null) this.#stored.resume()
    else this.#openNext()
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#stored?.destroy()
    callback(error)
  }

  #openNext(): void {
    if (this.#opening) return
    const { done, value } = this.#ranges.next()
    if (done) {
      this.push(null)
      return
    }
    this.#opening = true
    this.#open(value).catch((error: Error) => this.#fail(error))
  }

  async #open({ part, start, end }: PartRange): Promise<void> {
    const range = segmentRange(part.size, start, end)
    const decryptor = new SegmentDecryptor(this.#streamKey(part), part, range)
    const bounds = { start: range.storedStart, end: range.storedEnd }
    const { outerKey, ...inner } = this.#source
    const stored = outerKey
      ? await openOuter({ ...inner, objectKey: outerKey }, part, bounds)
      : await inner.store.get(part.blob, bounds)
    this.#stored = stored
    this.#opening = false
    if (this.destroyed) stored.destroy()
    finished(stored, { writable: false }, (error) => this.#finishPart(decryptor, error))
    stored.on('data', (chunk: Buffer) => this.#take(decryptor, chunk))
  }

  #streamKey(part: StoredPart): KeyObject {
    const { objectKey, streamId } = this.#source
    const { key, commitment } = deriveStreamKey(objectKey, part.salt, streamId)
    const isSame =
      part.commitment.length === commitment.length && timingSafeEqual(part.commitment, commitment)
    if (!isSame) throw new ObjectDamaged('The commitment of a part is of another key.')
    return key
  }

  #take(decryptor: SegmentDecryptor, chunk: Buffer): void {
    if (this.#failure !== null || this.destroyed) return
    try {
      for (const plaintext of decryptor.push(chunk)) this.#give(plaintext)
    } catch (error) {
      this.#fail(error as Error)
    }
  }

  #finishPart(decryptor: SegmentDecryptor, error: Error | null | undefined): void {
    if (this.#failure !== null || this.destroyed) return
    try {
      if (error) throw error
      this.#stored = null
      if (this.#give(decryptor.finish())) this.#openNext()
    } catch (failure) {
      this.#fail(failure as Error)
    }
  }

  /** @returns whether more is wanted; after an empty piece, which is not pushed, nobody would ask */
  #give(plaintext: Buffer): boolean {
    this.#verified.resolve()
    const isWanted = plaintext.length === 0 || this.push(plaintext)
    if (!isWanted) this.#stored?.pause()
    return isWanted
  }

  /** Before there is a reader an error would end the process, so it waits for one. */
  #fail(error: Error): void {
    this.#verified.reject(error)
    this.#stored?.destroy()
    if (this.#isRead) this.destroy(error)
    else this.#failure = error
  }
}

/**
 * The outer layer is a stream of segments too, whose plaintext is the inner one as it is stored. Its
 * commitment is not kept: what opens under another key is no inner segment.
 * @returns once its first segment was verified: bytes `start` to `end` of the inner stored stream
 */
async function openOuter(
  source: PlaintextSource,
  inner: StoredPart,
  { start, end }: { readonly start: number; readonly end: number },
): Promise<Readable> {
  const { blob, salt, size } = inner
  const { commitment } = deriveStreamKey(source.objectKey, salt, source.streamId)
  const part = { blob, salt, commitment, size: storedLength(size) }
  const stored = new PlaintextStream(source, [{ part, start, end }])
  await stored.verified
  return stored
}
