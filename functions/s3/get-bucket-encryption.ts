import { S3Error } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { isCephProfile } from '../../shared/lambda/s3-profile.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import { bucketEncryptionElements } from './bucket-encryption.ts'

/** How objects of a bucket are encrypted whose writes ask for nothing. */
export const getBucketEncryption = bucketOperation({
  name: 'GetBucketEncryption',
  action: 's3:GetEncryptionConfiguration',
  readOnly: true,
  async run(request, { services }) {
    const { settings } = await request.requireBucket(services.store.buckets)
    if (settings.encryption === undefined && isCephProfile()) throw notFound(request.bucket)
    const elements = bucketEncryptionElements(settings.encryption)
    return xmlAnswer(xmlDocument('ServerSideEncryptionConfiguration', elements))
  },
})

const notFound = (bucket: string): S3Error =>
  new S3Error(
    'ServerSideEncryptionConfigurationNotFoundError',
    'The server side encryption configuration was not found',
    { BucketName: bucket },
  )
