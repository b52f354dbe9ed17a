/** Records of objects: sealed when they are written, and their blobs let go when they are replaced. */
import { randomBytes, randomInt } from 'node:crypto'
import type { ObjectRecord } from '../store/records.ts'
import { type Manifest, manifestTag } from './manifest.ts'

const LARGEST_REV = 2 ** 47

/**
 * @param objectKey - 32 bytes
 * @returns the record as it goes into the index. Its `rev` is random, not counted: a name that was
 *   deleted and written again never looks like what it was
 */
export const sealRecord = (objectKey: Uint8Array, manifest: Manifest): ObjectRecord => ({
  ...manifest,
  manifestTag: manifestTag(objectKey, manifest),
  rev: 1 + randomInt(LARGEST_REV),
})

/** @param now - milliseconds since the epoch. @returns the whole second, as headers and XML both show it */
export const wholeSecond = (now: number): number => Math.floor(now / 1000) * 1000

const VERSION_ID_LENGTH = 16

/** @returns the id of one write of a name: random, so that no two streams are ever bound to the same */
export const newVersionId = (): string => randomBytes(VERSION_ID_LENGTH).toString('hex')
