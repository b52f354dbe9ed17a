import { removeBlobs } from '../../shared/blobs/object-record.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { UploadRecord } from '../../shared/store/records.ts'
import { noSuchUpload, requireUpload } from './uploads.ts'

/** How often parts are looked for again that were still being written. */
const ROUNDS = 3

/** Gives an upload up, with all of its parts. */
export const abortMultipartUpload = objectOperation({
  name: 'AbortMultipartUpload',
  action: 's3:AbortMultipartUpload',
  readOnly: false,
  async run(request, call) {
    const upload = await requireUpload(request, call)
    await refuseCompleted(request, upload, call)
    const { uploads } = call.services.store
    for (let round = 1; round <= ROUNDS; round++) {
      const parts = await uploads.parts(upload)
      if (round > 1 && parts.length === 0) break
      await uploads.delete(upload)
      await removeBlobs(blobStore(), parts)
    }
    return { status: 204, headers: {} }
  },
})

/** A completion may have been cut short before it could say so; the parts are the object's then. */
async function refuseCompleted(
  { account, bucket, key }: S3Request,
  { versionId, uploadId }: UploadRecord,
  { services }: Call,
): Promise<void> {
  const present = await services.store.objects.get(account, bucket, key)
  if (present?.versionId === versionId) throw noSuchUpload(uploadId)
}

export const handler = s3Handler(abortMultipartUpload)
