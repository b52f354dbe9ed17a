/** What GetObject and HeadObject have in common: finding an object and telling of it. */
import type { KeyObject } from 'node:crypto'
import { verifyManifest } from '../../shared/blobs/manifest.ts'
import { openObjectKeys } from '../../shared/blobs/object-encryption.ts'
import { type ObjectKeys, wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import {
  encryptionHeaders,
  refuseEncryptionHeaders,
} from '../../shared/blobs/requested-encryption.ts'
import { noSuchKey } from '../../shared/blobs/s3-error.ts'
import { ObjectDamaged } from '../../shared/blobs/segment-decryptor.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { checksumHeaders, wantsChecksums } from '../../shared/lambda/s3-checksums.ts'
import { isUnmodified } from '../../shared/lambda/s3-conditions.ts'
import { metadataHeaders } from '../../shared/lambda/s3-metadata.ts'
import { type Selection, selectBytes } from '../../shared/lambda/s3-range.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { authorizePermission } from '../../shared/pipeline/authorize.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { objectKeyServices } from './object-kms.ts'

/** The head of an answer, and the bytes that its body has; `null` when the client has them already. */
export interface ReadHead {
  readonly head: S3Answer
  readonly selection: Selection | null
}

/**
 * @throws S3Error NoSuchKey, or AccessDenied for callers who may not know which objects there are
 */
export async function requireObject(request: S3Request, call: Call): Promise<ObjectRecord> {
  refuseEncryptionHeaders(request.header)
  const { account, bucket, key, bucketArn } = request
  const found = await call.services.store.objects.get(account, bucket, key)
  if (found !== null) return found
  const { policy } = await request.requireBucket(call.services.store.buckets)
  authorizePermission({ action: 's3:ListBucket', resource: bucketArn, policy }, {}, call)
  throw noSuchKey(key)
}

/**
 * @param customerKey - what the request brought for this object
 * @returns the object's keys, which the caller wipes, once the whole record is verified with them
 * @throws ObjectDamaged when the record is not the one that was written; WrongCustomerKey
 */
export async function openVerified(
  record: ObjectRecord,
  customerKey: KeyObject | null,
  call: Call,
): Promise<ObjectKeys> {
  const keys = await openObjectKeys(record, customerKey, objectKeyServices(call))
  if (verifyManifest(keys.objectKey, record)) return keys
  wipeObjectKeys(keys)
  throw new ObjectDamaged('The record of an object is not the one that was written.')
}

/** @throws S3Error PreconditionFailed, InvalidRange, InvalidPartNumber, InvalidRequest */
export function describeObject(request: S3Request, record: ObjectRecord): ReadHead {
  const known = {
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.createdAt).toUTCString(),
  }
  if (isUnmodified(request, record)) {
    const cacheControl = record.systemMetadata['cache-control']
    const headers = { ...known, ...(cacheControl ? { 'cache-control': cacheControl } : {}) }
    return { head: { status: 304, headers }, selection: null }
  }
  const selection = selectBytes(request, record)
  const headers = {
    ...known,
    ...metadataHeaders(record, request),
    ...encryptionHeaders(record.encryption, request.header),
    ...selectionHeaders(selection, record),
    ...tagCount(record),
    ...(wantsChecksums(request) ? checksumsOf(selection, record) : {}),
  }
  const event = { SSEApplied: record.encryption.mode }
  return { head: { status: selection.partial ? 206 : 200, headers, event }, selection }
}

function selectionHeaders(
  { start, end, partial, partNumber }: Selection,
  { size, parts, multipart }: ObjectRecord,
): Readonly<Record<string, string>> {
  return {
    'accept-ranges': 'bytes',
    'content-length': String(end - start + 1),
    ...(partial ? { 'content-range': `bytes ${start}-${end}/${size}` } : {}),
    ...(partNumber !== null && multipart ? { 'x-amz-mp-parts-count': String(parts.length) } : {}),
  }
}

const tagCount = ({ tags }: ObjectRecord): Readonly<Record<string, string>> => {
  const count = Object.keys(tags).length
  return count === 0 ? {} : { 'x-amz-tagging-count': String(count) }
}

/** Clients verify what they get by what they are told, so a range has no checksum and a part its own. */
function checksumsOf(
  { partial, partNumber }: Selection,
  { checksums, checksumType, parts, multipart }: ObjectRecord,
): Readonly<Record<string, string>> {
  if (partNumber !== null && multipart) {
    return checksumHeaders(parts[partNumber - 1]?.checksums ?? {}, checksumType)
  }
  return partial && partNumber === null ? {} : checksumHeaders(checksums, checksumType)
}
