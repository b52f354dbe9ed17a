/** The backing store that the environment names; most functions never touch theirs. */
import type { Readable } from 'node:stream'
import type { BackingStore } from './backing-store.ts'
import type { PresignedPut } from './presigned-put.ts'

const S3_ADDRESS = /^s3:\/\/([^/]+)\/?(.*)$/

/**
 * @param address - `file:<directory>` or `s3://<bucket>/<prefix>`
 * @returns the store; the first call opens it and throws when it cannot, and the next call tries again
 */
export const openBackingStore = (address: string): BackingStore =>
  new LazyStore(() => openAddress(address))

async function openAddress(address: string): Promise<BackingStore> {
  if (address.startsWith('file:')) {
    return (await import('./disk-store.ts')).openDiskStore(address.slice('file:'.length))
  }
  const [, bucket, prefix = ''] = S3_ADDRESS.exec(address) ?? []
  if (bucket === undefined) {
    throw new Error("KEYHOLD_BLOBS must be 'file:<directory>' or 's3://<bucket>/<prefix>'.")
  }
  const folder = prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`
  return (await import('./s3-store.ts')).openS3Store({ bucket, prefix: folder })
}

class LazyStore implements BackingStore {
  readonly #open: () => Promise<BackingStore>
  #store: Promise<BackingStore> | null = null

  constructor(open: () => Promise<BackingStore>) {
    this.#open = open
  }

  async put(name: string, bytes: Readable, signal?: AbortSignal): Promise<number> {
    bytes.once('error', ignore) // it may fail before the store listens, which then hears of it too
    return (await this.#opened()).put(name, bytes, signal)
  }

  async get(
    name: string,
    range: { readonly start: number; readonly end: number },
  ): Promise<Readable> {
    return (await this.#opened()).get(name, range)
  }

  async delete(name: string): Promise<void> {
    await (await this.#opened()).delete(name)
  }

  async *list(): AsyncGenerator<{ readonly name: string; readonly modifiedAt: number }> {
    yield* (await this.#opened()).list()
  }

  async presignPut(name: string, seconds: number): Promise<PresignedPut | null> {
    return (await (await this.#opened()).presignPut?.(name, seconds)) ?? null
  }

  #opened(): Promise<BackingStore> {
    this.#store ??= this.#open().catch((error: unknown) => {
      this.#store = null
      throw error
    })
    return this.#store
  }
}

const ignore = (): void => {}
