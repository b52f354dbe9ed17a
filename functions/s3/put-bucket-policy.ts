import { decide } from '../../shared/authz/decide.ts'
import { parsePolicy } from '../../shared/authz/policy.ts'
import { PolicyProblem } from '../../shared/authz/policy-problem.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import { readWhole } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { contextOf } from '../../shared/pipeline/authorize.ts'
import { missingPrincipal } from '../../shared/pipeline/key-policy.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { changeBucket } from './change-bucket.ts'

/** What is read of a request; the policy itself may be smaller only. */
const MAX_BODY = 64 * 1024
const CONFIRMS = 'x-amz-confirm-remove-self-bucket-access'

/** Says who may do what with a bucket and its objects, within the account. */
export const putBucketPolicy = bucketOperation({
  name: 'PutBucketPolicy',
  action: 's3:PutBucketPolicy',
  readOnly: false,
  async run(request, call) {
    const text = (await readWhole(request, MAX_BODY)).toString()
    await requirePolicy(text, request, call)
    await changeBucket(request, call, (bucket) => ({ ...bucket, policy: text }))
    return { status: 204, headers: {} }
  },
})

/** @throws S3Error MalformedPolicy */
async function requirePolicy(text: string, request: S3Request, call: Call): Promise<void> {
  const { account, bucket } = request
  const principals = principalsOf(text, bucket)
  const missing = await missingPrincipal(principals, account, call.services.store.tenants)
  if (missing !== null) throw malformed('Invalid principal in policy', missing)
  if (request.header(CONFIRMS)?.toLowerCase() === 'true' || mayUpdateAgain(text, request, call))
    return
  throw malformed(
    'The new bucket policy will not allow you to update the bucket policy in the future.',
  )
}

function principalsOf(text: string, bucket: string): readonly string[] {
  try {
    return parsePolicy(text, 'bucket', { bucket }).principals
  } catch (error) {
    throw error instanceof PolicyProblem ? malformed(error.text) : error
  }
}

/** S3 lets nobody lock the account's root user out; here there is none. */
const mayUpdateAgain = (text: string, { bucketArn }: S3Request, call: Call): boolean =>
  decide({
    caller: call.caller,
    action: 's3:PutBucketPolicy',
    resource: { arn: bucketArn, account: call.caller.account },
    resourcePolicy: text,
    context: contextOf(call, {}, { key: null, requestAlias: null }),
    style: 'service',
  }).allowed

const malformed = (text: string, detail?: string): S3Error =>
  new S3Error('MalformedPolicy', text, detail === undefined ? {} : { Detail: detail })
