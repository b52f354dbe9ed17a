import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'

/** Whether there is such a bucket and the caller may list it, and where it is. */
export const headBucket = bucketOperation({
  name: 'HeadBucket',
  action: 's3:ListBucket',
  readOnly: true,
  async run(request, { services }) {
    const { region } = await request.requireBucket(services.store.buckets)
    return {
      status: 200,
      headers: {
        'x-amz-bucket-region': region,
        'x-amz-bucket-arn': request.bucketArn,
        'x-amz-access-point-alias': 'false',
        'content-type': 'application/xml',
      },
    }
  },
})

export const handler = s3Handler(headBucket)
