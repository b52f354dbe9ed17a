/** Names of blobs: the one rule that both backing stores hold to. */
import { randomBytes } from 'node:crypto'

// No dot and no slash: a name is never a path, on no file system and in no bucket.
const BLOB_NAME = /^[A-Za-z0-9_-]{1,128}$/

const RANDOM_LENGTH = 16

/** There is a blob of that name already; blobs are never replaced. */
export class BlobExists extends Error {
  override readonly name = 'BlobExists'
}

/** @returns a name that nobody can guess or has had before: 32 hex digits */
export const newBlobName = (): string => randomBytes(RANDOM_LENGTH).toString('hex')

/**
 * @returns the name
 * @throws RangeError unless it is 1 to 128 letters, digits, `-` and `_`
 */
export function requireBlobName(name: string): string {
  if (!BLOB_NAME.test(name)) throw new RangeError('Not the name of a blob.')
  return name
}
