/** What the operations on a multipart upload have in common. */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { type ChecksumName, parseChecksumName } from '../../shared/lambda/s3-checksums.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { UploadRecord } from '../../shared/store/records.ts'

const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/

/**
 * @returns the upload that the request names, completed or not
 * @throws S3Error NoSuchUpload, also when the upload is of another object
 */
export async function findUpload(request: S3Request, { services }: Call): Promise<UploadRecord> {
  const { account, bucket, key } = request
  const uploadId = request.parameter('uploadId') ?? ''
  const found = UPLOAD_ID.test(uploadId)
    ? await services.store.uploads.get(account, bucket, uploadId)
    : null
  if (found === null || found.key !== key) throw noSuchUpload(uploadId)
  return found
}

/** As `findUpload`, for operations that only an upload under way can have. */
export async function requireUpload(request: S3Request, call: Call): Promise<UploadRecord> {
  const upload = await findUpload(request, call)
  if (upload.completedEtag !== null || isFencedBy(upload, 'abort', call)) {
    throw noSuchUpload(upload.uploadId)
  }
  return upload
}

/** Longer than a call may take; what fenced an upload longer ago was cut short. */
const FENCE_MS = 60_000

/** Whether somebody is completing, or aborting, the upload right now. */
export const isFencedBy = (
  { fence }: UploadRecord,
  by: 'complete' | 'abort',
  { services }: Call,
): boolean => fence?.by === by && services.clock.now() - fence.since < FENCE_MS

/** @returns the upload with the fence, for one conditional write */
export const fencedUpload = (
  upload: UploadRecord,
  by: 'complete' | 'abort',
  { services }: Call,
): UploadRecord => ({
  ...upload,
  fence: { by, since: services.clock.now() },
  rev: upload.rev + 1,
})

export const operationAborted = (cause: unknown): S3Error =>
  new S3Error(
    'OperationAborted',
    'A conflicting conditional operation is currently in progress against this resource. Please try again.',
    {},
    { cause },
  )

export const noSuchUpload = (uploadId: string): S3Error =>
  new S3Error(
    'NoSuchUpload',
    'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
    { UploadId: uploadId },
  )

/** The checksum that the upload was created with; `null`: with none. */
export const checksumOf = ({ checksumAlgorithm }: UploadRecord): ChecksumName | null =>
  checksumAlgorithm === null ? null : parseChecksumName(checksumAlgorithm, 'checksum')
