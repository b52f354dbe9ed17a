/** The keys of an upload under way, for those who write its parts and complete it. */
import { openManifestKey } from '../../shared/blobs/completion-key.ts'
import { manifestKey } from '../../shared/blobs/manifest.ts'
import { openObjectKeys, WrongCustomerKey } from '../../shared/blobs/object-encryption.ts'
import { type ObjectKeys, wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { bringsCustomerKey, readCustomerKey } from '../../shared/lambda/s3-customer-key.ts'
import { requireUnblocked } from '../../shared/lambda/s3-encryption.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { UploadRecord } from '../../shared/store/records.ts'
import { objectKeyServices } from './object-kms.ts'

/**
 * @returns the keys of the object that the parts will make, which the caller wipes
 * @throws S3Error InvalidRequest when the request does not bring the key that the upload began with
 */
export async function openUploadKeys(
  upload: UploadRecord,
  request: S3Request,
  call: Call,
): Promise<ObjectKeys> {
  const isCustomers = upload.encryption.mode === 'SSE-C'
  if (isCustomers !== bringsCustomerKey(request)) {
    throw new S3Error(
      'InvalidRequest',
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    )
  }
  if (isCustomers) await requireUnblocked(request, call)
  try {
    return await openObjectKeys(upload, readCustomerKey(request), objectKeyServices(call))
  } catch (error) {
    if (!(error instanceof WrongCustomerKey)) throw error
    throw new S3Error(
      'InvalidRequest',
      'The provided encryption parameters did not match the ones used originally.',
      {},
      { cause: error },
    )
  }
}

/**
 * S3 does not ask for the caller's key at completion; one that is brought must be the right one.
 * @returns the key that seals the object's record, which the caller wipes
 * @throws S3Error InvalidRequest
 */
export async function openUploadManifestKey(
  upload: UploadRecord,
  request: S3Request,
  call: Call,
): Promise<Buffer> {
  const { completion } = upload
  if (completion !== null && !bringsCustomerKey(request)) {
    return openManifestKey(completion, upload, call.services.tenantKeys)
  }
  const keys = await openUploadKeys(upload, request, call)
  try {
    return manifestKey(keys.objectKey)
  } finally {
    wipeObjectKeys(keys)
  }
}
