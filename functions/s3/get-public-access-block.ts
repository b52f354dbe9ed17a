import { S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'

export const getPublicAccessBlock = bucketOperation({
  name: 'GetPublicAccessBlock',
  action: 's3:GetBucketPublicAccessBlock',
  readOnly: true,
  async run(request, { services }) {
    const { settings } = await request.requireBucket(services.store.buckets)
    const block = settings.publicAccessBlock
    if (block === undefined) throw notFound(request.bucket)
    const document = xmlDocument('PublicAccessBlockConfiguration', {
      BlockPublicAcls: block.blockPublicAcls,
      IgnorePublicAcls: block.ignorePublicAcls,
      BlockPublicPolicy: block.blockPublicPolicy,
      RestrictPublicBuckets: block.restrictPublicBuckets,
    })
    return xmlAnswer(document)
  },
})

const notFound = (bucket: string): S3Error =>
  new S3Error(
    'NoSuchPublicAccessBlockConfiguration',
    'The public access block configuration was not found',
    { BucketName: bucket },
  )
