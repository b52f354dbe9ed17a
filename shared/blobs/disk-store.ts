/**
 * A backing store in a directory, which belongs to one process at a time.
 *
 * ```
 * incoming/incoming-<random>     what is being written
 * blobs/<hex>/<hex>/<name>       what is stored; the two digits come from a hash of the name
 * ```
 * A blob is written and flushed under its incoming name and then linked to its own, which fails
 * where the name is taken; so there is never half a blob under a name, and never another one.
 */
import { createHash } from 'node:crypto'
import { link, mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Clock, systemClock } from '../clock.ts'
import { type BackingStore, BlobMissing } from './backing-store.ts'
import { BlobExists, newBlobName, requireBlobName } from './blob-name.ts'
import { FlushedFile } from './flushed-file.ts'
import { STORED_SEGMENT_LENGTH } from './segments.ts'

const INCOMING = 'incoming-'
/** Nobody is still writing to what has not grown for so long. */
const STALE_AFTER_MS = 24 * 60 * 60 * 1000
/** Bytes for one read: whole segments, so that none has to be put together from two reads. */
const READ_LENGTH = 16 * STORED_SEGMENT_LENGTH
const hexDigits = [...'0123456789abcdef']

/**
 * Opens the directory, making it where it is missing, and removes what a crash left half written.
 * A range that goes past the end of a blob gives the bytes that are there. `list` also names what
 * has been incoming for more than a day, and `delete` takes those names.
 */
export async function openDiskStore(
  directory: string,
  clock: Clock = systemClock,
): Promise<BackingStore> {
  const store = new DiskStore(directory, clock)
  await store.prepare()
  return store
}

class DiskStore implements BackingStore {
  readonly #incoming: string
  readonly #blobs: string
  readonly #clock: Clock
  readonly #madeDirectories = new Set<string>()

  constructor(directory: string, clock: Clock) {
    this.#incoming = join(directory, 'incoming')
    this.#blobs = join(directory, 'blobs')
    this.#clock = clock
  }

  async prepare(): Promise<void> {
    await rm(this.#incoming, { recursive: true, force: true })
    await makeDirectory(this.#incoming)
    await makeDirectory(this.#blobs)
  }

  async put(name: string, bytes: Readable, signal?: AbortSignal): Promise<number> {
    bytes.once('error', ignore) // it may fail before the pipeline listens, which then hears of it too
    const incoming = join(this.#incoming, INCOMING + newBlobName())
    try {
      const path = this.#pathOf(name)
      if (path.startsWith(this.#incoming)) throw new RangeError('The name is reserved.')
      const size = await writeFlushed(incoming, bytes, signal)
      await this.#makeDirectoryOf(path)
      await linkNew(incoming, path)
      await flushDirectory(dirname(path))
      return size
    } finally {
      bytes.destroy()
      await rm(incoming, { force: true })
    }
  }

  async get(
    name: string,
    range: { readonly start: number; readonly end: number },
  ): Promise<Readable> {
    const path = this.#pathOf(name)
    const file = await open(path).catch((error: NodeJS.ErrnoException) => {
      throw error.code === 'ENOENT' ? new BlobMissing(name) : error
    })
    return file.createReadStream({ ...range, highWaterMark: READ_LENGTH })
  }

  async delete(name: string): Promise<void> {
    await rm(this.#pathOf(name), { force: true })
  }

  async *list(): AsyncGenerator<{ readonly name: string; readonly modifiedAt: number }> {
    for (const one of hexDigits) {
      for (const other of hexDigits) yield* entriesOf(join(this.#blobs, one, other))
    }
    const staleBefore = this.#clock.now() - STALE_AFTER_MS
    for await (const entry of entriesOf(this.#incoming)) {
      if (entry.modifiedAt < staleBefore) yield entry
    }
  }

  #pathOf(name: string): string {
    if (requireBlobName(name).startsWith(INCOMING)) return join(this.#incoming, name)
    const hash = createHash('sha256').update(name).digest('hex')
    return join(this.#blobs, hash.charAt(0), hash.charAt(1), name)
  }

  async #makeDirectoryOf(path: string): Promise<void> {
    const directory = dirname(path)
    if (this.#madeDirectories.has(directory)) return
    await makeDirectory(directory)
    await flushDirectory(dirname(directory))
    await flushDirectory(this.#blobs)
    this.#madeDirectories.add(directory)
  }
}

/** @returns the number of bytes, once they are on the disk */
async function writeFlushed(
  path: string,
  bytes: Readable,
  signal: AbortSignal | undefined,
): Promise<number> {
  // Opened here and not by the stream, so that the file is there to be removed whatever happens.
  const file = await open(path, 'wx', 0o600)
  const out = new FlushedFile(file)
  await pipeline(bytes, out, signal === undefined ? {} : { signal })
  return out.size
}

async function linkNew(from: string, to: string): Promise<void> {
  await link(from, to).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EEXIST' ? new BlobExists('The name is taken.', { cause: error }) : error
  })
}

const makeDirectory = (path: string): Promise<unknown> =>
  mkdir(path, { recursive: true, mode: 0o700 })

/** Makes new names in the directory last over a power failure. */
async function flushDirectory(path: string): Promise<void> {
  const directory = await open(path)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}

/** Files of a directory that may not exist, leaving out those that go while it is read. */
async function* entriesOf(
  directory: string,
): AsyncGenerator<{ readonly name: string; readonly modifiedAt: number }> {
  const names = await readdir(directory).catch(orIfMissing<string[]>([]))
  for (const name of names) {
    const found = await stat(join(directory, name)).catch(orIfMissing(null))
    if (found !== null) yield { name, modifiedAt: found.mtimeMs }
  }
}

const ignore = (): void => {}

const orIfMissing =
  <T>(fallback: T) =>
  (error: NodeJS.ErrnoException): T => {
    if (error.code === 'ENOENT') return fallback
    throw error
  }
