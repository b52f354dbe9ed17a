/**
 * Letting go of blobs that a write, a deletion or an abort left without a name. Not at once: a
 * reader may be about to open them, and a write whose answer was lost may be tried again and name
 * them once more. After a grace that is longer than any call may take, the index is asked again, and
 * what it still names stays. What cannot be removed, or waits when the process ends, is an orphan
 * that harms nothing.
 */
import type { AccountId, BucketName } from '../ids.ts'
import type { PartRecord } from '../store/records.ts'
import type { Store } from '../store/repositories.ts'
import type { BackingStore } from './backing-store.ts'

/** Whose blobs they were: of an object's name, and of an upload where they were parts of one. */
export interface FormerPlace {
  readonly account: AccountId
  readonly bucket: BucketName
  readonly key: string
  readonly uploadId?: string
}

export interface ReaperOptions {
  readonly blobs: Pick<BackingStore, 'delete'>
  readonly store: Pick<Store, 'objects' | 'uploads'>
  /** Milliseconds; 0 removes before `retire` resolves. */
  readonly graceMs: number
}

type Retired = readonly Pick<PartRecord, 'blob'>[]

export class BlobReaper {
  readonly #options: ReaperOptions

  constructor(options: ReaperOptions) {
    this.#options = options
  }

  /** Removes the blobs after the grace, unless the index names them then. Never throws. */
  async retire(place: FormerPlace, parts: Retired): Promise<void> {
    if (parts.length === 0) return
    const { graceMs } = this.#options
    if (graceMs === 0) await this.#reap(place, parts)
    else setTimeout(() => this.#reap(place, parts), graceMs).unref()
  }

  async #reap(place: FormerPlace, parts: Retired): Promise<void> {
    const { blobs } = this.#options
    try {
      const named = await this.#named(place)
      const nameless = parts.filter(({ blob }) => !named.has(blob))
      await Promise.allSettled(nameless.map(({ blob }) => blobs.delete(blob)))
    } catch {
      // Without an answer from the index nothing may be removed.
    }
  }

  async #named({ account, bucket, key, uploadId }: FormerPlace): Promise<ReadonlySet<string>> {
    const { objects, uploads } = this.#options.store
    const object = await objects.get(account, bucket, key)
    const upload = uploadId === undefined ? null : await uploads.get(account, bucket, uploadId)
    const isOpen = upload !== null && upload.completedEtag === null
    const parts = isOpen ? await uploads.parts(upload) : []
    return new Set([...(object?.parts ?? []), ...parts].map(({ blob }) => blob))
  }
}
