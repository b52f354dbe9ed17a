import { invalidArgument } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { nameWriter, parseCount } from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import {
  collectEntries,
  type Entry,
  entryElements,
  MAX_KEYS,
  type Start,
} from './listed-objects.ts'

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

/** Names in the byte order of their UTF-8 form; those under a delimiter are told as one prefix. */
export const listObjectsV2 = objectOperation({
  name: 'ListObjectsV2',
  action: 's3:ListBucket',
  readOnly: true,
  async run(request, call) {
    const query = readQuery(request)
    const listing = listingOf(request, query, call)
    const position = query.token ? await call.services.markers.open(listing, query.token) : null
    if (query.token && position === null) throw badToken(query.token)
    const start = startOf(position, query)
    const found = query.maxKeys === 0 ? [] : await collectEntries(request, query, start, call)
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

/** A position counts before `start-after`. */
function startOf(position: string | null, { startAfter }: Query): Start {
  if (position?.startsWith('p')) return { kind: 'prefix', prefix: position.slice(1) }
  const name = position?.slice(1) ?? startAfter
  return name === '' ? null : { kind: 'name', name }
}

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
  ...entryElements(shown, names, owner),
})

export const handler = s3Handler(listObjectsV2)
