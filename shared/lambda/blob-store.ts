/**
 * The backing store of this process, for the functions that touch stored blobs. Apart from the rest
 * of the environment, so that no other function carries what is needed to reach it.
 */
import type { BackingStore } from '../blobs/backing-store.ts'
import { openBackingStore } from '../blobs/open-backing-store.ts'

let shared: BackingStore | undefined

/** Where `KEYHOLD_BLOBS` says; opened by its first use. */
export function blobStore(): BackingStore {
  shared ??= openBackingStore(process.env.KEYHOLD_BLOBS ?? '')
  return shared
}
