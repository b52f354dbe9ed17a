import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import {
  commonPrefix,
  type NameWriter,
  nameWriter,
  parseCount,
} from '../../shared/lambda/s3-listing.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { UploadRecord } from '../../shared/store/records.ts'

const MAX_UPLOADS = 1000

const readQuery = (request: S3Request) => ({
  prefix: request.parameter('prefix') ?? '',
  delimiter: request.parameter('delimiter') ?? '',
  keyMarker: request.parameter('key-marker') ?? '',
  uploadIdMarker: request.parameter('upload-id-marker') ?? '',
  maxUploads: parseCount(request, 'max-uploads', MAX_UPLOADS),
  names: nameWriter(request),
})
type Query = ReturnType<typeof readQuery>

/** One line of the listing: an upload, or the prefix that many have in common. */
interface Entry {
  /** Of the object, or the prefix: where the next page starts after. */
  readonly key: string
  /** `null` for a prefix. */
  readonly upload: UploadRecord | null
}

/** The uploads under way in a bucket, by the name of the object, then by upload id. */
export const listMultipartUploads = bucketOperation({
  name: 'ListMultipartUploads',
  action: 's3:ListBucketMultipartUploads',
  readOnly: true,
  async run(request, call) {
    const query = readQuery(request)
    const { account, bucket } = request
    const uploads = await call.services.store.uploads.list(account, bucket)
    const found = entriesOf(uploads, query)
    const shown = found.slice(0, query.maxUploads)
    const isTruncated = query.maxUploads > 0 && found.length > shown.length
    const result = resultOf(request, query, shown, isTruncated)
    return xmlAnswer(xmlDocument('ListMultipartUploadsResult', result))
  },
})

function entriesOf(uploads: readonly UploadRecord[], query: Query): readonly Entry[] {
  const { prefix, delimiter } = query
  const entries: Entry[] = []
  for (const upload of uploads) {
    const { key, completedEtag } = upload
    if (completedEtag !== null || !key.startsWith(prefix) || !isAfterMarker(upload, query)) continue
    const common = commonPrefix(key, prefix, delimiter)
    if (common === null) entries.push({ key, upload })
    else if (common !== query.keyMarker && common !== entries.at(-1)?.key) {
      entries.push({ key: common, upload: null })
    }
  }
  return entries
}

/** Without an upload id, the marker stands for all uploads of its name. */
function isAfterMarker(
  { key, uploadId }: UploadRecord,
  { keyMarker, uploadIdMarker }: Query,
): boolean {
  if (keyMarker === '') return true
  const order = compareBytes(key, keyMarker)
  if (order !== 0) return order > 0
  return uploadIdMarker !== '' && compareBytes(uploadId, uploadIdMarker) > 0
}

const compareBytes = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

function resultOf(
  { account, bucket }: S3Request,
  query: Query,
  shown: readonly Entry[],
  isTruncated: boolean,
) {
  const { names, prefix, delimiter } = query
  const last = shown.at(-1)
  const owner = { ID: canonicalUserId(account) }
  return {
    Bucket: bucket,
    KeyMarker: names.write(query.keyMarker),
    UploadIdMarker: query.uploadIdMarker,
    NextKeyMarker: isTruncated ? names.write(last?.key ?? '') : undefined,
    NextUploadIdMarker: isTruncated ? (last?.upload?.uploadId ?? '') : undefined,
    Delimiter: delimiter === '' ? undefined : names.write(delimiter),
    Prefix: prefix === '' ? undefined : names.write(prefix),
    EncodingType: names.encoding,
    MaxUploads: query.maxUploads,
    IsTruncated: isTruncated,
    Upload: shown.flatMap(({ upload }) => (upload === null ? [] : [entry(upload, owner, names)])),
    CommonPrefixes: shown.flatMap(({ key, upload }) =>
      upload === null ? [{ Prefix: names.write(key) }] : [],
    ),
  }
}

const entry = (upload: UploadRecord, owner: { readonly ID: string }, names: NameWriter) => ({
  Key: names.write(upload.key),
  UploadId: upload.uploadId,
  Initiator: owner,
  Owner: owner,
  StorageClass: 'STANDARD',
  Initiated: new Date(upload.createdAt),
  ChecksumAlgorithm: upload.checksumAlgorithm ?? undefined,
  ChecksumType: upload.checksumType ?? undefined,
})

export const handler = s3Handler(listMultipartUploads)
