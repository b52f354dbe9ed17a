import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

export const deletePublicAccessBlock = bucketOperation({
  name: 'DeletePublicAccessBlock',
  action: 's3:PutBucketPublicAccessBlock',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => {
      const { publicAccessBlock: _, ...settings } = bucket.settings
      return { ...bucket, settings }
    })
    return { status: 204, headers: {} }
  },
})
