/** What the tests of this room share: stores in memory, streams of any chunks, encrypted objects. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type BackingStore, BlobMissing } from '../../../shared/blobs/backing-store.ts'
import { openObject } from '../../../shared/blobs/decrypt-stream.ts'
import type { StoredPart } from '../../../shared/blobs/plaintext-stream.ts'
import { writePart } from '../../../shared/blobs/write-part.ts'

/** A store whose blobs a test can spoil; it gives bytes in chunks of `chunkLength`. */
export class MemoryStore implements BackingStore {
  readonly blobs = new Map<string, Buffer>()
  readonly reads: { name: string; start: number; end: number }[] = []
  pulled = 0
  chunkLength = 50_000

  async put(name: string, bytes: Readable): Promise<number> {
    const blob = await buffer(bytes)
    this.blobs.set(name, blob)
    return blob.length
  }

  async get(name: string, { start, end }: { start: number; end: number }): Promise<Readable> {
    this.reads.push({ name, start, end })
    const blob = this.blobs.get(name)
    if (blob === undefined) throw new BlobMissing(name)
    return streamOf(cut(blob.subarray(start, end + 1), this.chunkLength), (chunk) => {
      this.pulled += chunk.length
    })
  }

  async delete(name: string): Promise<void> {
    this.blobs.delete(name)
  }

  async *list(): AsyncGenerator<{ name: string; modifiedAt: number }> {
    for (const name of this.blobs.keys()) yield { name, modifiedAt: 0 }
  }
}

/** The bytes in chunks of one length. */
export function* cut(bytes: Uint8Array, length: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length)
}

/** A stream that makes a chunk only when one is asked for, and tells of it. */
export function streamOf(
  chunks: Iterable<Uint8Array>,
  onPull: (chunk: Uint8Array) => void = () => {},
): Readable {
  const iterator = chunks[Symbol.iterator]()
  return new Readable({
    highWaterMark: 1,
    read() {
      const { done, value } = iterator.next()
      if (!done) onPull(value)
      this.push(done ? null : value)
    },
  })
}

/** Bytes that differ everywhere, so that none can stand for another. */
export const plaintextOf = (size: number): Buffer => randomBytes(size)

export interface GivenObject {
  readonly store: MemoryStore
  readonly objectKey: ReturnType<typeof createSecretKey>
  readonly streamId: string
  readonly parts: readonly StoredPart[]
  readonly plaintext: Buffer
}

/** An object stored in parts of the given sizes, whose plaintext came in chunks of `chunkLength`. */
export async function givenObject(
  sizes: readonly number[],
  store: MemoryStore = new MemoryStore(),
  chunkLength = 30_000,
): Promise<GivenObject> {
  const objectKey = createSecretKey(randomBytes(32))
  const streamId = randomBytes(8).toString('hex')
  const plaintexts = sizes.map(plaintextOf)
  const parts: StoredPart[] = []
  for (const plaintext of plaintexts) {
    const source = streamOf(cut(plaintext, chunkLength))
    parts.push(await writePart({ store, objectKey, streamId }, source))
  }
  return { store, objectKey, streamId, parts, plaintext: Buffer.concat(plaintexts) }
}

/** Reads a range, by default the whole object. */
export async function read(object: GivenObject, start = 0, end?: number): Promise<Buffer> {
  const size = object.parts.reduce((sum, part) => sum + part.size, 0)
  return buffer(await openObject(object, object.parts, start, end ?? size - 1))
}

/** Waits until `value` has stopped changing, however many turns of the event loop that takes. */
export async function settled(value: () => number): Promise<number> {
  for (let quiet = 0, last = value(); quiet < 20; ) {
    await new Promise((resolve) => setImmediate(resolve))
    quiet = value() === last ? quiet + 1 : 0
    last = value()
  }
  return value()
}
