/** The encryption of a write, from its request and its bucket. */
import {
  type RequestedEncryption,
  refuseEncryptionHeaders,
  requestedEncryption,
  SSE,
  SSE_KEY_ID,
  unsupportedMethod,
} from '../blobs/requested-encryption.ts'
import { invalidArgument, S3Error } from '../blobs/s3-error.ts'
import type { Call } from '../pipeline/operation.ts'
import { bringsCustomerKey, readCustomerKey, refuseTwoWays } from './s3-customer-key.ts'
import { isCephProfile } from './s3-profile.ts'
import type { S3Request } from './s3-request.ts'

/**
 * In the order of S3: two ways at once, what the bucket blocks, the caller's key, everything else.
 * @throws S3Error InvalidArgument, AccessDenied, InvalidEncryptionAlgorithmError, InvalidRequest
 */
export async function readEncryption(request: S3Request, call: Call): Promise<RequestedEncryption> {
  const { settings } = await request.requireBucket(call.services.store.buckets)
  const { header, bucketArn, objectArn } = request
  requireKnownMethod(header(SSE))
  refuseTwoWays(request)
  if (settings.encryption?.blocksCustomerKeys) refuseBlocked(request, call)
  const customerKey = readCustomerKey(request)
  requireNamedKey(request)
  const byDefault = settings.encryption
  return requestedEncryption({ header, bucketArn, objectArn, byDefault, customerKey })
}

/**
 * For what continues a write: a bucket that blocks callers' keys by now takes no more of them.
 * @throws S3Error AccessDenied
 */
export async function requireUnblocked(request: S3Request, call: Call): Promise<void> {
  const { settings } = await request.requireBucket(call.services.store.buckets)
  if (settings.encryption?.blocksCustomerKeys) refuseBlocked(request, call)
}

/** @throws S3Error InvalidArgument for headers that were due when the upload was created */
export function refuseLateEncryption(request: S3Request): void {
  if (!isCephProfile()) refuseEncryptionHeaders(request.header)
}

function requireKnownMethod(mode: string | undefined): void {
  if (mode === undefined || ['AES256', 'aws:kms', 'aws:kms:dsse'].includes(mode)) return
  throw unsupportedMethod(mode)
}

function refuseBlocked(request: S3Request, { caller }: Call): void {
  if (!bringsCustomerKey(request)) return
  throw new S3Error(
    'AccessDenied',
    `User: ${caller.arn} is not authorized to perform: s3:PutObject on resource: "${request.objectArn}" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type`,
  )
}

/** Ceph has no managed key to fall back on. */
function requireNamedKey({ header }: S3Request): void {
  const mode = header(SSE)
  if (!isCephProfile() || mode !== 'aws:kms' || header(SSE_KEY_ID)) return
  throw invalidArgument('A key id is required for this encryption method', SSE, mode)
}
