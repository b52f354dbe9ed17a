import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { nameWriter, parseCount } from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import {
  collectEntries,
  type Entry,
  entryElements,
  MAX_KEYS,
  nameOf,
  startAt,
} from './listed-objects.ts'

const readQuery = (request: S3Request) => ({
  prefix: request.parameter('prefix') ?? '',
  delimiter: request.parameter('delimiter') ?? '',
  marker: request.parameter('marker') ?? '',
  maxKeys: parseCount(request, 'max-keys', MAX_KEYS),
  names: nameWriter(request),
})
type Query = ReturnType<typeof readQuery>

/** The first version of ListObjectsV2: pages begin after a name that the client gives. */
export const listObjects = objectOperation({
  name: 'ListObjects',
  action: 's3:ListBucket',
  readOnly: true,
  async run(request, call) {
    const query = readQuery(request)
    const found =
      query.maxKeys === 0 ? [] : await collectEntries(request, query, startAt(query), call)
    const shown = found.slice(0, query.maxKeys)
    const isTruncated = found.length > shown.length
    return xmlAnswer(xmlDocument('ListBucketResult', resultOf(request, query, shown, isTruncated)))
  },
})

const resultOf = (
  { account, bucket }: S3Request,
  { prefix, delimiter, marker, maxKeys, names }: Query,
  shown: readonly Entry[],
  isTruncated: boolean,
) => ({
  Name: bucket,
  Prefix: names.write(prefix),
  Marker: names.write(marker),
  // Without a delimiter, the last name of the page is what clients go on from.
  NextMarker: isTruncated && delimiter !== '' ? names.write(nameOf(shown.at(-1))) : undefined,
  Delimiter: delimiter === '' ? undefined : names.write(delimiter),
  MaxKeys: maxKeys,
  EncodingType: names.encoding,
  IsTruncated: isTruncated,
  ...entryElements(shown, names, { ID: canonicalUserId(account) }),
})
