/**
 * Which S3 operation a request asks for: by method, then sub-resource, then headers (Amazon S3 API
 * Reference). A sub-resource that is not offered never falls through to the plain operation: a
 * request to write a bucket's policy must not create a bucket.
 */
import { addressOf } from './s3-address.ts'

/**
 * `name` as AWS names it; `place` tells where it is answered: by a function of its own, by the one
 * for settings of buckets and tags of objects, or nowhere.
 */
export interface S3Operation {
  readonly name: string
  readonly place: 'own' | 'settings' | 'none'
}

interface S3Request {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  /** The bucket that the host names; empty when it names none. */
  readonly hostBucket: string
}

type Level = 'service' | 'bucket' | 'object'

/** In the order in which they decide; those without an entry in `OFFERED` or `SETTINGS` are refused. */
const SUB_RESOURCES: readonly (readonly [name: string, noun: string])[] = [
  ['keyhold-direct', 'DirectPart'],
  ['uploads', 'MultipartUploads'],
  ['uploadId', 'MultipartUpload'],
  ['partNumber', 'Part'],
  ['delete', 'Objects'],
  ['list-type', 'ObjectsList'],
  ['versions', 'Versions'],
  ['encryption', 'Encryption'],
  ['policy', 'Policy'],
  ['policyStatus', 'PolicyStatus'],
  ['cors', 'Cors'],
  ['tagging', 'Tagging'],
  ['location', 'Location'],
  ['acl', 'Acl'],
  ['versioning', 'Versioning'],
  ['attributes', 'Attributes'],
  ['publicAccessBlock', 'PublicAccessBlock'],
  ['ownershipControls', 'OwnershipControls'],
  ['object-lock', 'LockConfiguration'],
  ['retention', 'Retention'],
  ['legal-hold', 'LegalHold'],
  ['lifecycle', 'LifecycleConfiguration'],
  ['notification', 'NotificationConfiguration'],
  ['logging', 'Logging'],
  ['website', 'Website'],
  ['replication', 'Replication'],
  ['requestPayment', 'RequestPayment'],
  ['accelerate', 'AccelerateConfiguration'],
  ['analytics', 'AnalyticsConfiguration'],
  ['inventory', 'InventoryConfiguration'],
  ['metrics', 'MetricsConfiguration'],
  ['intelligent-tiering', 'IntelligentTieringConfiguration'],
  ['metadataTable', 'MetadataTableConfiguration'],
  ['session', 'Session'],
  ['restore', 'Restore'],
  ['select', 'Content'],
  ['torrent', 'Torrent'],
  ['renameObject', 'Rename'],
]

const PLAIN = ''

/** `<level> <method> <sub-resource>` → operation. */
const OFFERED: Readonly<Record<string, string>> = {
  'service GET ': 'ListBuckets',
  'bucket GET uploads': 'ListMultipartUploads',
  'bucket GET list-type': 'ListObjectsV2',
  'bucket HEAD ': 'HeadBucket',
  'bucket PUT ': 'CreateBucket',
  'bucket DELETE ': 'DeleteBucket',
  'bucket POST delete': 'DeleteObjects',
  'bucket POST ': 'PostObject',
  'object GET uploadId': 'ListParts',
  'object GET partNumber': 'GetObject',
  'object GET ': 'GetObject',
  'object HEAD partNumber': 'HeadObject',
  'object HEAD ': 'HeadObject',
  'object PUT uploadId': 'UploadPart',
  'object PUT partNumber': 'UploadPart',
  'object PUT ': 'PutObject',
  'object POST uploads': 'CreateMultipartUpload',
  'object POST uploadId': 'CompleteMultipartUpload',
  'object DELETE uploadId': 'AbortMultipartUpload',
  'object DELETE ': 'DeleteObject',
}

/** As `OFFERED`: what is answered by the function for settings. */
const SETTINGS: Readonly<Record<string, string>> = {
  'bucket GET ': 'ListObjects',
  'object GET attributes': 'GetObjectAttributes',
  'bucket GET policy': 'GetBucketPolicy',
  'bucket GET policyStatus': 'GetBucketPolicyStatus',
  'bucket PUT policy': 'PutBucketPolicy',
  'bucket DELETE policy': 'DeleteBucketPolicy',
  'bucket GET encryption': 'GetBucketEncryption',
  'bucket PUT encryption': 'PutBucketEncryption',
  'bucket DELETE encryption': 'DeleteBucketEncryption',
  'bucket GET location': 'GetBucketLocation',
  'bucket GET versions': 'ListObjectVersions',
  'bucket GET tagging': 'GetBucketTagging',
  'bucket PUT tagging': 'PutBucketTagging',
  'bucket DELETE tagging': 'DeleteBucketTagging',
  'bucket GET cors': 'GetBucketCors',
  'bucket PUT cors': 'PutBucketCors',
  'bucket DELETE cors': 'DeleteBucketCors',
  'bucket GET acl': 'GetBucketAcl',
  'bucket PUT acl': 'PutBucketAcl',
  'bucket GET publicAccessBlock': 'GetPublicAccessBlock',
  'bucket PUT publicAccessBlock': 'PutPublicAccessBlock',
  'bucket DELETE publicAccessBlock': 'DeletePublicAccessBlock',
  'bucket GET ownershipControls': 'GetBucketOwnershipControls',
  'bucket PUT ownershipControls': 'PutBucketOwnershipControls',
  'bucket DELETE ownershipControls': 'DeleteBucketOwnershipControls',
  'bucket GET versioning': 'GetBucketVersioning',
  'bucket GET logging': 'GetBucketLogging',
  'bucket GET notification': 'GetBucketNotificationConfiguration',
  'bucket GET accelerate': 'GetBucketAccelerateConfiguration',
  'bucket GET requestPayment': 'GetBucketRequestPayment',
  'bucket GET lifecycle': 'GetBucketLifecycleConfiguration',
  'bucket GET website': 'GetBucketWebsite',
  'bucket GET replication': 'GetBucketReplication',
  'bucket GET object-lock': 'GetObjectLockConfiguration',
  'object POST keyhold-direct': 'PrepareDirectPart',
  'object PUT keyhold-direct': 'AdoptDirectPart',
  'object GET tagging': 'GetObjectTagging',
  'object PUT tagging': 'PutObjectTagging',
  'object DELETE tagging': 'DeleteObjectTagging',
  'object GET acl': 'GetObjectAcl',
  'object PUT acl': 'PutObjectAcl',
}

/** Plain requests that have a name of their own and are not offered. */
const KNOWN: Readonly<Record<string, string>> = {
  'bucket GET session': 'CreateSession',
  'object POST ': 'PostObject',
  'object POST restore': 'RestoreObject',
  'object POST select': 'SelectObjectContent',
}

/** @returns the operation that the request asks for, by its method, path, query and headers */
export function s3Operation(request: S3Request): S3Operation {
  if (request.method === 'OPTIONS') return { name: 'Preflight', place: 'settings' }
  const level = levelOf(request)
  const subResource = subResourceOf(request.query)
  const asked = `${level} ${request.method} ${subResource[0]}`
  const setting = SETTINGS[asked]
  if (setting !== undefined) return { name: setting, place: 'settings' }
  const offered = OFFERED[asked]
  if (offered !== undefined && isCopy(request, offered)) {
    return { name: offered === 'PutObject' ? 'CopyObject' : 'UploadPartCopy', place: 'own' }
  }
  return offered !== undefined
    ? { name: offered, place: 'own' }
    : { name: KNOWN[asked] || unofferedName(request.method, level, subResource[1]), place: 'none' }
}

/** A presigned URL may carry the header as a parameter. */
const isCopy = (request: S3Request, operation: string): boolean =>
  (operation === 'PutObject' || operation === 'UploadPart') &&
  (request.headers['x-amz-copy-source'] !== undefined ||
    request.query
      .split('&')
      .map(parameterName)
      .some((name) => name.toLowerCase() === 'x-amz-copy-source'))

function levelOf(request: S3Request): Level {
  const address = addressOf(request.path, request.hostBucket)
  if (address.key !== '') return 'object'
  return address.bucket !== '' ? 'bucket' : 'service'
}

/** The sub-resource that decides, with the noun for it; other parameters do not matter here. */
function subResourceOf(query: string): readonly [name: string, noun: string] {
  if (query === '') return [PLAIN, '']
  const names = query.split('&').map(parameterName)
  for (let i = 0; i < SUB_RESOURCES.length; i++) {
    const entry = SUB_RESOURCES[i] as readonly [string, string]
    if (names.indexOf(entry[0]) !== -1) return entry
  }
  return [PLAIN, '']
}

function parameterName(parameter: string): string {
  const name = parameter.split('=')[0] || ''
  if (name.indexOf('%') === -1) return name
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** As AWS forms them: `GetBucketPolicy`, `PutObjectRetention`, `DeleteBucketCors`. */
function unofferedName(method: string, level: Level, noun: string): string {
  const verb = method.charAt(0).toUpperCase() + method.slice(1).toLowerCase()
  const subject = level === 'service' ? 'Service' : level === 'bucket' ? 'Bucket' : 'Object'
  return verb + subject + noun
}
