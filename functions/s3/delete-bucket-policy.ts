import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

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
