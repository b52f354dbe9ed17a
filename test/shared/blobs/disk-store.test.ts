import { mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, expect, test } from 'vitest'
import { BlobMissing } from '../../../shared/blobs/backing-store.ts'
import { openDiskStore } from '../../../shared/blobs/disk-store.ts'
import { settled } from './given.ts'
import { namesOf, storeContract } from './store-contract.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const made: string[] = []

async function givenDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'keyhold-blobs-'))
  made.push(directory)
  return directory
}

afterAll(async () => {
  for (const directory of made) await rm(directory, { recursive: true, force: true })
})

const filesOf = async (directory: string): Promise<string[]> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
}

const put = (store: Awaited<ReturnType<typeof openDiskStore>>, name: string) =>
  store.put(name, Readable.from([Buffer.from(name)]))

storeContract(async () => openDiskStore(join(await givenDirectory(), 'not', 'there', 'yet')))

test('what was stored is there when the directory is opened again', async () => {
  const directory = await givenDirectory()
  await put(await openDiskStore(directory), 'kept')
  const reopened = await openDiskStore(directory)
  expect(String(await buffer(await reopened.get('kept', { start: 0, end: 9 })))).toBe('kept')
})

test('a failed write leaves no file of any name', async () => {
  const directory = await givenDirectory()
  const store = await openDiskStore(directory)
  const failing = Readable.from(
    (function* () {
      yield Buffer.alloc(70_000)
      throw new Error('the client went away')
    })(),
  )
  await expect(store.put('name', failing)).rejects.toThrow('the client went away')
  expect(await filesOf(directory)).toEqual([])
  await put(store, 'name')
  await expect(put(store, 'name')).rejects.toThrow()
  expect(await filesOf(directory)).toEqual(['name'])
})

test('what a crash left half written is gone once the directory is opened', async () => {
  const directory = await givenDirectory()
  await put(await openDiskStore(directory), 'kept')
  await writeFile(join(directory, 'incoming', 'incoming-1'), 'half')
  const store = await openDiskStore(directory)
  expect(await filesOf(directory)).toEqual(['kept'])
  expect(String(await buffer(await store.get('kept', { start: 0, end: 9 })))).toBe('kept')
})

test('what is being written is not listed, until it is a day old', async () => {
  const directory = await givenDirectory()
  const now = Date.now()
  const store = await openDiskStore(directory, { now: () => now })
  const file = join(directory, 'incoming', 'incoming-1')
  await writeFile(file, 'half')
  const list = () => namesOf(store)
  expect(await list()).toEqual([])
  await utimes(file, new Date(now - DAY_MS - 1000), new Date(now - DAY_MS - 1000))
  expect(await list()).toEqual(['incoming-1'])
  await store.delete('incoming-1')
  expect(await filesOf(directory)).toEqual([])
})

test('the names of what is being written are nobody’s to take', async () => {
  const store = await openDiskStore(await givenDirectory())
  await expect(put(store, 'incoming-1')).rejects.toThrow(RangeError)
  await expect(store.get('incoming-1', { start: 0, end: 1 })).rejects.toThrow(BlobMissing)
})

test('files and directories are the owner’s alone', async () => {
  const directory = join(await givenDirectory(), 'blobs')
  await put(await openDiskStore(directory), 'name')
  const entries = await readdir(directory, { recursive: true })
  for (const entry of entries) {
    expect((await stat(join(directory, entry))).mode & 0o077, entry).toBe(0)
  }
})

test('a slow reader keeps what is read ahead bounded', async () => {
  const store = await openDiskStore(await givenDirectory())
  const size = 16 * 1024 * 1024
  await store.put('long', Readable.from([Buffer.alloc(size)]))
  const stored = await store.get('long', { start: 0, end: size - 1 })
  stored.once('readable', () => {})
  expect(await settled(() => stored.readableLength)).toBeLessThanOrEqual(size / 4)
  stored.destroy()
})
