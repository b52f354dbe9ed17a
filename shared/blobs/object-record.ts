/** Records of objects: sealed when they are written, and their blobs let go when they are replaced. */
import { randomBytes, randomInt } from 'node:crypto'
import type { ObjectRecord } from '../store/records.ts'
import { type Manifest, manifestKey, manifestTag } from './manifest.ts'

const LARGEST_REV = 2 ** 47

type Tags = ObjectRecord['tags']

/**
 * @param objectKey - 32 bytes
 * @param tags - of the object; whoever may set them need not be able to open it
 * @returns the record as it goes into the index
 */
export function sealRecord(objectKey: Uint8Array, manifest: Manifest, tags: Tags): ObjectRecord {
  const key = manifestKey(objectKey)
  try {
    return sealUnder(key, manifest, tags)
  } finally {
    key.fill(0)
  }
}

/**
 * As `sealRecord`, by the manifest key. A record's `rev` is random, not counted: a name that was
 * deleted and written again never looks like what it was.
 */
export const sealUnder = (key: Uint8Array, manifest: Manifest, tags: Tags): ObjectRecord => ({
  ...manifest,
  manifestTag: manifestTag(key, manifest),
  tags,
  rev: newRev(),
})

/** @returns the `rev` of one write of a record */
export const newRev = (): number => 1 + randomInt(LARGEST_REV)

/** @param now - milliseconds since the epoch. @returns the whole second, as headers and XML both show it */
export const wholeSecond = (now: number): number => Math.floor(now / 1000) * 1000

const VERSION_ID_LENGTH = 16

/** @returns the id of one write of a name: random, so that no two streams are ever bound to the same */
export const newVersionId = (): string => randomBytes(VERSION_ID_LENGTH).toString('hex')
