import { contextHeader, encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { checksumHeaders } from '../../shared/lambda/s3-checksums.ts'
import { readEncryption } from '../../shared/lambda/s3-encryption.ts'
import { readMetadata } from '../../shared/lambda/s3-metadata.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { readAnnouncement, receivePart } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { readTaggingHeader, taggingPermissions } from '../../shared/lambda/s3-tagging.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { writeCondition, writeObject } from './write-object.ts'

/** Everything about a write that its head tells, read before the body is asked for. */
async function readHead(request: S3Request, call: Call) {
  const encryption = await readEncryption(request, call)
  const tags = readTaggingHeader(request)
  const replaces = await writeCondition(request, call)
  const hasMd5Etag = encryption.mode === 'SSE-S3'
  const announced = readAnnouncement(request, { hasMd5Etag })
  return { encryption, replaces, announced, metadata: readMetadata(request), tags }
}

/** Writes an object in one piece: its blob first, then one conditional write of the index. */
export const putObject = objectOperation({
  name: 'PutObject',
  action: 's3:PutObject',
  also: taggingPermissions,
  readOnly: false,
  async run(request, call) {
    const head = await readHead(request, call)
    const receive = receivePart.bind(null, request, head.announced)
    return answer(await writeObject(request, head, receive, call), request)
  },
})

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
