import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { BackingStore } from '../../../shared/blobs/backing-store.ts'
import { openObject } from '../../../shared/blobs/decrypt-stream.ts'
import { ObjectDamaged } from '../../../shared/blobs/segment-decryptor.ts'
import { SEGMENT_LENGTH, storedLength } from '../../../shared/blobs/segments.ts'
import { writePart } from '../../../shared/blobs/write-part.ts'

const streamId = 'version'

/** A backing store whose bytes the test can see and change. */
function givenStore() {
  const blobs = new Map<string, Buffer>()
  const store: Pick<BackingStore, 'put' | 'get'> = {
    async put(name, bytes) {
      blobs.set(name, await buffer(bytes))
      return blobs.get(name)?.length ?? 0
    },
    async get(name, { start, end }) {
      return Readable.from([blobs.get(name)?.subarray(start, end + 1) ?? Buffer.alloc(0)])
    },
  }
  return { store, blobs }
}

const keys = () => ({ objectKey: randomBytes(32), outerKey: randomBytes(32) })

test('any range of any size comes back through both layers', async () => {
  const sizes = fc.oneof(
    fc.constantFrom(1, SEGMENT_LENGTH, SEGMENT_LENGTH + 1, 2 * SEGMENT_LENGTH),
    fc.integer({ min: 1, max: 300_000 }),
  )
  await fc.assert(
    fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, a, b) => {
      const [start, end] = [a % size, b % size].sort((x, y) => x - y) as [number, number]
      const { store } = givenStore()
      const source = { store, ...keys(), streamId }
      const plaintext = randomBytes(size)
      const part = await writePart(source, Readable.from([plaintext]))
      const read = await buffer(await openObject(source, [part], start, end))
      expect(read.equals(plaintext.subarray(start, end + 1))).toBe(true)
    }),
    { numRuns: 60 },
  )
})

test('each layer costs a tag for every segment, and an empty object has both', async () => {
  for (const size of [0, 1, SEGMENT_LENGTH, 200_000]) {
    const { store, blobs } = givenStore()
    const part = await writePart({ store, ...keys(), streamId }, Readable.from([randomBytes(size)]))
    expect(part.size).toBe(size)
    expect(blobs.get(part.blob)?.length).toBe(storedLength(storedLength(size)))
  }
})

test.each(['objectKey', 'outerKey'] as const)(
  'neither layer opens with another %s',
  async (name) => {
    const { store } = givenStore()
    const source = { store, ...keys(), streamId }
    const part = await writePart(source, Readable.from([randomBytes(100)]))
    const wrong = { ...source, [name]: randomBytes(32) }
    await expect(openObject(wrong, [part], 0, 99)).rejects.toThrow(ObjectDamaged)
    await expect(openObject({ ...source, outerKey: null }, [part], 0, 99)).rejects.toThrow(
      ObjectDamaged,
    )
  },
)

test('a changed byte anywhere is seen, and nothing of its segment is given out', async () => {
  const { store, blobs } = givenStore()
  const source = { store, ...keys(), streamId }
  const plaintext = randomBytes(SEGMENT_LENGTH + 100)
  const part = await writePart(source, Readable.from([plaintext]))
  const stored = blobs.get(part.blob) as Buffer
  for (const at of [0, SEGMENT_LENGTH, stored.length - 40, stored.length - 1]) {
    const changed = Buffer.from(stored)
    changed[at] = (changed[at] ?? 0) ^ 1
    blobs.set(part.blob, changed)
    const read = async () => buffer(await openObject(source, [part], 0, plaintext.length - 1))
    await expect(read()).rejects.toThrow(ObjectDamaged)
  }
})
