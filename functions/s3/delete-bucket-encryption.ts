import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { changeBucket } from './change-bucket.ts'

/** Back to SSE-S3; what the bucket blocks stays blocked. */
export const deleteBucketEncryption = bucketOperation({
  name: 'DeleteBucketEncryption',
  action: 's3:PutEncryptionConfiguration',
  readOnly: false,
  async run(request, call) {
    await changeBucket(request, call, (bucket) => {
      const { encryption, ...others } = bucket.settings
      return encryption?.blocksCustomerKeys
        ? { ...bucket, settings: { ...others, encryption: ONLY_BLOCKED } }
        : { ...bucket, settings: others }
    })
    return { status: 204, headers: {} }
  },
})

const ONLY_BLOCKED = {
  algorithm: null,
  keyId: null,
  bucketKey: false,
  blocksCustomerKeys: true,
} as const
