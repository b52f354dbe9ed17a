import { S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { taggingElements } from '../../shared/lambda/s3-tagging.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'

export const getBucketTagging = bucketOperation({
  name: 'GetBucketTagging',
  action: 's3:GetBucketTagging',
  readOnly: true,
  async run(request, { services }) {
    const { tags } = (await request.requireBucket(services.store.buckets)).settings
    if (tags !== undefined) return xmlAnswer(xmlDocument('Tagging', taggingElements(tags)))
    throw new S3Error('NoSuchTagSet', 'The TagSet does not exist', { BucketName: request.bucket })
  },
})
