import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

export const deleteBucketCors = bucketOperation({
  name: 'DeleteBucketCors',
  action: 's3:PutBucketCORS',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => {
      const { cors: _, ...settings } = bucket.settings
      return { ...bucket, settings }
    })
    return { status: 204, headers: {} }
  },
})
