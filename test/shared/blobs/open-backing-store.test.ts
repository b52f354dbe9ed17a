import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openBackingStore } from '../../../shared/blobs/open-backing-store.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-blobs-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

test('a directory is opened at the first use, and not before', async () => {
  const store = openBackingStore(`file:${join(directory, 'lazy')}`)
  expect(await readdir(directory)).not.toContain('lazy')
  expect(await store.put('one', Readable.from([Buffer.from('bytes')]))).toBe(5)
  const read = await store.get('one', { start: 1, end: 3 })
  expect(Buffer.concat(await read.toArray()).toString()).toBe('yte')
  const names: string[] = []
  for await (const { name } of store.list()) names.push(name)
  expect(names).toEqual(['one'])
  await store.delete('one')
  await expect(store.get('one', { start: 0, end: 0 })).rejects.toMatchObject({
    name: 'BlobMissing',
  })
})

test('bytes that fail while the store is being opened leave nothing, and crash nothing', async () => {
  const store = openBackingStore(`file:${join(directory, 'failing')}`)
  const failing = new Readable({ read() {} })
  const put = store.put('one', failing)
  failing.destroy(new Error('gone'))
  await expect(put).rejects.toThrow()
  for await (const { name } of store.list()) throw new Error(name)
})

test.each(['', 'ftp://x', '/directory', 's3:bucket'])('%s names no store', async (address) => {
  await expect(openBackingStore(address).delete('x')).rejects.toThrow(/KEYHOLD_BLOBS must be/)
})
