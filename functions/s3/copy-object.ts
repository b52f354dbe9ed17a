import { contextHeader, encryptionHeaders, SSE } from '../../shared/blobs/requested-encryption.ts'
import { invalidArgument, S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import {
  type ChecksumName,
  checksumElements,
  checksumNames,
  DEFAULT_CHECKSUM,
  parseChecksumName,
} from '../../shared/lambda/s3-checksums.ts'
import { bringsCustomerKey } from '../../shared/lambda/s3-customer-key.ts'
import { readEncryption } from '../../shared/lambda/s3-encryption.ts'
import { type ObjectMetadata, readMetadata } from '../../shared/lambda/s3-metadata.ts'
import { objectOperation, requestConditions } from '../../shared/lambda/s3-operation.ts'
import { storeCopy } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { readTaggingHeader, type Tags } from '../../shared/lambda/s3-tagging.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { authorizePermission } from '../../shared/pipeline/authorize.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import {
  authorizeRead,
  type CopySource,
  findCopySource,
  openCopySource,
  requireCopySize,
} from './copy-source.ts'
import { writeCondition, writeObject } from './write-object.ts'

/**
 * Writes an object again under another name, or under its own. The copy is encrypted as its own
 * request and bucket say; nothing of the source's encryption goes over.
 */
export const copyObject = objectOperation({
  name: 'CopyObject',
  action: 's3:PutObject',
  readOnly: false,
  async run(request, call) {
    const encryption = await readEncryption(request, call)
    const source = await findCopySource(request, call)
    const { record } = source
    requireCopySize(record.size)
    await requireChange(request, source, call)
    const head = {
      encryption,
      replaces: await writeCondition(request, call),
      metadata: metadataOf(request, record),
      tags: await tagsOf(request, source, call),
    }
    const kept = {
      checksum: checksumOf(request, record),
      hasMd5Etag: encryption.mode === 'SSE-S3',
    }
    const plaintext = await openCopySource(source, 0, record.size - 1, request, call)
    const written = await writeObject(
      request,
      head,
      (target) => storeCopy(plaintext, kept, target, request.signal),
      call,
    ).finally(() => plaintext.destroy())
    return answer(written, request)
  },
})

function answer(record: ObjectRecord, { header }: S3Request) {
  const document = xmlDocument('CopyObjectResult', {
    LastModified: new Date(record.createdAt),
    ETag: `"${record.etag}"`,
    ...checksumElements(record.checksums),
    ChecksumType: record.checksumType ?? undefined,
  })
  const headers = { ...encryptionHeaders(record.encryption, header), ...contextHeader(header) }
  return { ...xmlAnswer(document, headers), event: { SSEApplied: record.encryption.mode } }
}

/** `x-amz-metadata-directive` and its like. @throws S3Error InvalidArgument */
function replaces({ header }: S3Request, directive: string, what: string): boolean {
  const given = header(directive)
  if (given === undefined || given === 'COPY') return false
  if (given === 'REPLACE') return true
  throw invalidArgument(`Unknown ${what} directive.`, directive, given)
}

const replacesMetadata = (request: S3Request): boolean =>
  replaces(request, 'x-amz-metadata-directive', 'metadata')
const replacesTags = (request: S3Request): boolean =>
  replaces(request, 'x-amz-tagging-directive', 'tagging')

function metadataOf(
  request: S3Request,
  { systemMetadata, userMetadata }: ObjectRecord,
): ObjectMetadata {
  return replacesMetadata(request) ? readMetadata(request) : { systemMetadata, userMetadata }
}

/** Tags that go over take the right to read them there and to set them here. */
async function tagsOf(
  request: S3Request,
  { bucket, record }: CopySource,
  call: Call,
): Promise<Tags> {
  const isNew = replacesTags(request)
  const tags = isNew ? readTaggingHeader(request) : record.tags
  if (Object.keys(tags).length === 0) return tags
  const { policy } = await request.requireBucket(call.services.store.buckets)
  const set = { action: 's3:PutObjectTagging', resource: request.objectArn, policy }
  authorizePermission(set, requestConditions(request), call)
  if (isNew) return tags
  authorizeRead('s3:GetObjectTagging', bucket, record.key, request, call)
  return tags
}

/** That of the source, over the whole object, unless another is asked for. */
function checksumOf({ header }: S3Request, { checksums }: ObjectRecord): ChecksumName {
  const given = header('x-amz-checksum-algorithm')
  if (given !== undefined) return parseChecksumName(given, 'x-amz-checksum-algorithm')
  return checksumNames.find((name) => checksums[name] !== undefined) ?? DEFAULT_CHECKSUM
}

/** @throws S3Error InvalidRequest for a copy of an object onto itself that leaves it as it is */
async function requireChange(
  request: S3Request,
  { record }: CopySource,
  { services }: Call,
): Promise<void> {
  const { bucket, key, header } = request
  if (record.bucket !== bucket || record.key !== key) return
  const { settings } = await request.requireBucket(services.store.buckets)
  const isEncryptionSet = header(SSE) !== undefined || bringsCustomerKey(request)
  const hasDefault = (settings.encryption?.algorithm ?? null) !== null
  const isClassSet = header('x-amz-storage-class') !== undefined
  const changes = replacesMetadata(request) || replacesTags(request)
  if (changes || isEncryptionSet || hasDefault || isClassSet) return
  throw new S3Error(
    'InvalidRequest',
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
  )
}

export const handler = s3Handler(copyObject)
