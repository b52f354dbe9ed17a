import { createSecretKey, randomBytes } from 'node:crypto'
import { PassThrough, Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { PlaintextDigests } from '../../../shared/blobs/digests.ts'
import { SegmentEncryptor } from '../../../shared/blobs/encrypt-stream.ts'
import { SEGMENT_LENGTH, storedLength } from '../../../shared/blobs/segments.ts'
import { writePart } from '../../../shared/blobs/write-part.ts'
import { cut, givenObject, MemoryStore, read, settled, streamOf } from './given.ts'

const objectKey = createSecretKey(randomBytes(32))
const target = (store: MemoryStore) => ({ store, objectKey, streamId: 'version' })
const chunk = randomBytes(SEGMENT_LENGTH)

/** Bytes in buffers that something still refers to. */
function aliveAfterCollection(): number {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc')
  collect()
  collect() // waits for what the first one freed in the background
  return process.memoryUsage().arrayBuffers
}

/** A stream of `count` chunks that cost no memory of their own. */
function* chunks(count: number): Generator<Buffer> {
  for (let i = 0; i < count; i++) yield chunk
}

test('what is stored has the size that the arithmetic says, and two writes differ in every byte run', async () => {
  const store = new MemoryStore()
  const one = await writePart(target(store), streamOf([chunk, chunk, chunk.subarray(7)]))
  const other = await writePart(target(store), streamOf([chunk, chunk, chunk.subarray(7)]))
  expect(one.size).toBe(3 * SEGMENT_LENGTH - 7)
  expect(store.blobs.get(one.blob)).toHaveLength(storedLength(one.size))
  expect(one.salt).not.toEqual(other.salt)
  expect(store.blobs.get(one.blob)).not.toEqual(store.blobs.get(other.blob))
  expect(store.blobs.get(one.blob)?.includes(chunk.subarray(0, 16))).toBe(false)
})

test('digests of the plaintext are made in the same pass', async () => {
  const digests = new PlaintextDigests(['MD5', 'CRC64NVME'])
  const store = new MemoryStore()
  const source = streamOf(cut(Buffer.alloc(100_000, 'a'), 777))
  await writePart({ ...target(store), observe: digests.update }, source)
  const expected = new PlaintextDigests(['MD5', 'CRC64NVME'])
  expected.update(Buffer.alloc(100_000, 'a'))
  expect(digests.hex('MD5')).toBe(expected.hex('MD5'))
  expect(digests.base64('CRC64NVME')).toBe(expected.base64('CRC64NVME'))
})

test('the final segment waits until the digests were found to agree', async () => {
  const store = new MemoryStore()
  const { promise, resolve } = Promise.withResolvers<void>()
  const encryptor = new SegmentEncryptor({
    key: objectKey,
    salt: randomBytes(32),
    verify: () => promise,
  })
  let stored = 0
  encryptor.on('data', (bytes: Buffer) => {
    stored += bytes.length
  })
  encryptor.write(chunk)
  encryptor.end(chunk)
  expect(await settled(() => stored)).toBe(storedLength(SEGMENT_LENGTH))
  resolve()
  expect(await settled(() => stored)).toBe(storedLength(2 * SEGMENT_LENGTH))
  expect(store.blobs.size).toBe(0)
})

test.each([
  [
    'throws',
    () => {
      throw new Error('the digest differs')
    },
  ],
  ['rejects', () => Promise.reject(new Error('the digest differs'))],
])('nothing is stored when the check of the digests %s', async (_, verify) => {
  const store = new MemoryStore()
  const write = writePart({ ...target(store), verify }, streamOf(chunks(3)))
  await expect(write).rejects.toThrow('the digest differs')
  expect(store.blobs.size).toBe(0)
})

test('nothing is stored when a digest fails', async () => {
  const store = new MemoryStore()
  const observe = () => {
    throw new Error('no digest')
  }
  await expect(writePart({ ...target(store), observe }, streamOf(chunks(3)))).rejects.toThrow(
    'no digest',
  )
  expect(store.blobs.size).toBe(0)
})

test('a source that fails half-way fails the write with its own error', async () => {
  const store = new MemoryStore()
  const source = Readable.from(
    (function* () {
      yield* chunks(3)
      throw new Error('the client went away')
    })(),
  )
  await expect(writePart(target(store), source)).rejects.toThrow('the client went away')
  expect(store.blobs.size).toBe(0)
})

test('a source that is closed before its end fails the write', async () => {
  const store = new MemoryStore()
  const source = new PassThrough()
  const write = writePart(target(store), source)
  source.write(chunk)
  source.destroy()
  await expect(write).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
  expect(store.blobs.size).toBe(0)
})

test('a store that fails stops the source', async () => {
  const source = streamOf(chunks(1000))
  const put = async (_: string, bytes: Readable): Promise<number> => {
    bytes.destroy()
    throw new Error('the store is full')
  }
  const write = writePart({ store: { put }, objectKey, streamId: 'version' }, source)
  await expect(write).rejects.toThrow('the store is full')
  await settled(() => Number(source.destroyed))
  expect(source.destroyed).toBe(true)
})

test('a store that loses bytes is not believed', async () => {
  const put = async (_: string, bytes: Readable): Promise<number> => {
    let size = 0
    for await (const piece of bytes) size += (piece as Buffer).length
    return size - 1
  }
  const write = writePart({ store: { put }, objectKey, streamId: 'version' }, streamOf(chunks(1)))
  await expect(write).rejects.toThrow('lost bytes')
})

test('nothing is pulled from the source while nobody takes what was encrypted', async () => {
  let pulled = 0
  const source = streamOf(chunks(1000), (bytes) => {
    pulled += bytes.length
  })
  const encryptor = new SegmentEncryptor({ key: objectKey, salt: randomBytes(32) })
  const taken = new Writable({ highWaterMark: 1, write() {} })
  pipeline(source, encryptor, taken).catch(() => {})
  const before = await settled(() => pulled)
  expect(before).toBeGreaterThan(SEGMENT_LENGTH)
  expect(before).toBeLessThanOrEqual(10 * SEGMENT_LENGTH)
  source.destroy()
})

test('what is alive does not grow with the length of the stream', async () => {
  let alive = 0
  let count = 0
  const put = async (_: string, bytes: Readable): Promise<number> => {
    let size = 0
    for await (const piece of bytes) {
      size += (piece as Buffer).length
      count += 1
      if (count % 500 === 0) alive = Math.max(alive, aliveAfterCollection())
    }
    return size
  }
  const before = aliveAfterCollection()
  const source = streamOf(chunks(4096))
  const { size } = await writePart({ store: { put }, objectKey, streamId: 'version' }, source)
  expect(size).toBe(4096 * SEGMENT_LENGTH)
  expect(alive).toBeGreaterThan(0)
  expect(alive - before).toBeLessThan(32 * SEGMENT_LENGTH)
})

test('what was written is what is read', async () => {
  const object = await givenObject([200_000])
  expect(await read(object)).toEqual(object.plaintext)
})
