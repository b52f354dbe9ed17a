import { retireBlobs } from '../../shared/lambda/blob-store.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { UploadRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import {
  fencedUpload,
  isFencedBy,
  noSuchUpload,
  operationAborted,
  requireUpload,
} from './uploads.ts'

/** How often parts are looked for again that were still being written. */
const ROUNDS = 3

/** Gives an upload up, with all of its parts. */
export const abortMultipartUpload = objectOperation({
  name: 'AbortMultipartUpload',
  action: 's3:AbortMultipartUpload',
  readOnly: false,
  async run(request, call) {
    const { uploads } = call.services.store
    const upload = await fenceForAbort(request, call)
    for (let round = 1; round <= ROUNDS; round++) {
      const parts = await uploads.parts(upload)
      if (round > 1 && parts.length === 0) break
      await uploads.delete(upload)
      await retireBlobs(call, upload, parts)
    }
    return { status: 204, headers: {} }
  },
})

/**
 * From here on nobody can complete the upload.
 * @throws S3Error OperationAborted while somebody else is completing or aborting it
 */
async function fenceForAbort(request: S3Request, call: Call): Promise<UploadRecord> {
  const upload = await requireUpload(request, call)
  if (isFencedBy(upload, 'complete', call)) throw operationAborted(undefined)
  const fenced = fencedUpload(upload, 'abort', call)
  try {
    await call.services.store.uploads.update(fenced, upload.rev)
  } catch (error) {
    throw error instanceof ConditionFailed ? operationAborted(error) : error
  }
  await refuseCompleted(request, upload, call)
  return fenced
}

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
