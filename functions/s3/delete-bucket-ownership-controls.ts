import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

export const deleteBucketOwnershipControls = bucketOperation({
  name: 'DeleteBucketOwnershipControls',
  action: 's3:PutBucketOwnershipControls',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => {
      const { objectOwnership: _, ...settings } = bucket.settings
      return { ...bucket, settings }
    })
    return { status: 204, headers: {} }
  },
})
