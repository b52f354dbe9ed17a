import { compositeEtag } from '../../shared/blobs/digests.ts'
import { sealUnder, wholeSecond } from '../../shared/blobs/object-record.ts'
import { encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { retireBlobs } from '../../shared/lambda/blob-store.ts'
import { type S3Answer, xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { checksumElements } from '../../shared/lambda/s3-checksums.ts'
import { requireWriteCondition } from '../../shared/lambda/s3-conditions.ts'
import { refuseLateEncryption } from '../../shared/lambda/s3-encryption.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord, PartRecord, UploadRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { chooseParts, etagOfList, type ListedPart, readListedParts } from './listed-parts.ts'
import { wholeChecksum } from './upload-checksum.ts'
import { openUploadManifestKey } from './upload-keys.ts'
import { fencedUpload, findUpload, isFencedBy, noSuchUpload, operationAborted } from './uploads.ts'
import { requireBucketStill } from './written-object.ts'

const MAX_ATTEMPTS = 8

/**
 * Makes an object of the parts that are listed; no data moves.
 *
 * The upload's `rev` is raised before its parts are read, so that no part is thrown away that may be
 * in the object; then comes the one write of the index, then the upload is marked as completed, so
 * that the same request can be answered again. Cut short in between, a repetition takes it up where
 * it stands: the object in the index has the upload's version id.
 */
export const completeMultipartUpload = objectOperation({
  name: 'CompleteMultipartUpload',
  action: 's3:PutObject',
  readOnly: false,
  continuesUpload: true,
  async run(request, call) {
    refuseLateEncryption(request)
    await findUpload(request, call)
    const listed = await readListedParts(request)
    for (let attempt = 1; ; attempt++) {
      try {
        return await complete(request, listed, call)
      } catch (error) {
        if (!(error instanceof ConditionFailed)) throw error
        if (attempt === MAX_ATTEMPTS) throw operationAborted(error)
      }
    }
  },
})

/** @throws ConditionFailed when somebody else changed the upload or the object in between */
async function complete(
  request: S3Request,
  listed: readonly ListedPart[],
  call: Call,
): Promise<S3Answer> {
  const { store } = call.services
  const upload = await findUpload(request, call)
  if (upload.completedEtag !== null) return repeated(request, upload, listed, call)
  if (isFencedBy(upload, 'abort', call)) throw noSuchUpload(upload.uploadId)
  const fenced = fencedUpload(upload, 'complete', call)
  await store.uploads.update(fenced, upload.rev)
  const record = await commitOrRelease(request, fenced, listed, call)
  await store.uploads.update(
    { ...fenced, completedEtag: record.etag, fence: null, rev: fenced.rev + 1 },
    fenced.rev,
  )
  const used = new Set(record.parts.map(({ blob }) => blob))
  const parts = await store.uploads.parts(upload)
  const unused = parts.filter(({ blob }) => !used.has(blob))
  await retireBlobs(call, upload, unused)
  return answer(request, record)
}

/** An upload that cannot be completed with these parts can be with others, or be aborted, at once. */
async function commitOrRelease(
  request: S3Request,
  fenced: UploadRecord,
  listed: readonly ListedPart[],
  call: Call,
): Promise<ObjectRecord> {
  try {
    return await commit(request, fenced, listed, call)
  } catch (error) {
    if (error instanceof S3Error) {
      const released = { ...fenced, fence: null, rev: fenced.rev + 1 }
      await call.services.store.uploads.update(released, fenced.rev).catch(() => {})
    }
    throw error
  }
}

/** @returns the object as it is in the index, by this call or by one before that was cut short */
async function commit(
  request: S3Request,
  upload: UploadRecord,
  listed: readonly ListedPart[],
  call: Call,
): Promise<ObjectRecord> {
  const { objects, uploads } = call.services.store
  const { account, bucket, key } = request
  const present = await objects.get(account, bucket, key)
  if (present?.versionId === upload.versionId) return present
  const parts = chooseParts(upload, listed, await uploads.parts(upload))
  requireWriteCondition(request, present)
  const record = await recordOf(request, upload, parts, call)
  const replaced = await objects.put(record, present?.rev ?? null)
  await retireBlobs(call, request, replaced?.parts ?? [])
  await requireBucketStill(request, record, call)
  return record
}

async function recordOf(
  request: S3Request,
  upload: UploadRecord,
  parts: readonly PartRecord[],
  call: Call,
): Promise<ObjectRecord> {
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  requireObjectSize(request, size)
  const checksum = wholeChecksum(upload, parts, request)
  const { account, bucket, key, versionId, systemMetadata, userMetadata, encryption } = upload
  const manifestKey = await openUploadManifestKey(upload, request, call)
  try {
    const manifest = {
      account,
      bucket,
      key,
      versionId,
      size,
      etag: compositeEtag(parts.map(({ etag }) => etag)),
      createdAt: wholeSecond(call.services.clock.now()),
      systemMetadata,
      userMetadata,
      ...checksum,
      encryption,
      parts,
      multipart: true,
    }
    return sealUnder(manifestKey, manifest, upload.tags)
  } finally {
    manifestKey.fill(0)
  }
}

function requireObjectSize({ header }: S3Request, size: number): void {
  const expected = header('x-amz-mp-object-size')
  if (expected === undefined || expected === String(size)) return
  throw new S3Error(
    'InvalidRequest',
    `The provided 'x-amz-mp-object-size' header value ${expected} does not match what was computed: ${size}`,
  )
}

/** A request that comes again after its answer was lost gets the same answer. */
async function repeated(
  request: S3Request,
  upload: UploadRecord,
  listed: readonly ListedPart[],
  { services }: Call,
): Promise<S3Answer> {
  const etag = etagOfList(listed)
  if (etag === null || etag !== upload.completedEtag) throw noSuchUpload(upload.uploadId)
  const { account, bucket, key } = request
  const present = await services.store.objects.get(account, bucket, key)
  const isCurrent = present?.versionId === upload.versionId
  const { encryption } = upload
  return answer(
    request,
    isCurrent ? present : { etag, encryption, checksums: {}, checksumType: null },
  )
}

function answer(
  request: S3Request,
  record: Pick<ObjectRecord, 'etag' | 'encryption' | 'checksums' | 'checksumType'>,
): S3Answer {
  const { bucket, key } = request
  const document = xmlDocument('CompleteMultipartUploadResult', {
    Location: request.url,
    Bucket: bucket,
    Key: key,
    ETag: `"${record.etag}"`,
    ...checksumElements(record.checksums),
    ChecksumType: record.checksumType ?? undefined,
  })
  return {
    ...xmlAnswer(document, encryptionHeaders(record.encryption, request.header)),
    event: { SSEApplied: record.encryption.mode },
  }
}

export const handler = s3Handler(completeMultipartUpload)
