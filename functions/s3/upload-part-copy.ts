import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { wholeSecond } from '../../shared/blobs/object-record.ts'
import { encryptionHeaders } from '../../shared/blobs/requested-encryption.ts'
import { invalidArgument, S3Error } from '../../shared/blobs/s3-error.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { checksumElements, DEFAULT_CHECKSUM } from '../../shared/lambda/s3-checksums.ts'
import { refuseLateEncryption } from '../../shared/lambda/s3-encryption.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { parsePartNumber } from '../../shared/lambda/s3-range.ts'
import { storeCopy } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { findCopySource, openCopySource, requireCopySize } from './copy-source.ts'
import { openUploadKeys } from './upload-keys.ts'
import { recordPart } from './upload-part.ts'
import { checksumOf, requireUpload } from './uploads.ts'

const RANGE = 'x-amz-copy-source-range'

/** Writes one part from an object that is there already, or from a range of it. */
export const uploadPartCopy = objectOperation({
  name: 'UploadPartCopy',
  action: 's3:PutObject',
  readOnly: false,
  continuesUpload: true,
  async run(request, call) {
    const partNumber = parsePartNumber(request.parameter('partNumber') ?? '')
    const upload = await requireUpload(request, call)
    refuseLateEncryption(request)
    const source = await findCopySource(request, call)
    const { start, end } = readRange(request, source.record.size)
    requireCopySize(end - start + 1)
    const keys = await openUploadKeys(upload, request, call)
    try {
      const plaintext = await openCopySource(source, start, end, request, call)
      const kept = {
        checksum: checksumOf(upload) ?? DEFAULT_CHECKSUM,
        hasMd5Etag: upload.encryption.mode === 'SSE-S3',
      }
      const target = { store: blobStore(), ...keys, streamId: upload.versionId }
      const stored = await storeCopy(plaintext, kept, target, request.signal).finally(() =>
        plaintext.destroy(),
      )
      const part = { ...stored, partNumber, createdAt: wholeSecond(call.services.clock.now()) }
      await recordPart(upload, part, call)
      const document = xmlDocument('CopyPartResult', {
        LastModified: new Date(part.createdAt),
        ETag: `"${part.etag}"`,
        ...checksumElements(upload.checksumAlgorithm === null ? {} : part.checksums),
      })
      const headers = encryptionHeaders(upload.encryption, request.header)
      return { ...xmlAnswer(document, headers), event: { SSEApplied: upload.encryption.mode } }
    } finally {
      wipeObjectKeys(keys)
    }
  },
})

/** Both ends must be given, and lie within the source. @throws S3Error InvalidArgument, InvalidRequest */
function readRange({ header }: S3Request, size: number): { start: number; end: number } {
  const text = header(RANGE)
  if (text === undefined) return { start: 0, end: size - 1 }
  const [, first, last] = /^bytes=([0-9]{1,15})-([0-9]{1,15})$/.exec(text) ?? []
  const [start, end] = [Number(first), Number(last)]
  if (first === undefined || last === undefined || end < start) {
    throw invalidArgument(
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy',
      RANGE,
      text,
    )
  }
  if (end < size) return { start, end }
  if (start >= size) {
    throw new S3Error(
      'InvalidRequest',
      'The specified copy range is invalid for the source object size.',
    )
  }
  throw invalidArgument(
    `Range specified is not valid for source object of size: ${size}`,
    RANGE,
    text,
  )
}

export const handler = s3Handler(uploadPartCopy)
