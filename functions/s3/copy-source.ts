/** The object that CopyObject and UploadPartCopy read, with the rights and the key that takes. */
import type { Readable } from 'node:stream'
import { percentDecode } from '../../shared/authn/percent-encoding.ts'
import { openObject } from '../../shared/blobs/decrypt-stream.ts'
import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { SSE_C_ALGORITHM } from '../../shared/blobs/requested-encryption.ts'
import {
  invalidArgument,
  noSuchKey,
  preconditionFailed,
  S3Error,
} from '../../shared/blobs/s3-error.ts'
import { type BucketName, bucketNameOf, PARTITION } from '../../shared/ids.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import { isBucketName } from '../../shared/lambda/s3-bucket-name.ts'
import { failedCondition } from '../../shared/lambda/s3-conditions.ts'
import { customerKeyOf } from '../../shared/lambda/s3-customer-key.ts'
import { signatureConditions } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { authorizePermission } from '../../shared/pipeline/authorize.ts'
import type { Call, RequestConditions } from '../../shared/pipeline/operation.ts'
import type { BucketRecord, ObjectRecord } from '../../shared/store/records.ts'
import { openVerified } from './read-object.ts'

export const COPY_SOURCE = 'x-amz-copy-source'
const VERSION = '?versionId='
/** Amazon S3 API Reference, "CopyObject": 5 GiB. */
const MAX_COPY = 5 * 1024 ** 3

export interface CopySource {
  readonly bucket: BucketRecord
  readonly record: ObjectRecord
}

interface SourceName {
  readonly bucket: BucketName
  readonly key: string
}

/**
 * @returns the object, once the caller may read it and its conditions hold; nothing of it is opened
 * @throws S3Error InvalidArgument, NoSuchBucket, NoSuchKey, AccessDenied, PreconditionFailed
 */
export async function findCopySource(request: S3Request, call: Call): Promise<CopySource> {
  const { bucket: name, key } = readName(request)
  const { store } = call.services
  const found = await store.buckets.get(call.caller.account, name)
  if (found === null) {
    throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: name })
  }
  requireSourceOwner(request, call)
  authorizeRead('s3:GetObject', found, key, request, call)
  const record = await store.objects.get(call.caller.account, name, key)
  if (record === null) {
    authorizeRead('s3:ListBucket', found, '', request, call)
    throw noSuchKey(key)
  }
  requireConditions(request, record)
  return { bucket: found, record }
}

/**
 * @param start - and `end`, both inclusive
 * @returns the plaintext; the caller reads it to its end or destroys it
 * @throws S3Error as a read of the object does; ObjectDamaged
 */
export async function openCopySource(
  { bucket, record }: CopySource,
  start: number,
  end: number,
  request: S3Request,
  call: Call,
): Promise<Readable> {
  const customerKey = customerKeyOf(record.encryption, request, 'copy-source')
  // The source's data key is one of its own Region.
  const keys = await openVerified(record, customerKey, { ...call, region: bucket.region })
  try {
    const source = { store: blobStore(), ...keys, streamId: record.versionId }
    return await openObject(source, record.parts, start, end)
  } finally {
    wipeObjectKeys(keys)
  }
}

/**
 * @param key - of the object; empty for the bucket itself
 * @throws JsonError AccessDeniedException
 */
export function authorizeRead(
  action: string,
  { bucket, policy }: BucketRecord,
  key: string,
  request: S3Request,
  call: Call,
): void {
  const bucketArn = `arn:${PARTITION}:s3:::${bucket}`
  const resource = key === '' ? bucketArn : `${bucketArn}/${key}`
  authorizePermission({ action, resource, policy }, readConditions(request), call)
}

/** @throws S3Error InvalidRequest */
export function requireCopySize(size: number): void {
  if (size <= MAX_COPY) return
  throw new S3Error(
    'InvalidRequest',
    `The specified copy source is larger than the maximum allowable size for a copy source: ${MAX_COPY}`,
  )
}

/**
 * `[/]bucket/key[?versionId=…]`, percent-encoded once. As in a query a `+` is a space, which every
 * client that names a key with a plus therefore encodes.
 */
function readName({ header }: S3Request): SourceName {
  const text = header(COPY_SOURCE) ?? ''
  const [path = '', version] = splitOnce(text.replace(/^\//, ''), VERSION)
  requireOnlyVersion(version)
  // What has no slash outside of its escapes was encoded as a whole.
  const [bucket, key] = path.includes('/')
    ? splitOnce(path, '/').map((part) => decode(part ?? ''))
    : splitOnce((decode(path) ?? '').replace(/^\//, ''), '/')
  if (!bucket || !key) {
    throw invalidArgument(
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
      COPY_SOURCE,
      text,
    )
  }
  if (!isBucketName(bucket)) {
    throw invalidArgument('Invalid copy source bucket name', COPY_SOURCE, bucket)
  }
  return { bucket: bucketNameOf(bucket), key }
}

const decode = (text: string): string | null => percentDecode(text.replaceAll('+', ' '))

function splitOnce(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at)
  return index === -1 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)]
}

/** There is one version of an object, and its id is `null`. */
function requireOnlyVersion(version: string | undefined): void {
  if (version === undefined || version === 'null') return
  throw invalidArgument('Invalid version id specified', COPY_SOURCE, version)
}

function requireSourceOwner({ header }: S3Request, { caller }: Call): void {
  const expected = header('x-amz-source-expected-bucket-owner')
  if (expected === undefined || expected === caller.account) return
  throw new S3Error('AccessDenied', 'Access Denied')
}

/** As of a read of the source alone: what the request says of its target does not count. */
function readConditions(request: S3Request): RequestConditions {
  const algorithm = request.header(`${COPY_SOURCE}-${SSE_C_ALGORITHM.slice('x-amz-'.length)}`)
  const brought = algorithm === undefined ? {} : { [`s3:${SSE_C_ALGORITHM}`]: algorithm }
  return { others: { ...signatureConditions(request), ...brought } }
}

function requireConditions({ header }: S3Request, record: ObjectRecord): void {
  const failed = failedCondition((name) => header(`${COPY_SOURCE}-${name}`), record)
  if (failed !== null) throw preconditionFailed(`${COPY_SOURCE}-${failed}`)
}
