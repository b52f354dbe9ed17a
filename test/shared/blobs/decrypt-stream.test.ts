import { randomBytes } from 'node:crypto'
import { Readable, Writable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { BlobMissing } from '../../../shared/blobs/backing-store.ts'
import { openObject, openRange, partRanges } from '../../../shared/blobs/decrypt-stream.ts'
import type { StoredPart } from '../../../shared/blobs/plaintext-stream.ts'
import { ObjectDamaged } from '../../../shared/blobs/segment-decryptor.ts'
import { SEGMENT_LENGTH, STORED_SEGMENT_LENGTH } from '../../../shared/blobs/segments.ts'
import { writePart } from '../../../shared/blobs/write-part.ts'
import { cut, givenObject, MemoryStore, plaintextOf, read, settled, streamOf } from './given.ts'

const MIB = 1024 * 1024

test.each([0, 1, 15, 16, 65_535, 65_536, 65_537, 131_072, 5 * MIB, 5 * MIB + 1])(
  '%i bytes come back as they were',
  async (size) => {
    const object = await givenObject([size])
    expect((await read(object)).equals(object.plaintext)).toBe(true)
  },
)

test('every range that begins or ends at an edge gives its bytes', async () => {
  const object = await givenObject([2 * SEGMENT_LENGTH + 3])
  const last = object.plaintext.length - 1
  const edges = [0, 1, 65_535, 65_536, 65_537, 131_071, 131_072, last - 1, last]
  for (const start of edges) {
    for (const end of edges.filter((edge) => edge >= start)) {
      const expected = object.plaintext.subarray(start, end + 1)
      expect((await read(object, start, end)).equals(expected), `${start}-${end}`).toBe(true)
    }
  }
})

test('a range fetches only the segments that it needs', async () => {
  const object = await givenObject([200_000])
  expect(await read(object, 70_000, 140_000)).toEqual(object.plaintext.subarray(70_000, 140_001))
  expect(object.store.reads).toMatchObject([{ start: 65_552, end: 196_655 }])
})

test('any parts, cut in any way, give back any range', async () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(150_000)), { minLength: 1, maxLength: 4 })
  const anything = fc.record({
    sizes,
    written: fc.integer({ min: 500, max: 200_000 }),
    stored: fc.integer({ min: 500, max: 200_000 }),
    one: fc.nat(),
    other: fc.nat(),
  })
  await fc.assert(
    fc.asyncProperty(anything, async ({ sizes, written, stored, one, other }) => {
      const object = await givenObject(
        sizes,
        Object.assign(new MemoryStore(), { chunkLength: stored }),
        written,
      )
      const { length } = object.plaintext
      const [start = 0, end = 0] = [one, other]
        .map((at) => at % (length || 1))
        .sort((a, b) => a - b)
      const range = length === 0 ? { start: 0, end: -1 } : { start, end }
      const expected = object.plaintext.subarray(range.start, range.end + 1)
      expect((await read(object, range.start, range.end)).equals(expected)).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('chunks of a single byte are no special case', async () => {
  const object = await givenObject([70_000], new MemoryStore(), 1)
  object.store.chunkLength = 1
  expect((await read(object)).equals(object.plaintext)).toBe(true)
})

test('parts are opened when they are reached, and empty ones not at all', async () => {
  const object = await givenObject([100, 0, 200_000, 50])
  const [first, , third, fourth] = object.parts
  const plaintext = await openObject(object, object.parts, 0, 200_149)
  await settled(() => object.store.reads.length)
  expect(object.store.reads.map(({ name }) => name)).toEqual([first?.blob, third?.blob])
  expect((await buffer(plaintext)).equals(object.plaintext)).toBe(true)
  expect(object.store.reads.at(-1)?.name).toBe(fourth?.blob)
})

test('a range over the edge of two parts takes the end of one and the start of the other', async () => {
  const [one, other] = (await givenObject([100, 200])).parts as [StoredPart, StoredPart]
  expect(partRanges([one, other], 90, 105)).toEqual([
    { part: one, start: 90, end: 99 },
    { part: other, start: 0, end: 5 },
  ])
  expect(partRanges([one, other], 100, 299)).toEqual([{ part: other, start: 0, end: 199 }])
})

test.each([
  [[10], 0, 10],
  [[10, 5], 3, 15],
  [[10], 5, 3],
  [[10], -1, 3],
  [[0], 0, 0],
  [[], 0, -1],
])('parts of sizes %j have no range from %i to %i', async (sizes, start, end) => {
  const object = await givenObject(sizes)
  await expect(openObject(object, object.parts, start, end)).rejects.toThrow(RangeError)
})

type Spoil = (blob: Buffer) => Buffer

const flip =
  (at: number): Spoil =>
  (blob) => {
    const copy = Buffer.from(blob)
    const index = at < 0 ? blob.length + at : at
    copy[index] = (copy[index] as number) ^ 1
    return copy
  }

const segmentsOf = (blob: Buffer): Uint8Array[] => [...cut(blob, STORED_SEGMENT_LENGTH)]
const rearranged =
  (...order: number[]): Spoil =>
  (blob) =>
    Buffer.concat(order.map((index) => segmentsOf(blob)[index] as Uint8Array))

test.each<[string, Spoil]>([
  ['a bit of the first segment is flipped', flip(0)],
  ['a bit of the first tag is flipped', flip(SEGMENT_LENGTH)],
  ['the last bit of the first tag is flipped', flip(STORED_SEGMENT_LENGTH - 1)],
  ['a bit of a middle segment is flipped', flip(STORED_SEGMENT_LENGTH + 40_000)],
  ['a bit of the last segment is flipped', flip(-20)],
  ['a bit of the last tag is flipped', flip(-1)],
  ['the last segment is missing', rearranged(0, 1, 2)],
  ['a segment is missing in the middle', rearranged(0, 2, 3)],
  ['the first segment is missing', rearranged(1, 2, 3)],
  ['a segment is there twice', rearranged(0, 1, 1, 2, 3)],
  ['a segment stands for another', rearranged(0, 1, 1, 3)],
  ['two segments are swapped', rearranged(0, 2, 1, 3)],
  ['the first two segments are swapped', rearranged(1, 0, 2, 3)],
  ['the last byte is missing', (blob) => blob.subarray(0, -1)],
  ['half of it is missing', (blob) => blob.subarray(0, 100_000)],
  ['less than a tag is left', (blob) => blob.subarray(0, 15)],
  ['nothing is left', () => Buffer.alloc(0)],
])('an object is refused when %s', async (_, spoil) => {
  const object = await givenObject([200_000])
  const [part] = object.parts as [StoredPart]
  object.store.blobs.set(part.blob, spoil(object.store.blobs.get(part.blob) as Buffer))
  await expect(read(object)).rejects.toThrow(ObjectDamaged)
})

test.each([0, 7, 65_536, 65_551, 65_552, 65_560, 65_567])(
  'a flipped bit at %i stops the stream before anything of its segment leaves',
  async (at) => {
    const object = await givenObject([SEGMENT_LENGTH, SEGMENT_LENGTH])
    const both = await givenObject([SEGMENT_LENGTH + 16], object.store)
    const [part] = both.parts as [StoredPart]
    object.store.blobs.set(part.blob, flip(at)(object.store.blobs.get(part.blob) as Buffer))
    const given: Buffer[] = []
    const attempt = openRange(both, part, 0, part.size - 1).then(async (plaintext) => {
      for await (const chunk of plaintext) given.push(chunk as Buffer)
    })
    await expect(attempt).rejects.toThrow(ObjectDamaged)
    const whole = Buffer.concat(given)
    expect(whole.length % SEGMENT_LENGTH).toBe(0)
    expect(whole.equals(both.plaintext.subarray(0, whole.length))).toBe(true)
    expect(whole.length).toBeLessThanOrEqual(at < STORED_SEGMENT_LENGTH ? 0 : SEGMENT_LENGTH)
  },
)

test('bytes after the end are never read, and a store that gives them is not believed', async () => {
  const object = await givenObject([70_000])
  const [part] = object.parts as [StoredPart]
  const blob = object.store.blobs.get(part.blob) as Buffer
  object.store.blobs.set(part.blob, Buffer.concat([blob, blob]))
  expect((await read(object)).equals(object.plaintext)).toBe(true)
  const store = { get: async () => Readable.from(cut(Buffer.concat([blob, blob]), 9999)) }
  await expect(openObject({ ...object, store }, [part], 0, 69_999).then(buffer)).rejects.toThrow(
    ObjectDamaged,
  )
})

test('a store that does not stop at the end of a range is not read to its own end', async () => {
  const object = await givenObject([50 * SEGMENT_LENGTH])
  const [part] = object.parts as [StoredPart]
  const get = (name: string, { start }: { start: number }) =>
    object.store.get(name, { start, end: Number.MAX_SAFE_INTEGER })
  const reading = openObject({ ...object, store: { get } }, [part], 0, 100).then(buffer)
  await expect(reading).rejects.toThrow(ObjectDamaged)
  expect(await settled(() => object.store.pulled)).toBeLessThan(5 * SEGMENT_LENGTH)
})

test('a segment that was not the last is refused as the last, and the other way round', async () => {
  const object = await givenObject([2 * SEGMENT_LENGTH])
  const [part] = object.parts as [StoredPart]
  const open = (size: number, start: number) =>
    openRange(object, { ...part, size }, start, start).then(buffer)
  expect(await open(2 * SEGMENT_LENGTH, 0)).toHaveLength(1)
  await expect(open(SEGMENT_LENGTH, 0)).rejects.toThrow(ObjectDamaged)
  await expect(open(3 * SEGMENT_LENGTH, SEGMENT_LENGTH)).rejects.toThrow(ObjectDamaged)
})

test('an edited size is refused where it changes what is read', async () => {
  const object = await givenObject([100_000])
  const [part] = object.parts as [StoredPart]
  for (const size of [99_999, 100_001, 65_536, 1, 0, 200_000]) {
    const attempt = openRange(object, { ...part, size }, 0, size - 1).then(buffer)
    await expect(attempt, `${size}`).rejects.toThrow(ObjectDamaged)
  }
})

test('the blobs of two parts of one size cannot be swapped', async () => {
  const object = await givenObject([1000, 1000])
  const [one, other] = object.parts as [StoredPart, StoredPart]
  const parts = [
    { ...one, blob: other.blob },
    { ...other, blob: one.blob },
  ]
  await expect(read({ ...object, parts })).rejects.toThrow(ObjectDamaged)
})

test('the parts of two objects cannot be swapped, with their salts and commitments or without', async () => {
  const store = new MemoryStore()
  const one = await givenObject([1000], store)
  const other = await givenObject([1000], store)
  const [own] = one.parts as [StoredPart]
  const [foreign] = other.parts as [StoredPart]
  await expect(read({ ...one, parts: [foreign] })).rejects.toThrow(ObjectDamaged)
  await expect(read({ ...one, parts: [{ ...own, blob: foreign.blob }] })).rejects.toThrow(
    ObjectDamaged,
  )
})

test.each<[string, (part: StoredPart) => StoredPart]>([
  ['commitment', (part) => ({ ...part, commitment: flip(31)(Buffer.from(part.commitment)) })],
  ['shortened commitment', (part) => ({ ...part, commitment: part.commitment.subarray(0, 31) })],
  ['empty commitment', (part) => ({ ...part, commitment: Buffer.alloc(0) })],
  ['salt', (part) => ({ ...part, salt: flip(0)(Buffer.from(part.salt)) })],
])('another %s is refused before the store is asked', async (_, spoil) => {
  const object = await givenObject([1000])
  const parts = object.parts.map(spoil)
  await expect(read({ ...object, parts })).rejects.toThrow(ObjectDamaged)
  expect(object.store.reads).toEqual([])
})

test('another object key or stream id is refused before the store is asked', async () => {
  const object = await givenObject([1000])
  const others = [{ objectKey: randomBytes(32) }, { streamId: 'another' }]
  for (const other of others) {
    await expect(openObject({ ...object, ...other }, object.parts, 0, 9)).rejects.toThrow(
      ObjectDamaged,
    )
  }
  expect(object.store.reads).toEqual([])
})

test('the object key may be overwritten once the object is being opened', async () => {
  const store = new MemoryStore()
  const objectKey = randomBytes(32)
  const plaintext = plaintextOf(100)
  const parts: StoredPart[] = []
  for (const half of cut(plaintext, 50)) {
    parts.push(await writePart({ store, objectKey, streamId: 'v' }, streamOf([half])))
  }
  const opening = openObject({ store, objectKey, streamId: 'v' }, parts, 0, 99)
  objectKey.fill(0)
  expect(await buffer(await opening)).toEqual(plaintext)
})

test('a damaged head is told before the stream exists, a damaged tail by the stream', async () => {
  const object = await givenObject([100, 100])
  const [first, second] = object.parts as [StoredPart, StoredPart]
  const sound = object.store.blobs.get(first.blob) as Buffer
  object.store.blobs.set(first.blob, flip(3)(sound))
  await expect(openObject(object, object.parts, 0, 199)).rejects.toThrow(ObjectDamaged)
  object.store.blobs.set(first.blob, sound)
  object.store.blobs.set(second.blob, flip(3)(object.store.blobs.get(second.blob) as Buffer))
  const plaintext = await openObject(object, object.parts, 0, 199)
  await settled(() => object.store.pulled) // nobody listens yet; the failure has to wait
  await expect(buffer(plaintext)).rejects.toThrow(ObjectDamaged)
})

test('a blob that is gone is told as such, at once or when its part is reached', async () => {
  const object = await givenObject([200_000, 100])
  const [first, second] = object.parts as [StoredPart, StoredPart]
  await object.store.delete(second.blob)
  const plaintext = await openObject(object, object.parts, 0, 200_099)
  await expect(buffer(plaintext)).rejects.toThrow(BlobMissing)
  await object.store.delete(first.blob)
  await expect(openObject(object, object.parts, 0, 200_099)).rejects.toThrow(BlobMissing)
})

test('a store that fails half-way fails the stream with its own error', async () => {
  const object = await givenObject([200_000])
  const blob = object.store.blobs.values().next().value as Buffer
  const get = async () =>
    streamOf(
      (function* () {
        yield blob.subarray(0, 150_000)
        throw new Error('connection reset')
      })(),
    )
  const plaintext = await openObject({ ...object, store: { get } }, object.parts, 0, 199_999)
  await expect(buffer(plaintext)).rejects.toThrow('connection reset')
})

test('a store that closes half-way without an error fails the stream', async () => {
  const object = await givenObject([200_000])
  const blob = object.store.blobs.values().next().value as Buffer
  const get = async () => {
    const stored = new Readable({ read() {} })
    stored.push(blob.subarray(0, 150_000))
    setImmediate(() => setImmediate(() => stored.destroy()))
    return stored
  }
  const reading = openObject({ ...object, store: { get } }, object.parts, 0, 199_999).then(buffer)
  await expect(reading).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
})

test('a reader that stops takes the stored stream with it, also while that does not answer', async () => {
  const object = await givenObject([200_000])
  const blob = object.store.blobs.values().next().value as Buffer
  const stored = new Readable({ read() {} })
  stored.push(blob.subarray(0, 70_000))
  const get = async () => stored
  const plaintext = await openObject({ ...object, store: { get } }, object.parts, 0, 199_999)
  plaintext.destroy()
  await settled(() => Number(stored.destroyed))
  expect(stored.destroyed).toBe(true)
})

test('a slow reader keeps what is fetched ahead bounded', async () => {
  const object = await givenObject([100 * SEGMENT_LENGTH])
  object.store.chunkLength = STORED_SEGMENT_LENGTH
  const plaintext = await openObject(object, object.parts, 0, 100 * SEGMENT_LENGTH - 1)
  const unread = await settled(() => object.store.pulled)
  expect(unread).toBeLessThanOrEqual(5 * STORED_SEGMENT_LENGTH)
  let taken = 0
  const release: (() => void)[] = []
  const slow = new Writable({
    highWaterMark: 1,
    write(chunk: Buffer, _, callback) {
      taken += chunk.length
      release.push(callback)
    },
  })
  const done = pipeline(plaintext, slow)
  for (let step = 0; step < 10; step++) {
    const pulled = await settled(() => object.store.pulled)
    expect(pulled - taken).toBeLessThanOrEqual(6 * STORED_SEGMENT_LENGTH)
    release.shift()?.()
  }
  expect(taken).toBeLessThan(20 * SEGMENT_LENGTH)
  plaintext.destroy()
  await expect(done).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
})
