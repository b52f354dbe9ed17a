/** What all listings of objects have in common: which entries a page has, and how they are written. */
import { commonPrefix, type NameWriter } from '../../shared/lambda/s3-listing.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectSummary } from '../../shared/store/records.ts'

export const MAX_KEYS = 1000
/** Names in the first read of a listing with common prefixes, and in one after a prefix was skipped. */
const FIRST_READ = 64
const READ_AFTER_SKIP = 16

/** One line of a listing: an object, or the prefix that many names have in common. */
export type Entry =
  | { readonly kind: 'object'; readonly object: ObjectSummary }
  | { readonly kind: 'prefix'; readonly prefix: string }

export interface Listed {
  readonly prefix: string
  /** Empty: names have no common prefixes. */
  readonly delimiter: string
  readonly maxKeys: number
}

/** Where a page begins: after a name, or after all names that begin with a prefix; `null`: at the first. */
export type Start =
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'prefix'; readonly prefix: string }
  | null

/**
 * Names in the byte order of their UTF-8 form; those under a delimiter are told as one prefix.
 * @returns up to `maxKeys` entries, and one more when there are more
 */
export async function collectEntries(
  { account, bucket }: Pick<S3Request, 'account' | 'bucket'>,
  { prefix, delimiter, maxKeys }: Listed,
  start: Start,
  { services }: Call,
): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  let skipped = start?.kind === 'prefix' ? start.prefix : null
  let after = start?.kind === 'name' ? start.name : null
  let size = delimiter === '' ? maxKeys + 1 : FIRST_READ
  for (;;) {
    const from = skipped === null ? after : endOf(skipped)
    const page = await services.store.objects.list(account, bucket, {
      prefix,
      after: from,
      limit: size,
    })
    const before = skipped
    skipped = null
    for (const object of page.items) {
      const common = commonPrefix(object.key, prefix, delimiter)
      if (common !== null && common === before) continue
      entries.push(
        common === null ? { kind: 'object', object } : { kind: 'prefix', prefix: common },
      )
      if (entries.length > maxKeys) return entries
      skipped = common
      if (common !== null) break
    }
    if (skipped === null && page.next === null) return entries
    after = page.next
    size = skipped === null ? Math.min(4 * size, MAX_KEYS) : READ_AFTER_SKIP
  }
}

/**
 * Comes after every name that begins with the prefix: one read from there skips them all. Names have
 * at most 1024 bytes, and no character sorts after U+10FFFF.
 */
const endOf = (prefix: string): string => prefix + '\u{10ffff}'.repeat(256)

/** A marker that is a common prefix stands for all names that begin with it, as NextMarker does. */
export function startAt({
  marker,
  prefix,
  delimiter,
}: Listed & { readonly marker: string }): Start {
  if (marker === '') return null
  const isPrefix = marker.startsWith(prefix) && commonPrefix(marker, prefix, delimiter) === marker
  return isPrefix ? { kind: 'prefix', prefix: marker } : { kind: 'name', name: marker }
}

/** @returns what the next page's marker is after a page that ends with the entry */
export function nameOf(entry: Entry | undefined): string {
  if (entry === undefined) return ''
  return entry.kind === 'object' ? entry.object.key : entry.prefix
}

/** @returns the elements of the entries; @param owner - shown with every object, where it is */
export const entryElements = (
  shown: readonly Entry[],
  names: NameWriter,
  owner: { readonly ID: string } | undefined,
) => ({
  Contents: shown.flatMap((entry) =>
    entry.kind === 'object' ? [contentsOf(entry.object, names, owner)] : [],
  ),
  CommonPrefixes: shown.flatMap((entry) =>
    entry.kind === 'prefix' ? [{ Prefix: names.write(entry.prefix) }] : [],
  ),
})

const contentsOf = (
  object: ObjectSummary,
  names: NameWriter,
  owner: { readonly ID: string } | undefined,
) => ({
  Key: names.write(object.key),
  LastModified: new Date(object.createdAt),
  ETag: `"${object.etag}"`,
  ChecksumAlgorithm: Object.keys(object.checksums),
  ChecksumType: object.checksumType ?? undefined,
  Size: object.size,
  Owner: owner,
  StorageClass: 'STANDARD',
})
