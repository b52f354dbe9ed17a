import { keepManifestKey } from '../../shared/blobs/completion-key.ts'
import { isCombinable } from '../../shared/blobs/crc-combine.ts'
import { createObjectKeys } from '../../shared/blobs/object-encryption.ts'
import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { newVersionId, wholeSecond } from '../../shared/blobs/object-record.ts'
import { contextHeader, encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { freshBytes } from '../../shared/crypto/random.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import {
  type ChecksumName,
  type ChecksumType,
  parseChecksumName,
} from '../../shared/lambda/s3-checksums.ts'
import { readEncryption } from '../../shared/lambda/s3-encryption.ts'
import { readMetadata } from '../../shared/lambda/s3-metadata.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { readTaggingHeader, taggingPermissions } from '../../shared/lambda/s3-tagging.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { UploadRecord } from '../../shared/store/records.ts'
import { objectKeyServices } from './object-kms.ts'

const UPLOAD_ID_LENGTH = 48

/** What all parts will share: the object key, the metadata and the kind of checksum are fixed here. */
export const createMultipartUpload = objectOperation({
  name: 'CreateMultipartUpload',
  action: 's3:PutObject',
  also: taggingPermissions,
  readOnly: false,
  async run(request, call) {
    const requested = await readEncryption(request, call)
    const checksum = readChecksum(request)
    const metadata = readMetadata(request)
    const tags = readTaggingHeader(request)
    const { account, bucket, key } = request
    const place = { account, bucket, key, versionId: newVersionId() }
    const { keys, encryption } = await createObjectKeys(requested, place, objectKeyServices(call))
    const made = { ...place, encryption }
    const completion = await keepManifestKey(keys.objectKey, made, call.services.tenantKeys)
    wipeObjectKeys(keys)
    const upload: UploadRecord = {
      ...place,
      ...metadata,
      uploadId: freshBytes(UPLOAD_ID_LENGTH).toString('base64url'),
      createdAt: wholeSecond(call.services.clock.now()),
      checksumAlgorithm: checksum?.name ?? null,
      checksumType: checksum?.type ?? null,
      encryption,
      completion,
      tags,
      completedEtag: null,
      fence: null,
      rev: 1,
    }
    await call.services.store.uploads.create(upload)
    const content = { Bucket: bucket, Key: key, UploadId: upload.uploadId }
    const document = xmlDocument('InitiateMultipartUploadResult', content)
    return {
      ...xmlAnswer(document, answerHeaders(upload, request)),
      event: { SSEApplied: upload.encryption.mode },
    }
  },
})

function answerHeaders(upload: UploadRecord, { header }: S3Request): Record<string, string> {
  const { checksumAlgorithm, checksumType } = upload
  return {
    ...encryptionHeaders(upload.encryption, header),
    ...contextHeader(header),
    ...(checksumAlgorithm === null ? {} : { 'x-amz-checksum-algorithm': checksumAlgorithm }),
    ...(checksumType === null ? {} : { 'x-amz-checksum-type': checksumType }),
  }
}

/** @throws S3Error InvalidRequest for a type that the algorithm has not */
function readChecksum({ header }: S3Request): { name: ChecksumName; type: ChecksumType } | null {
  const algorithm = header('x-amz-checksum-algorithm')
  const type = header('x-amz-checksum-type')?.toUpperCase()
  if (algorithm === undefined) {
    if (type === undefined) return null
    throw new S3Error(
      'InvalidRequest',
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    )
  }
  const name = parseChecksumName(algorithm, 'x-amz-checksum-algorithm')
  const wanted = type ?? (name === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE')
  if (wanted === 'FULL_OBJECT' && isCombinable(name)) return { name, type: wanted }
  if (wanted === 'COMPOSITE' && name !== 'CRC64NVME') return { name, type: wanted }
  throw new S3Error(
    'InvalidRequest',
    `The ${wanted} checksum type cannot be used with the ${name.toLowerCase()} checksum algorithm.`,
  )
}

export const handler = s3Handler(createMultipartUpload)
