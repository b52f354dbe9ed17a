import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { putAcl } from './acl.ts'

export const putBucketAcl = bucketOperation({
  name: 'PutBucketAcl',
  action: 's3:PutBucketAcl',
  readOnly: false,
  run: putAcl,
})
