/** A new file that is on its way to the disk while it is still being written. */
import type { FileHandle } from 'node:fs/promises'
import { Writable } from 'node:stream'

const WRITE_BUFFER_LENGTH = 1024 * 1024
/** Bytes after which the disk is set to work: one flush at the end would wait for all of them. */
const FLUSH_EVERY = 32 * 1024 * 1024

type Done = (error?: Error | null) => void

/** Ends once every byte is on the disk; the file is closed then, and also when it fails. */
export class FlushedFile extends Writable {
  readonly #file: FileHandle
  #size = 0
  #unflushed = 0
  #flushing: Promise<void> | null = null

  constructor(file: FileHandle) {
    super({ highWaterMark: WRITE_BUFFER_LENGTH })
    this.#file = file
  }

  /** Bytes that were written so far. */
  get size(): number {
    return this.#size
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: Done): void {
    this.#append([chunk]).then(() => done(), done)
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: Done): void {
    this.#append(chunks.map(({ chunk }) => chunk)).then(() => done(), done)
  }

  override _final(done: Done): void {
    this.#finish().then(() => done(), done)
  }

  override _destroy(error: Error | null, done: Done): void {
    this.#close().then(
      () => done(error),
      (failure) => done(error ?? failure),
    )
  }

  async #append(chunks: Buffer[]): Promise<void> {
    const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
    const { bytesWritten } = await this.#file.writev(chunks)
    // The system may take less than it was given.
    if (bytesWritten < length)
      await this.#file.writeFile(Buffer.concat(chunks).subarray(bytesWritten))
    this.#size += length
    this.#unflushed += length
    if (this.#unflushed >= FLUSH_EVERY && this.#flushing === null) this.#flushInBackground()
  }

  #flushInBackground(): void {
    this.#unflushed = 0
    this.#flushing = this.#file.datasync().then(
      () => {
        this.#flushing = null
      },
      (error: Error) => {
        this.destroy(error)
      },
    )
  }

  async #finish(): Promise<void> {
    await this.#flushing
    await this.#file.sync()
  }

  async #close(): Promise<void> {
    await this.#flushing
    await this.#file.close()
  }
}
