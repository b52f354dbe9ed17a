import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { aclAnswer } from './acl.ts'

export const getBucketAcl = bucketOperation({
  name: 'GetBucketAcl',
  action: 's3:GetBucketAcl',
  readOnly: true,
  run: async (request) => aclAnswer(request),
})
