import { invalidArgument } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import {
  commonPrefix,
  type NameWriter,
  nameWriter,
  parseCount,
} from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectSummary } from '../../shared/store/records.ts'

const MAX_KEYS = 1000
/** Names in the first read of a listing with common prefixes, and in one after a prefix was skipped. */
const FIRST_READ = 64
const READ_AFTER_SKIP = 16

const readQuery = (request: S3Request) => ({
  prefix: request.parameter('prefix') ?? '',
  delimiter: request.parameter('delimiter') ?? '',
  startAfter: request.parameter('start-after') ?? '',
  token: request.parameter('continuation-token'),
  maxKeys: parseCount(request, 'max-keys', MAX_KEYS),
  names: nameWriter(request),
  fetchOwner: request.parameter('fetch-owner') === 'true',
})
type Query = ReturnType<typeof readQuery>

/** One line of a listing: an object, or the prefix that many names have in common. */
type Entry =
  | { readonly kind: 'object'; readonly object: ObjectSummary }
  | { readonly kind: 'prefix'; readonly prefix: string }

/** Names in the byte order of their UTF-8 form; those under a delimiter are told as one prefix. */
export const listObjectsV2 = objectOperation({
  name: 'ListObjectsV2',
  action: 's3:ListBucket',
  readOnly: true,
  async run(request, call) {
    const query = readQuery(request)
    const listing = listingOf(request, query, call)
    const start = query.token ? await call.services.markers.open(listing, query.token) : null
    if (query.token && start === null) throw badToken(query.token)
    const found = query.maxKeys === 0 ? [] : await collect(request, query, start, call)
    const shown = found.slice(0, query.maxKeys)
    const last = shown.at(-1)
    const next =
      found.length > shown.length && last !== undefined
        ? await call.services.markers.seal(listing, positionOf(last))
        : undefined
    return xmlAnswer(xmlDocument('ListBucketResult', resultOf(request, query, shown, next)))
  },
})

const listingOf = (
  { account, bucket }: S3Request,
  { prefix, delimiter }: Query,
  { region }: Call,
) => ({ account, region, operation: 'ListObjectsV2', parameters: [bucket, prefix, delimiter] })

const badToken = (token: string) =>
  invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)

/** Where a page ends: `o` and a name, or `p` and a prefix. */
const positionOf = (entry: Entry): string =>
  entry.kind === 'object' ? `o${entry.object.key}` : `p${entry.prefix}`

/** @returns up to `maxKeys` entries, and one more when there are more */
async function collect(
  { account, bucket }: S3Request,
  { prefix, delimiter, startAfter, maxKeys }: Query,
  position: string | null,
  { services }: Call,
): Promise<readonly Entry[]> {
  const entries: Entry[] = []
  let skipped = position?.startsWith('p') ? position.slice(1) : null
  let after: string | null = position?.slice(1) ?? (startAfter || null)
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

const resultOf = (
  { account, bucket }: S3Request,
  { prefix, delimiter, startAfter, token, maxKeys, names, fetchOwner }: Query,
  shown: readonly Entry[],
  next: string | undefined,
  owner = fetchOwner ? { ID: canonicalUserId(account) } : undefined,
) => ({
  Name: bucket,
  Prefix: names.write(prefix),
  Delimiter: delimiter === '' ? undefined : names.write(delimiter),
  MaxKeys: maxKeys,
  EncodingType: names.encoding,
  KeyCount: shown.length,
  IsTruncated: next !== undefined,
  ContinuationToken: token,
  NextContinuationToken: next,
  StartAfter: startAfter === '' ? undefined : names.write(startAfter),
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
  owner: { ID: string } | undefined,
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

export const handler = s3Handler(listObjectsV2)
