/** Conditional requests (RFC 9110 section 13; Amazon S3 User Guide, "Conditional requests"). */
import { noSuchKey, notImplemented, preconditionFailed } from '../blobs/s3-error.ts'
import type { ObjectRecord } from '../store/records.ts'
import type { S3Request } from './s3-request.ts'

/**
 * The order of precedence is RFC 9110's: a matching ETag settles what a date would say.
 * @returns whether the client has the object already, so that 304 is the answer
 * @throws S3Error PreconditionFailed
 */
export function isUnmodified(
  { header }: S3Request,
  object: Pick<ObjectRecord, 'etag' | 'createdAt'>,
): boolean {
  const failed = failedCondition(header, object)
  if (failed === 'If-Match' || failed === 'If-Unmodified-Since') throw preconditionFailed(failed)
  return failed !== null
}

export type ReadCondition =
  | 'If-Match'
  | 'If-Unmodified-Since'
  | 'If-None-Match'
  | 'If-Modified-Since'

/** @returns the first condition that does not hold; `null` when all do */
export function failedCondition(
  header: (name: string) => string | undefined,
  { etag, createdAt }: Pick<ObjectRecord, 'etag' | 'createdAt'>,
): ReadCondition | null {
  const match = header('if-match')
  const since = dateOf(header('if-unmodified-since'))
  if (match !== undefined) {
    if (!matches(match, etag)) return 'If-Match'
  } else if (since !== null && createdAt > since) {
    return 'If-Unmodified-Since'
  }
  const noneMatch = header('if-none-match')
  if (noneMatch !== undefined) return matches(noneMatch, etag) ? 'If-None-Match' : null
  const modifiedSince = dateOf(header('if-modified-since'))
  return modifiedSince !== null && createdAt <= modifiedSince ? 'If-Modified-Since' : null
}

/** Whether a write has a condition, so that what it replaces has to be known. */
export const isConditional = ({ header }: S3Request): boolean =>
  header('if-match') !== undefined || header('if-none-match') !== undefined

/**
 * @param present - the object that the write would replace
 * @returns what must still be there when the write commits, as `ObjectRepository.put` takes it
 * @throws S3Error PreconditionFailed, NoSuchKey, NotImplemented
 */
export function requireWriteCondition(
  { header, key }: S3Request,
  present: Pick<ObjectRecord, 'etag' | 'rev'> | null,
): number | null | undefined {
  const noneMatch = header('if-none-match')
  const match = header('if-match')
  if (noneMatch !== undefined && noneMatch.trim() !== '*') {
    throw notImplemented(`If-None-Match: ${noneMatch}`)
  }
  if (noneMatch !== undefined && present !== null) throw preconditionFailed('If-None-Match')
  if (match !== undefined) {
    if (present === null) throw noSuchKey(key)
    if (!matches(match, present.etag)) throw preconditionFailed('If-Match')
    return present.rev
  }
  return noneMatch === undefined ? undefined : null
}

/** @param list - ETags with or without quotes, or `*` */
const matches = (list: string, etag: string): boolean =>
  list
    .split(',')
    .map((entry) => entry.trim().replace(/^"|"$/g, ''))
    .some((entry) => entry === '*' || entry === etag)

/** A date that cannot be read is as if it were not there. */
function dateOf(text: string | undefined): number | null {
  const time = text === undefined ? Number.NaN : Date.parse(text)
  return Number.isNaN(time) ? null : time
}
