/**
 * The backing store of this process, for the functions that touch stored blobs. Apart from the rest
 * of the environment, so that no other function carries what is needed to reach it.
 */
import type { BackingStore } from '../blobs/backing-store.ts'
import { BlobReaper, type FormerPlace } from '../blobs/blob-reaper.ts'
import { openBackingStore } from '../blobs/open-backing-store.ts'
import type { Call } from '../pipeline/operation.ts'
import type { PartRecord } from '../store/records.ts'
import { readSeconds } from './seconds.ts'

const DEFAULT_GRACE_SECONDS = 60

let shared: BackingStore | undefined
let reaper: BlobReaper | undefined

/** Where `KEYHOLD_BLOBS` says; opened by its first use. */
export function blobStore(): BackingStore {
  shared ??= openBackingStore(process.env.KEYHOLD_BLOBS ?? '')
  return shared
}

/** Lets go of blobs that lost their name, `KEYHOLD_BLOB_GRACE_SECONDS` later. Never throws. */
export function retireBlobs(
  { services: { store } }: Call,
  place: FormerPlace,
  parts: readonly Pick<PartRecord, 'blob'>[],
): Promise<void> {
  reaper ??= new BlobReaper({
    blobs: blobStore(),
    store,
    graceMs: readSeconds(process.env, 'KEYHOLD_BLOB_GRACE_SECONDS', DEFAULT_GRACE_SECONDS),
  })
  return reaper.retire(place, parts)
}
