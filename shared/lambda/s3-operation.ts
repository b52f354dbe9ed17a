/**
 * S3 operations as the pipeline runs them: what they have in common is declared here once, and each
 * keeps its name, its permission and what it does.
 */
import {
  SSE,
  SSE_BUCKET_KEY,
  SSE_C_ALGORITHM,
  SSE_CONTEXT,
  SSE_KEY_ID,
} from '../blobs/requested-encryption.ts'
import { S3Error } from '../blobs/s3-error.ts'
import type {
  AuditView,
  Call,
  Operation,
  Permission,
  RequestConditions,
} from '../pipeline/operation.ts'
import type { Shape } from '../pipeline/shape.ts'
import type { BucketRecord } from '../store/records.ts'
import type { S3Answer } from './s3-answer.ts'
import { explainS3 } from './s3-explain.ts'
import type { S3Request } from './s3-request.ts'
import { refuseUnsupported } from './s3-unsupported.ts'
import { uploadConditions } from './s3-upload-conditions.ts'

export type S3Operation = Operation<S3Request, S3Answer>

/** What is an operation's own. */
export interface S3OperationParts {
  readonly name: string
  /** `s3:GetObject`; `null` where each part of the request is authorized by itself. */
  readonly action: string | null
  readonly readOnly: boolean
  /** What further permissions the request takes, in the same bucket. */
  also?(request: S3Request): readonly Pick<Permission, 'action' | 'resource'>[]
  /** Whether it continues an upload, whose encryption was asked for when that began. */
  readonly continuesUpload?: true
  run(request: S3Request, call: Call): Promise<S3Answer>
}

/** An operation on an object, or on many: recorded as a data event. */
export const objectOperation = (parts: S3OperationParts): S3Operation => ({
  ...inBucket(parts, (request) => (request.key === '' ? request.bucketArn : request.objectArn)),
  audit: objectAudit,
})

/** An operation on a bucket that exists, in the Region of the call. */
export const bucketOperation = (parts: S3OperationParts): S3Operation => ({
  ...inBucket(parts, (request) => request.bucketArn),
  audit: bucketAudit,
})

/** An operation on no bucket, or on one that need not exist here. */
export const accountOperation = (
  parts: S3OperationParts & { resource(request: S3Request): string },
): S3Operation => ({
  ...common(parts),
  async permissions(request, { services }) {
    if (parts.action === null) return []
    const policy = await request.bucketPolicy(services.store.buckets)
    return [{ action: parts.action, resource: parts.resource(request), policy }]
  },
  audit: bucketAudit,
})

/** The order is that of S3: whether there is such a bucket, then whether the caller may. */
const inBucket = (
  parts: S3OperationParts,
  resource: (request: S3Request) => string,
): Omit<S3Operation, 'audit'> => ({
  ...common(parts),
  async permissions(request, call) {
    const bucket = await request.requireBucket(call.services.store.buckets)
    requireRegion(bucket, call)
    if (parts.action === null) return []
    const permission = {
      action: parts.action,
      resource: resource(request),
      policy: bucket.policy,
    }
    const also = parts.also?.(request).map((other) => ({ ...other, policy: bucket.policy })) ?? []
    if (parts.continuesUpload !== true) return [permission, ...also]
    return [{ ...permission, conditions: await uploadConditions(request, bucket.policy, call) }]
  },
})

const asItIs: Shape<S3Request> = { read: (value) => value as S3Request }

const common = ({ name, readOnly, run }: S3OperationParts): Omit<S3Operation, 'audit'> => ({
  service: 's3',
  name,
  input: asItIs,
  readOnly,
  explain: explainS3,
  conditions: requestConditions,
  check: (request, _keys, { caller }) => {
    requireOwner(request, caller.account)
    refuseUnsupported(request)
  },
  run: (request, _keys, call) => run(request, call),
})

/** @throws S3Error AuthorizationHeaderMalformed, which tells clients where to ask */
function requireRegion({ region }: BucketRecord, call: Call): void {
  if (region === call.region) return
  throw new S3Error(
    'AuthorizationHeaderMalformed',
    `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${region}'`,
    { Region: region },
    { headers: { 'x-amz-bucket-region': region } },
  )
}

/** A bucket is the caller's own or is not seen at all. */
function requireOwner(request: S3Request, account: string): void {
  const expected = request.header('x-amz-expected-bucket-owner')
  if (expected !== undefined && expected !== account) {
    throw new S3Error('AccessDenied', 'Access Denied')
  }
}

const CONDITION_HEADERS = [
  SSE,
  SSE_KEY_ID,
  SSE_C_ALGORITHM,
  'x-amz-content-sha256',
  'x-amz-copy-source',
  'x-amz-metadata-directive',
]

/** What policies can ask of a request (Amazon S3 User Guide, "Condition keys for Amazon S3"): headers as sent. */
export function requestConditions(request: S3Request): RequestConditions {
  const { header, parameter } = request
  const others: Record<string, string> = { ...signatureConditions(request) }
  for (const name of CONDITION_HEADERS) {
    const value = header(name)
    if (value !== undefined) others[`s3:${name}`] = value
  }
  for (const name of ['prefix', 'delimiter', 'max-keys']) {
    const value = parameter(name)
    if (value !== undefined) others[`s3:${name}`] = value
  }
  return { others }
}

/** What policies can ask of how a request is signed. */
export const signatureConditions = ({
  presigned,
  form,
  signatureVersion,
}: S3Request): Readonly<Record<string, string>> => ({
  's3:authtype': form !== null ? 'POST' : presigned ? 'REST-QUERY-STRING' : 'REST-HEADER',
  's3:signatureversion': signatureVersion === 'SigV2' ? 'AWS' : 'AWS4-HMAC-SHA256',
})

/** What the record shows of a request: names by which it can be understood, no metadata, no tokens. */
const SHOWN_HEADERS = [
  SSE,
  SSE_KEY_ID,
  SSE_CONTEXT,
  SSE_BUCKET_KEY,
  SSE_C_ALGORITHM,
  'x-amz-copy-source',
  'x-amz-copy-source-range',
  'x-amz-metadata-directive',
  'x-amz-tagging-directive',
  'range',
  'x-amz-checksum-mode',
]
const SHOWN_PARAMETERS = [
  'delimiter',
  'encoding-type',
  'list-type',
  'marker',
  'max-keys',
  'partNumber',
  'prefix',
  'start-after',
  'uploadId',
  'versionId',
]

function requestParameters(request: S3Request): Readonly<Record<string, unknown>> {
  const shown: Record<string, unknown> = { Host: request.host }
  if (request.bucket !== '') shown.bucketName = request.bucket
  if (request.key !== '') shown.key = request.key
  for (const name of SHOWN_HEADERS) shown[name] = request.header(name)
  for (const name of SHOWN_PARAMETERS) shown[name] = request.parameter(name)
  return shown
}

const bucketAudit: AuditView<S3Request, S3Answer, never> = {
  requestParameters,
  additionalEventData: ({ event = {} }, { signatureVersion: SignatureVersion }) => ({
    SignatureVersion,
    ...event,
  }),
  resources: ({ account: accountId, bucket, bucketArn }) =>
    bucket === '' ? [] : [{ accountId, type: 'AWS::S3::Bucket', ARN: bucketArn }],
}

const objectAudit: AuditView<S3Request, S3Answer, never> = {
  ...bucketAudit,
  resources: ({ account: accountId, key, bucketArn, objectArn }) => [
    ...(key === '' ? [] : [{ accountId, type: 'AWS::S3::Object', ARN: objectArn }]),
    { accountId, type: 'AWS::S3::Bucket', ARN: bucketArn },
  ],
  category: 'Data',
}
