/** A file to an object: small ones in one piece, others in parts, a few at once. */
import { type FileHandle, open } from 'node:fs/promises'
import type { CompletedPart, PutObjectCommandInput } from '@aws-sdk/client-s3'
import type { S3 } from '../connection/s3.ts'
import { Failure } from '../problem.ts'
import { inParallel } from './in-parallel.ts'
import type { ObjectName } from './location.ts'

/** How the object is to be encrypted, and what is kept with it. */
export type Asked = Pick<
  PutObjectCommandInput,
  'ServerSideEncryption' | 'SSEKMSKeyId' | 'BucketKeyEnabled' | 'ContentType'
>

/** @param bytes - that went since the last time */
export type Watch = (bytes: number) => void

/** A function of Lambda takes 6 MB, of which base64 leaves four and a half (AWS Lambda, "Quotas"). */
const WHOLE_LENGTH = 4 * 1024 * 1024
const PART_LENGTH = 8 * 1024 * 1024
const MAX_PARTS = 10_000
const PARTS_AT_ONCE = 4

/** @throws Refusal; Failure when the file changes meanwhile. Nothing of an upload is left then */
export async function uploadFile(
  path: string,
  name: ObjectName,
  asked: Asked,
  s3: S3,
  watch: Watch,
): Promise<number> {
  const file = await open(path)
  try {
    const { size } = await file.stat()
    if (size > WHOLE_LENGTH) await uploadParts({ file, size, path }, name, asked, s3, watch)
    else await uploadWhole({ file, size, path }, name, asked, s3)
    if (size <= WHOLE_LENGTH) watch(size)
    return size
  } finally {
    await file.close()
  }
}

interface Source {
  readonly file: FileHandle
  readonly size: number
  readonly path: string
}

async function uploadWhole(
  source: Source,
  { bucket, key }: ObjectName,
  asked: Asked,
  { client, sdk }: S3,
): Promise<void> {
  const Body = await readBytes(source, 0, source.size)
  await client.send(new sdk.PutObjectCommand({ ...asked, Bucket: bucket, Key: key, Body }))
}

async function uploadParts(
  source: Source,
  name: ObjectName,
  asked: Asked,
  s3: S3,
  watch: Watch,
): Promise<void> {
  const { client, sdk } = s3
  const place = { Bucket: name.bucket, Key: name.key }
  const sums = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const
  const begin = new sdk.CreateMultipartUploadCommand({ ...asked, ...place, ...sums })
  const { UploadId = '' } = await client.send(begin)
  const send = partSender(name, UploadId, s3)
  const length = Math.max(PART_LENGTH, Math.ceil(source.size / MAX_PARTS))
  const starts = Array.from({ length: Math.ceil(source.size / length) }, (_, at) => at * length)
  const uploadPart = async (start: number, at: number): Promise<CompletedPart> => {
    const bytes = await readBytes(source, start, Math.min(length, source.size - start))
    const ETag = await send(bytes, at + 1)
    watch(bytes.length)
    return { PartNumber: at + 1, ETag }
  }
  try {
    const Parts = await inParallel(starts, PARTS_AT_ONCE, uploadPart)
    const MultipartUpload = { Parts }
    const end = { ...place, UploadId, MultipartUpload }
    await client.send(new sdk.CompleteMultipartUploadCommand(end))
  } catch (error) {
    const abort = new sdk.AbortMultipartUploadCommand({ ...place, UploadId })
    await client.send(abort).catch(() => {}) // what stopped the upload is what is told
    throw error
  }
}

/** Straight to where it is kept, if that can be; when it cannot, no other part tries again. */
function partSender(name: ObjectName, uploadId: string, { client, sdk, connection }: S3) {
  let isDirect = true
  return async (bytes: Buffer, partNumber: number): Promise<string | undefined> => {
    if (isDirect) {
      const { uploadDirectly } = await import('./direct-part.ts')
      const etag = await uploadDirectly(connection, { name, uploadId, partNumber, bytes })
      if (etag !== null) return etag
      isDirect = false
    }
    const place = { Bucket: name.bucket, Key: name.key, UploadId: uploadId }
    const part = new sdk.UploadPartCommand({ ...place, PartNumber: partNumber, Body: bytes })
    return (await client.send(part)).ETag
  }
}

async function readBytes({ file, path }: Source, start: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let at = 0
  while (at < length) {
    const { bytesRead } = await file.read(bytes, at, length - at, start + at)
    if (bytesRead === 0) throw new Failure(`${path} became shorter while it was read.`)
    at += bytesRead
  }
  return bytes
}
