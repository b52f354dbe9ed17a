/**
 * Clears away what writes that were cut short have left: blobs that nothing names, records of uploads
 * that were completed long ago, and uploads whose abort did not come to its end. Run by a schedule;
 * nothing that the index names is ever removed.
 */

import type { BackingStore } from '../../shared/blobs/backing-store.ts'
import { type SweepResult, sweepBlobs } from '../../shared/blobs/blob-sweep.ts'
import type { AccountId } from '../../shared/ids.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import { environment } from '../../shared/lambda/environment.ts'
import { readSeconds } from '../../shared/lambda/seconds.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import type { BucketRecord, UploadRecord } from '../../shared/store/records.ts'

/** Longer than any write takes, and than a part may lie that is stored past the service. */
const DEFAULT_SECONDS = 86_400
/** For that long a completion that is asked for again gets the answer of the first time. */
const TOMBSTONE_MS = 7 * 24 * 60 * 60 * 1000
/** An abort takes seconds. */
const ABORT_MS = 60 * 60 * 1000
const PAGE = 1000

type Store = Services['store']

export interface Swept extends SweepResult {
  /** Records of uploads that were removed with those of their parts. */
  readonly uploads: number
}

/** @param olderThanMs - blobs that were stored later stay */
export async function sweep(
  { store, clock }: Pick<Services, 'store' | 'clock'>,
  blobs: BackingStore,
  olderThanMs: number,
): Promise<Swept> {
  let uploads = 0
  for await (const upload of allUploads(store)) {
    if (!isOver(upload, clock.now())) continue
    await store.uploads.delete(upload)
    uploads += 1
  }
  const storedBefore = Date.now() - olderThanMs // the age of a blob is real time
  const result = await sweepBlobs({ blobs, named: () => namedBlobs(store), storedBefore })
  return { ...result, uploads }
}

function isOver({ completedEtag, fence, createdAt }: UploadRecord, now: number): boolean {
  if (completedEtag !== null) return now - createdAt > TOMBSTONE_MS
  return fence?.by === 'abort' && now - fence.since > ABORT_MS
}

/**
 * Of each bucket the uploads come first: a completion names the parts in the object before it lets go
 * of them in the upload, so they are found here or there.
 */
async function* namedBlobs(store: Store): AsyncGenerator<string> {
  for await (const { account, bucket } of allBuckets(store)) {
    for (const upload of await store.uploads.list(account, bucket)) {
      if (upload.completedEtag !== null) continue
      for (const { blob } of await store.uploads.parts(upload)) yield blob
    }
    for (let after: string | null = null; ; ) {
      const page = await store.objects.listBlobs(account, bucket, PAGE, after)
      yield* page.items
      if (page.next === null) break
      after = page.next
    }
  }
}

async function* allUploads(store: Store): AsyncGenerator<UploadRecord> {
  for await (const { account, bucket } of allBuckets(store)) {
    yield* await store.uploads.list(account, bucket)
  }
}

async function* allBuckets(store: Store): AsyncGenerator<BucketRecord> {
  for (const { account } of await store.tenants.list()) yield* bucketsOf(account, store)
}

async function* bucketsOf(account: AccountId, store: Store): AsyncGenerator<BucketRecord> {
  for (let after: string | null = null; ; ) {
    const page = await store.buckets.list(account, PAGE, after)
    yield* page.items
    if (page.next === null) return
    after = page.next
  }
}

export const handler = async (): Promise<Swept> => {
  const olderThanMs = readSeconds(process.env, 'KEYHOLD_SWEEP_AFTER_SECONDS', DEFAULT_SECONDS)
  return sweep((await environment()).services, blobStore(), olderThanMs)
}
