/** Writing an object in one piece, wherever its bytes come from. */
import { createObjectKeys } from '../../shared/blobs/object-encryption.ts'
import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { newVersionId, sealRecord, wholeSecond } from '../../shared/blobs/object-record.ts'
import type { RequestedEncryption } from '../../shared/blobs/requested-encryption.ts'
import { conditionalConflict, preconditionFailed } from '../../shared/blobs/s3-error.ts'
import { blobStore, retireBlobs } from '../../shared/lambda/blob-store.ts'
import { isConditional, requireWriteCondition } from '../../shared/lambda/s3-conditions.ts'
import type { ObjectMetadata } from '../../shared/lambda/s3-metadata.ts'
import type { PartTarget, ReceivedPart } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { objectKeyServices } from './object-kms.ts'
import { requireBucketStill } from './written-object.ts'

/** What is known of a write before any of its bytes. */
export interface WriteHead {
  readonly encryption: RequestedEncryption
  /** From `writeCondition`. */
  readonly replaces: number | null | undefined
  readonly metadata: ObjectMetadata
  readonly tags: ObjectRecord['tags']
}

/**
 * The blob first, then one conditional write of the index.
 * @param receive - stores the bytes, encrypted for the target
 * @returns the object as it is in the index
 * @throws S3Error PreconditionFailed, ConditionalRequestConflict, NoSuchBucket
 */
export async function writeObject(
  request: S3Request,
  { encryption: requested, replaces, metadata, tags }: WriteHead,
  receive: (target: PartTarget) => Promise<ReceivedPart>,
  call: Call,
): Promise<ObjectRecord> {
  const { account, bucket, key } = request
  const place = { account, bucket, key, versionId: newVersionId() }
  const { keys, encryption } = await createObjectKeys(requested, place, objectKeyServices(call))
  try {
    const received = await receive({ store: blobStore(), ...keys, streamId: place.versionId })
    const createdAt = wholeSecond(call.services.clock.now())
    const manifest = {
      ...place,
      ...metadata,
      size: received.size,
      etag: received.etag,
      createdAt,
      checksums: received.checksums,
      checksumType: 'FULL_OBJECT' as const,
      encryption,
      parts: [{ ...received, partNumber: 1, createdAt }],
      multipart: false,
    }
    const record = sealRecord(keys.objectKey, manifest, tags)
    await commit(record, replaces, call)
    await requireBucketStill(request, record, call)
    return record
  } finally {
    wipeObjectKeys(keys)
  }
}

/**
 * @returns what must still be there when the write commits
 * @throws S3Error PreconditionFailed, NoSuchKey, NotImplemented
 */
export async function writeCondition(request: S3Request, { services }: Call) {
  if (!isConditional(request)) return undefined
  const { account, bucket, key } = request
  return requireWriteCondition(request, await services.store.objects.get(account, bucket, key))
}

async function commit(
  record: ObjectRecord,
  replaces: number | null | undefined,
  call: Call,
): Promise<void> {
  try {
    const replaced = await call.services.store.objects.put(record, replaces)
    await retireBlobs(call, record, replaced?.parts ?? [])
  } catch (error) {
    // After any other failure the index may name the blob all the same.
    if (!(error instanceof ConditionFailed)) throw error
    await retireBlobs(call, record, record.parts)
    throw replaces === null ? preconditionFailed('If-None-Match') : conditionalConflict(error)
  }
}
