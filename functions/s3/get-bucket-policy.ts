import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { requireBucketPolicy } from './bucket-policy.ts'

/** The text of the bucket policy, as it was put. */
export const getBucketPolicy = bucketOperation({
  name: 'GetBucketPolicy',
  action: 's3:GetBucketPolicy',
  readOnly: true,
  run: async (request, call) => ({
    status: 200,
    headers: { 'content-type': 'application/json' },
    body: await requireBucketPolicy(request, call),
  }),
})
