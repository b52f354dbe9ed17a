/**
 * Where the bytes of stored blobs lie: a directory, or an S3 bucket. Blobs are immutable and their
 * names are chosen by the caller (random for objects). Both stores pass one contract test.
 */
import type { Readable } from 'node:stream'
import type { PresignedPut } from './presigned-put.ts'

export interface BackingStore {
  /**
   * Stores the stream under a new name; it exists, whole and durable, once the promise resolves.
   * When the stream fails or the signal aborts, nothing is left behind.
   * @returns the number of bytes stored
   */
  put(name: string, bytes: Readable, signal?: AbortSignal): Promise<number>
  /**
   * Reads bytes `start` to `end`, both inclusive.
   * @throws BlobMissing when there is no blob of that name
   */
  get(name: string, range: { readonly start: number; readonly end: number }): Promise<Readable>
  /** Removes the blob; a missing one is no error. */
  delete(name: string): Promise<void>
  /** All names and their age, for the sweeper. */
  list(): AsyncIterable<{ readonly name: string; readonly modifiedAt: number }>
  /**
   * A way for somebody else to store a blob of a new name; absent or `null` where there is none.
   * @param seconds - for how long it is good
   */
  presignPut?(name: string, seconds: number): Promise<PresignedPut | null>
}

export class BlobMissing extends Error {
  override readonly name = 'BlobMissing'
}
