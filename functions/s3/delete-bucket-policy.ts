import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { changeBucket } from './bucket-policy.ts'

/** Takes the bucket policy away; that there is none is no error. */
export const deleteBucketPolicy = bucketOperation({
  name: 'DeleteBucketPolicy',
  action: 's3:DeleteBucketPolicy',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => ({ ...bucket, policy: null }))
    return { status: 204, headers: {} }
  },
})

export const handler = s3Handler(deleteBucketPolicy)
