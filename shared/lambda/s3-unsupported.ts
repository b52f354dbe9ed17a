/**
 * What requests can ask for that is not offered. It is refused by name: a caller who asks for a lock,
 * a grant or a tag must not believe that there is one.
 */
import { invalidArgument, notImplemented, S3Error } from '../blobs/s3-error.ts'
import type { S3Request } from './s3-request.ts'

const REFUSED = [
  'x-amz-website-redirect-location',
  'x-amz-mfa',
  'x-amz-write-offset-bytes',
  'x-amz-bypass-governance-retention',
  'x-amz-if-match-last-modified-time',
  'x-amz-if-match-size',
  'x-amz-bucket-namespace',
]
const REFUSED_PREFIXES = ['x-amz-grant-', 'x-amz-object-lock-']

const CANNED_ACLS = new Set([
  'public-read',
  'public-read-write',
  'authenticated-read',
  'aws-exec-read',
  'bucket-owner-read',
  'bucket-owner-full-control',
  'log-delivery-write',
])
const STORAGE_CLASSES = new Set([
  'REDUCED_REDUNDANCY',
  'STANDARD_IA',
  'ONEZONE_IA',
  'INTELLIGENT_TIERING',
  'GLACIER',
  'DEEP_ARCHIVE',
  'OUTPOSTS',
  'GLACIER_IR',
  'SNOW',
  'EXPRESS_ONEZONE',
  'FSX_OPENZFS',
  'FSX_ONTAP',
])

/** @throws S3Error NotImplemented with the header's name; InvalidArgument, InvalidStorageClass for what S3 does not know */
export function refuseUnsupported(request: S3Request): void {
  for (const name of request.headerNames()) {
    if (!name.startsWith('x-amz-')) continue
    if (REFUSED.includes(name) || REFUSED_PREFIXES.some((prefix) => name.startsWith(prefix))) {
      throw notImplemented(name)
    }
  }
  refuseAcl(request)
  refuseStorageClass(request)
  refuseVersion(request)
  if (request.header('x-amz-bucket-object-lock-enabled')?.toLowerCase() === 'true') {
    throw notImplemented('x-amz-bucket-object-lock-enabled')
  }
  const ownership = request.header('x-amz-object-ownership')
  if (ownership !== undefined && ownership !== 'BucketOwnerEnforced') {
    throw notImplemented(`x-amz-object-ownership: ${ownership}`)
  }
}

/** Everything is private, which also is what `bucket-owner-full-control` comes to. */
function refuseAcl({ header }: S3Request): void {
  const acl = header('x-amz-acl')
  if (acl === undefined || acl === 'private' || acl === 'bucket-owner-full-control') return
  if (CANNED_ACLS.has(acl)) {
    throw new S3Error('AccessControlListNotSupported', 'The bucket does not allow ACLs')
  }
  throw invalidArgument('The canned ACL you specified is not valid', 'x-amz-acl', acl)
}

function refuseStorageClass({ header }: S3Request): void {
  const storageClass = header('x-amz-storage-class')
  if (storageClass === undefined || storageClass === 'STANDARD') return
  if (STORAGE_CLASSES.has(storageClass)) {
    throw notImplemented(`x-amz-storage-class: ${storageClass}`)
  }
  throw new S3Error('InvalidStorageClass', 'The storage class you specified is not valid', {
    StorageClassRequested: storageClass,
  })
}

/** There is one version of an object, and its id is `null`; another id names nothing that is here. */
function refuseVersion({ parameter }: S3Request): void {
  const version = parameter('versionId')
  if (version === undefined || version === 'null') return
  throw invalidArgument('Invalid version id specified', 'versionId', version)
}
