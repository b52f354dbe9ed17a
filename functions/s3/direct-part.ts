/**
 * Parts that whoever uploads them encrypts, and stores without sending them through here: for
 * functions, whose requests take some megabytes at most. The caller gets the stream key of this one
 * part, never the object key, and a URL to store it by; then the index takes the part, once its last
 * segment opens.
 */

import { BlobMissing } from '../../shared/blobs/backing-store.ts'
import { newBlobName } from '../../shared/blobs/blob-name.ts'
import { openObject } from '../../shared/blobs/decrypt-stream.ts'
import { type ObjectKeys, wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { wholeSecond } from '../../shared/blobs/object-record.ts'
import type { StoredPart } from '../../shared/blobs/plaintext-stream.ts'
import type { PresignedPut } from '../../shared/blobs/presigned-put.ts'
import { invalidArgument, notImplemented, S3Error } from '../../shared/blobs/s3-error.ts'
import { ObjectDamaged } from '../../shared/blobs/segment-decryptor.ts'
import { deriveStreamKey, newSalt } from '../../shared/blobs/stream-key.ts'
import { freshBytes } from '../../shared/crypto/random.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { readWhole } from '../../shared/lambda/s3-body.ts'
import { DEFAULT_CHECKSUM, requireWellFormed } from '../../shared/lambda/s3-checksums.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { parsePartNumber } from '../../shared/lambda/s3-range.ts'
import { MAX_UPLOAD_SIZE } from '../../shared/lambda/s3-receive.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { UploadRecord } from '../../shared/store/records.ts'
import { openUploadKeys } from './upload-keys.ts'
import { recordPart } from './upload-part.ts'
import { checksumOf, requireUpload } from './uploads.ts'

const URL_SECONDS = 3600
const MAX_BODY = 16_384
const MD5_HEX = /^[0-9a-f]{32}$/
const OPAQUE_ETAG_LENGTH = 16

/** Gives what it takes to encrypt a part and to store it. */
export const prepareDirectPart = objectOperation({
  name: 'PrepareDirectPart',
  action: 's3:PutObject',
  readOnly: false,
  continuesUpload: true,
  async run(request, call) {
    const upload = await requireUpload(request, call)
    const size = sizeOf(request)
    const blob = newBlobName()
    const put = await presigned(blob)
    const salt = newSalt()
    const keys = await openUploadKeys(upload, request, call)
    try {
      const { key, commitment } = deriveStreamKey(keys.objectKey, salt, upload.versionId)
      const outer = keys.outerKey && deriveStreamKey(keys.outerKey, salt, upload.versionId).key
      const stored = { blob, salt, commitment, size }
      return jsonAnswer({
        Url: put.url,
        Headers: put.headers,
        Salt: salt.toString('base64'),
        StreamKeys: [key, ...(outer ? [outer] : [])].map((each) =>
          each.export().toString('base64'),
        ),
        Ticket: await sealTicket(stored, upload, request, call),
      })
    } finally {
      wipeObjectKeys(keys)
    }
  },
})

/** Takes a part that was stored so, under the part number that it was prepared for. */
export const adoptDirectPart = objectOperation({
  name: 'AdoptDirectPart',
  action: 's3:PutObject',
  readOnly: false,
  continuesUpload: true,
  async run(request, call) {
    const partNumber = parsePartNumber(request.parameter('partNumber') ?? '')
    const upload = await requireUpload(request, call)
    const { Ticket = '', Checksum = '', MD5 } = await readBody(request)
    const stored = await openTicket(Ticket, upload, request, call)
    const checksum = checksumOf(upload) ?? DEFAULT_CHECKSUM
    requireWellFormed(checksum, Checksum)
    const keys = await openUploadKeys(upload, request, call)
    try {
      await requireStored(stored, keys, upload)
    } finally {
      wipeObjectKeys(keys)
    }
    const createdAt = wholeSecond(call.services.clock.now())
    const hasMd5 = upload.encryption.mode === 'SSE-S3' && MD5_HEX.test(MD5 ?? '')
    const etag = hasMd5 ? (MD5 ?? '') : freshBytes(OPAQUE_ETAG_LENGTH).toString('hex')
    const part = { ...stored, etag, checksums: { [checksum]: Checksum }, partNumber, createdAt }
    const before = await call.services.store.uploads.parts(upload)
    const known = before.find(({ blob }) => blob === stored.blob)
    if (known === undefined) await recordPart(upload, part, call)
    return {
      ...jsonAnswer({ ETag: `"${known?.etag ?? etag}"` }),
      event: { SSEApplied: upload.encryption.mode },
    }
  },
})

function sizeOf(request: S3Request): number {
  const text = request.parameter('size') ?? ''
  const size = /^[0-9]{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (size <= MAX_UPLOAD_SIZE) return size
  throw invalidArgument('The size must be a number of bytes, at most 5 GiB.', 'size', text)
}

/** @throws S3Error NotImplemented where blobs lie on a disk: parts are sent here then */
async function presigned(blob: string): Promise<PresignedPut> {
  const put = await blobStore().presignPut?.(blob, URL_SECONDS)
  if (put) return put
  throw notImplemented('keyhold-direct')
}

const listingOf = ({ bucket, uploadId }: UploadRecord, request: S3Request, call: Call) => ({
  account: call.caller.account,
  region: call.region,
  operation: 'DirectPart',
  parameters: [bucket, uploadId, request.parameter('partNumber') ?? ''],
})

async function sealTicket(
  { blob, salt, commitment, size }: StoredPart,
  upload: UploadRecord,
  request: S3Request,
  call: Call,
): Promise<string> {
  parsePartNumber(request.parameter('partNumber') ?? '')
  const texts = [blob, base64(salt), base64(commitment), size]
  return call.services.markers.seal(listingOf(upload, request, call), JSON.stringify(texts))
}

async function openTicket(
  ticket: string,
  upload: UploadRecord,
  request: S3Request,
  call: Call,
): Promise<StoredPart> {
  const opened = await call.services.markers.open(listingOf(upload, request, call), ticket)
  if (opened === null) throw invalidArgument('The ticket is of another part.', 'Ticket', '')
  const [blob, salt, commitment, size] = JSON.parse(opened) as [string, string, string, number]
  return {
    blob,
    salt: Buffer.from(salt, 'base64'),
    commitment: Buffer.from(commitment, 'base64'),
    size,
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** The last segment opens only when it is the last, and the one of its index. */
async function requireStored(
  stored: StoredPart,
  keys: ObjectKeys,
  { versionId }: UploadRecord,
): Promise<void> {
  const last = stored.size - 1
  try {
    const source = { store: blobStore(), ...keys, streamId: versionId }
    const opened = await openObject(source, [stored], Math.max(0, last), last)
    await opened.toArray()
  } catch (error) {
    if (!(error instanceof BlobMissing) && !(error instanceof ObjectDamaged)) throw error
    throw new S3Error(
      'InvalidPart',
      'The part was not stored as it was prepared.',
      {},
      { cause: error },
    )
  }
}

interface Adoption {
  readonly Ticket?: string
  readonly Checksum?: string
  readonly MD5?: string
}

async function readBody(request: S3Request): Promise<Adoption> {
  const bytes = await readWhole(request, MAX_BODY, null)
  try {
    const { Ticket, Checksum, MD5 }: Readonly<Record<string, unknown>> = JSON.parse(String(bytes))
    return { Ticket: String(Ticket), Checksum: String(Checksum), MD5: String(MD5) }
  } catch (cause) {
    throw new S3Error('InvalidRequest', 'The body must be JSON.', {}, { cause })
  }
}

const jsonAnswer = (body: object): S3Answer => ({
  status: 200,
  headers: { 'content-type': 'application/json', 'cache-control': 'no-store' },
  body: JSON.stringify(body),
})
