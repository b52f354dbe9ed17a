import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

export const deleteBucketTagging = bucketOperation({
  name: 'DeleteBucketTagging',
  action: 's3:PutBucketTagging',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => {
      const { tags: _, ...settings } = bucket.settings
      return { ...bucket, settings }
    })
    return { status: 204, headers: {} }
  },
})
