import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { requireBucketPolicy } from './bucket-policy.ts'

/** Whether the policy makes the bucket public: never, as a bucket is seen by its own account alone. */
export const getBucketPolicyStatus = bucketOperation({
  name: 'GetBucketPolicyStatus',
  action: 's3:GetBucketPolicyStatus',
  readOnly: true,
  async run(request, call) {
    await requireBucketPolicy(request, call)
    return xmlAnswer(xmlDocument('PolicyStatus', { IsPublic: 'FALSE' }))
  },
})
