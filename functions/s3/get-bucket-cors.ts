import { S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { corsElements } from './cors-configuration.ts'

export const getBucketCors = bucketOperation({
  name: 'GetBucketCors',
  action: 's3:GetBucketCORS',
  readOnly: true,
  async run(request, { services }) {
    const { cors } = (await request.requireBucket(services.store.buckets)).settings
    if (cors !== undefined) return xmlAnswer(xmlDocument('CORSConfiguration', corsElements(cors)))
    throw new S3Error('NoSuchCORSConfiguration', 'The CORS configuration does not exist', {
      BucketName: request.bucket,
    })
  },
})
