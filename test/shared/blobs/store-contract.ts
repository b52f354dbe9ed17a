/** What every backing store does. Run by the tests of each, over a fresh and empty one. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { type BackingStore, BlobMissing } from '../../../shared/blobs/backing-store.ts'
import { BlobExists, newBlobName } from '../../../shared/blobs/blob-name.ts'
import { openObject } from '../../../shared/blobs/decrypt-stream.ts'
import { ObjectDamaged } from '../../../shared/blobs/segment-decryptor.ts'
import { writePart } from '../../../shared/blobs/write-part.ts'
import { cut, streamOf } from './given.ts'

const MIB = 1024 * 1024

/** The names that a store lists, sorted. */
export async function namesOf(store: BackingStore): Promise<string[]> {
  const names: string[] = []
  for await (const { name } of store.list()) names.push(name)
  return names.sort()
}

export function storeContract(open: () => Promise<BackingStore>): void {
  const given = async (bytes: Uint8Array): Promise<{ store: BackingStore; name: string }> => {
    const store = await open()
    const name = newBlobName()
    await store.put(name, streamOf(cut(bytes, 70_000)))
    return { store, name }
  }

  const get = async (store: BackingStore, name: string, start: number, end: number) =>
    buffer(await store.get(name, { start, end }))

  test.each([1, 100_000, 8 * MIB, 8 * MIB + 1, 20 * MIB])(
    'a blob of %i bytes is given back in any range',
    async (size) => {
      const bytes = randomBytes(size)
      const store = await open()
      expect(await store.put('a-Blob_1', streamOf(cut(bytes, 70_000)))).toBe(size)
      const ranges = [
        [0, size - 1],
        [0, 0],
        [size - 1, size - 1],
        [Math.floor(size / 3), Math.floor(size / 2)],
      ] as const
      for (const [start, end] of ranges) {
        const found = await get(store, 'a-Blob_1', start, end)
        expect(found.equals(bytes.subarray(start, end + 1)), `${start}-${end}`).toBe(true)
      }
    },
  )

  test('a blob of no bytes is a blob', async () => {
    const store = await open()
    expect(await store.put('empty', Readable.from([]))).toBe(0)
    expect(await namesOf(store)).toEqual(['empty'])
    expect(await get(store, 'empty', 0, 10)).toHaveLength(0)
  })

  test('a range that goes past the end gives the bytes that are there', async () => {
    const { store, name } = await given(Buffer.from('abcdef'))
    expect(String(await get(store, name, 4, 99))).toBe('ef')
    expect(await get(store, name, 6, 99)).toHaveLength(0)
  })

  test('a blob that was never there, or is no more, is missing', async () => {
    const { store, name } = await given(Buffer.from('abc'))
    await expect(store.get('another', { start: 0, end: 1 })).rejects.toThrow(BlobMissing)
    await store.delete(name)
    await expect(store.get(name, { start: 0, end: 1 })).rejects.toThrow(BlobMissing)
    await store.delete(name)
    expect(await namesOf(store)).toEqual([])
  })

  test.each([3, 9 * MIB])('a blob of %i bytes is not replaced', async (size) => {
    const { store, name } = await given(Buffer.from('abc'))
    const attempt = store.put(name, streamOf(cut(Buffer.alloc(size), 70_000)))
    await expect(attempt).rejects.toThrow(BlobExists)
    expect(String(await get(store, name, 0, 99))).toBe('abc')
    expect(await namesOf(store)).toEqual([name])
  })

  test('of many writes of one name, one is kept whole', async () => {
    const store = await open()
    const blobs = Array.from({ length: 8 }, () => randomBytes(100_000))
    const puts = blobs.map((bytes) => store.put('name', streamOf(cut(bytes, 9999))))
    const results = await Promise.allSettled(puts)
    const winner = results.findIndex(({ status }) => status === 'fulfilled')
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await get(store, 'name', 0, 99_999)).equals(blobs[winner] as Buffer)).toBe(true)
  })

  test.each([1, 400])('nothing is left when the stream fails after %i chunks', async (count) => {
    const store = await open()
    const source = streamOf(
      (function* () {
        for (let i = 0; i < count; i++) yield Buffer.alloc(70_000)
        throw new Error('the client went away')
      })(),
    )
    await expect(store.put('name', source)).rejects.toThrow('the client went away')
    expect(await namesOf(store)).toEqual([])
    await store.put('name', Readable.from([Buffer.from('abc')]))
    expect(String(await get(store, 'name', 0, 9))).toBe('abc')
  })

  test('nothing is left when the stream had failed before, or fails at once', async () => {
    const store = await open()
    const failed = new PassThrough()
    failed.once('error', () => {})
    failed.destroy(new Error('failed before'))
    await expect(store.put('name', failed)).rejects.toThrow()
    const failing = new PassThrough()
    const write = store.put('name', failing)
    failing.destroy(new Error('fails at once'))
    await expect(write).rejects.toThrow()
    expect(await namesOf(store)).toEqual([])
  })

  test('nothing is left when the stream is closed before its end', async () => {
    const store = await open()
    const source = new PassThrough()
    const write = store.put('name', source)
    source.write(Buffer.alloc(70_000))
    setTimeout(() => source.destroy(), 5)
    await expect(write).rejects.toMatchObject({ code: 'ERR_STREAM_PREMATURE_CLOSE' })
    expect(await namesOf(store)).toEqual([])
  })

  test.each([0, 1, 200])(
    'nothing is left when the write is aborted after %i chunks',
    async (count) => {
      const store = await open()
      const abort = new AbortController()
      let given = 0
      const source = new Readable({
        read() {
          if (given >= count) abort.abort()
          else this.push(Buffer.alloc(70_000))
          given += 1
        },
      })
      const write = store.put('name', source, abort.signal)
      await expect(write).rejects.toMatchObject({ name: 'AbortError' })
      expect(source.destroyed).toBe(true)
      expect(await namesOf(store)).toEqual([])
    },
  )

  test('nothing is written when the signal was aborted before', async () => {
    const store = await open()
    const source = streamOf([Buffer.from('abc')])
    const write = store.put('name', source, AbortSignal.abort())
    await expect(write).rejects.toMatchObject({ name: 'AbortError' })
    expect(await namesOf(store)).toEqual([])
  })

  test.each([
    '',
    '.',
    '..',
    '../x',
    'a/b',
    '/etc/passwd',
    'a\\b',
    'a\0b',
    'a.b',
    'ä',
    'a b',
    'x'.repeat(129),
  ])('%j is no name', async (name) => {
    const store = await open()
    const refused = streamOf([Buffer.from('abc')])
    await expect(store.put(name, refused)).rejects.toThrow(RangeError)
    expect(refused.destroyed).toBe(true)
    await expect(store.get(name, { start: 0, end: 1 })).rejects.toThrow(RangeError)
    await expect(store.delete(name)).rejects.toThrow(RangeError)
  })

  test('a list gives every name, with when it was stored', async () => {
    const store = await open()
    const before = Date.now()
    const names = Array.from({ length: 30 }, newBlobName).sort()
    for (const name of names) await store.put(name, Readable.from([Buffer.from(name)]))
    expect(await namesOf(store)).toEqual(names)
    for await (const { modifiedAt } of store.list()) {
      expect(modifiedAt).toBeGreaterThan(before - 5000)
      expect(modifiedAt).toBeLessThan(Date.now() + 5000)
    }
  })

  test('an encrypted object is read from it, and refused when a blob is short', async () => {
    const store = await open()
    const objectKey = createSecretKey(randomBytes(32))
    const source = { store, objectKey, streamId: 'version' }
    const plaintext = randomBytes(300_000)
    const part = await writePart(source, streamOf(cut(plaintext, 70_000)))
    const found = await buffer(await openObject(source, [part], 65_000, 299_999))
    expect(found.equals(plaintext.subarray(65_000))).toBe(true)
    const whole = await get(store, part.blob, 0, MIB)
    const short = { ...part, blob: newBlobName() }
    await store.put(short.blob, Readable.from([whole.subarray(0, 200_000)]))
    const tail = openObject(source, [short], 65_000, 299_999).then(buffer)
    await expect(tail).rejects.toThrow(ObjectDamaged)
    await expect(openObject(source, [short], 290_000, 299_999)).rejects.toThrow(ObjectDamaged)
  })
}
