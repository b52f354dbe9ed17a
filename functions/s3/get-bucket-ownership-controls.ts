import { S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'

export const getBucketOwnershipControls = bucketOperation({
  name: 'GetBucketOwnershipControls',
  action: 's3:GetBucketOwnershipControls',
  readOnly: true,
  async run(request, { services }) {
    const { settings } = await request.requireBucket(services.store.buckets)
    const ObjectOwnership = settings.objectOwnership
    if (ObjectOwnership === undefined) throw notFound(request.bucket)
    return xmlAnswer(xmlDocument('OwnershipControls', { Rule: { ObjectOwnership } }))
  },
})

const notFound = (bucket: string): S3Error =>
  new S3Error('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found', {
    BucketName: bucket,
  })
