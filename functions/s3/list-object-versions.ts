import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { nameWriter, parseCount } from '../../shared/lambda/s3-listing.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { collectEntries, entryElements, MAX_KEYS, nameOf, startAt } from './listed-objects.ts'

/** Every object is the one version of its name, as in a bucket whose versioning was never turned on. */
const ONLY_VERSION = 'null'

export const listObjectVersions = objectOperation({
  name: 'ListObjectVersions',
  action: 's3:ListBucketVersions',
  readOnly: true,
  async run(request, call) {
    const { account, bucket, parameter } = request
    const prefix = parameter('prefix') ?? ''
    const delimiter = parameter('delimiter') ?? ''
    const marker = parameter('key-marker') ?? ''
    const maxKeys = parseCount(request, 'max-keys', MAX_KEYS)
    const names = nameWriter(request)
    const listed = { prefix, delimiter, marker, maxKeys }
    const found = maxKeys === 0 ? [] : await collectEntries(request, listed, startAt(listed), call)
    const shown = found.slice(0, maxKeys)
    const isTruncated = found.length > shown.length
    const last = isTruncated ? shown.at(-1) : undefined
    const owner = { ID: canonicalUserId(account) }
    const { Contents, CommonPrefixes } = entryElements(shown, names, owner)
    const document = xmlDocument('ListVersionsResult', {
      Name: bucket,
      Prefix: names.write(prefix),
      KeyMarker: names.write(marker),
      VersionIdMarker: parameter('version-id-marker') ?? '',
      NextKeyMarker: last && names.write(nameOf(last)),
      NextVersionIdMarker: last?.kind === 'object' ? ONLY_VERSION : undefined,
      MaxKeys: maxKeys,
      Delimiter: delimiter === '' ? undefined : names.write(delimiter),
      EncodingType: names.encoding,
      IsTruncated: isTruncated,
      Version: Contents.map((contents) => ({
        ...contents,
        VersionId: ONLY_VERSION,
        IsLatest: true,
      })),
      CommonPrefixes,
    })
    return xmlAnswer(document)
  },
})
