import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { accountOperation } from '../../shared/lambda/s3-operation.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'

/** Where a bucket is: answered in every Region; nothing stands for us-east-1. */
export const getBucketLocation = accountOperation({
  name: 'GetBucketLocation',
  action: 's3:GetBucketLocation',
  resource: ({ bucketArn }) => bucketArn,
  readOnly: true,
  async run(request, { services }) {
    const { region } = await request.requireBucket(services.store.buckets)
    return xmlAnswer(xmlDocument('LocationConstraint', region === 'us-east-1' ? '' : region))
  },
})
