import { createObjectKeys } from '../../shared/blobs/object-encryption.ts'
import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { newVersionId, sealRecord, wholeSecond } from '../../shared/blobs/object-record.ts'
import { contextHeader, encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import { conditionalConflict, preconditionFailed } from '../../shared/blobs/s3-error.ts'
import { blobStore, retireBlobs } from '../../shared/lambda/blob-store.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { checksumHeaders } from '../../shared/lambda/s3-checksums.ts'
import { isConditional, requireWriteCondition } from '../../shared/lambda/s3-conditions.ts'
import { readEncryption } from '../../shared/lambda/s3-encryption.ts'
import { readMetadata } from '../../shared/lambda/s3-metadata.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { readAnnouncement, receivePart } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { objectKeyServices } from './object-kms.ts'
import { requireBucketStill } from './written-object.ts'

/** Everything about a write that its head tells, read before the body is asked for. */
async function readHead(request: S3Request, call: Call) {
  const encryption = await readEncryption(request, call)
  const replaces = await writeCondition(request, call)
  const hasMd5Etag = encryption.mode === 'SSE-S3'
  const announced = readAnnouncement(request, { hasMd5Etag })
  return { encryption, replaces, announced, metadata: readMetadata(request) }
}

/** Writes an object in one piece: its blob first, then one conditional write of the index. */
export const putObject = objectOperation({
  name: 'PutObject',
  action: 's3:PutObject',
  readOnly: false,
  async run(request, call) {
    const head = await readHead(request, call)
    const { account, bucket, key } = request
    const place = { account, bucket, key, versionId: newVersionId() }
    const made = await createObjectKeys(head.encryption, place, objectKeyServices(call))
    const { keys, encryption } = made
    try {
      const target = { store: blobStore(), ...keys, streamId: place.versionId }
      const received = await receivePart(request, head.announced, target)
      const createdAt = wholeSecond(call.services.clock.now())
      const manifest = {
        ...place,
        ...head.metadata,
        size: received.size,
        etag: received.etag,
        createdAt,
        checksums: received.checksums,
        checksumType: 'FULL_OBJECT' as const,
        encryption,
        parts: [{ ...received, partNumber: 1, createdAt }],
        multipart: false,
      }
      const record = sealRecord(keys.objectKey, manifest, {})
      await commit(record, head.replaces, call)
      await requireBucketStill(request, record, call)
      return answer(record, request)
    } finally {
      wipeObjectKeys(keys)
    }
  },
})

async function writeCondition(request: S3Request, { services }: Call) {
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

function answer(record: ObjectRecord, { header }: S3Request): S3Answer {
  return {
    status: 200,
    headers: {
      etag: `"${record.etag}"`,
      ...checksumHeaders(record.checksums, record.checksumType),
      ...encryptionHeaders(record.encryption, header),
      ...contextHeader(header),
    },
    event: { bytesTransferredIn: record.size, SSEApplied: record.encryption.mode },
  }
}

export const handler = s3Handler(putObject)
