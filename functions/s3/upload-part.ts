import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { wholeSecond } from '../../shared/blobs/object-record.ts'
import { encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { blobStore, retireBlobs } from '../../shared/lambda/blob-store.ts'
import {
  checksumHeader,
  DEFAULT_CHECKSUM,
  givenChecksum,
} from '../../shared/lambda/s3-checksums.ts'
import { refuseLateEncryption } from '../../shared/lambda/s3-encryption.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { parsePartNumber } from '../../shared/lambda/s3-range.ts'
import { readAnnouncement, receivePart } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { PartRecord, UploadRecord } from '../../shared/store/records.ts'
import { openUploadKeys } from './upload-keys.ts'
import { checksumOf, noSuchUpload, requireUpload } from './uploads.ts'

/** Writes one part under a salt of its own; sent again, it takes the place of the one before. */
export const uploadPart = objectOperation({
  name: 'UploadPart',
  action: 's3:PutObject',
  readOnly: false,
  continuesUpload: true,
  async run(request, call) {
    const partNumber = parsePartNumber(request.parameter('partNumber') ?? '')
    const upload = await requireUpload(request, call)
    refuseLateEncryption(request)
    requireChecksumOf(upload, request)
    const hasMd5Etag = upload.encryption.mode === 'SSE-S3'
    const always = checksumOf(upload) ?? DEFAULT_CHECKSUM
    const announced = readAnnouncement(request, { hasMd5Etag, always })
    const keys = await openUploadKeys(upload, request, call)
    try {
      const target = { store: blobStore(), ...keys, streamId: upload.versionId }
      const received = await receivePart(request, announced, target)
      const part = { ...received, partNumber, createdAt: wholeSecond(call.services.clock.now()) }
      await recordPart(upload, part, call)
      const [shown = always] = announced.checksums
      return {
        status: 200,
        headers: {
          etag: `"${part.etag}"`,
          [checksumHeader(shown)]: part.checksums[shown] ?? '',
          ...encryptionHeaders(upload.encryption, request.header),
        },
        event: { bytesTransferredIn: part.size, SSEApplied: upload.encryption.mode },
      }
    } finally {
      wipeObjectKeys(keys)
    }
  },
})

/** @throws S3Error InvalidRequest when the part brings another checksum than the upload was created for */
function requireChecksumOf(upload: UploadRecord, request: S3Request): void {
  const expected = checksumOf(upload)
  const given = givenChecksum(request)
  if (expected === null || given === null || given.name === expected) return
  throw new S3Error(
    'InvalidRequest',
    `Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${given.name.toLowerCase()}`,
  )
}

/**
 * Records the part, and lets go of the one that it replaces.
 * @throws S3Error NoSuchUpload when the upload is over by now
 */
export async function recordPart(
  upload: UploadRecord,
  part: PartRecord,
  call: Call,
): Promise<void> {
  const { store } = call.services
  const replaced = await store.uploads.putPart(upload, part)
  const { account, bucket, uploadId } = upload
  const now = await store.uploads.get(account, bucket, uploadId)
  if (now === null) {
    // Aborted meanwhile: whoever did that may have missed this part.
    await store.uploads.delete(upload)
    await retireBlobs(call, upload, [part])
    throw noSuchUpload(uploadId)
  }
  if (now.completedEtag !== null) throw noSuchUpload(uploadId)
  const isOther = replaced !== null && replaced.blob !== part.blob // one that is recorded twice stays
  if (isOther) await retireBlobs(call, upload, [replaced])
}

export const handler = s3Handler(uploadPart)
