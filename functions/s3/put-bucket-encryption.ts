import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { malformedXml } from '../../shared/lambda/s3-xml-reader.ts'
import { readBucketEncryption } from './bucket-encryption.ts'
import { changeBucket } from './change-bucket.ts'

const MAX_BODY = 64 * 1024

/**
 * Decides for later writes that ask for nothing. The key is not looked at here: one that cannot be
 * used fails the next upload, as with S3.
 */
export const putBucketEncryption = bucketOperation({
  name: 'PutBucketEncryption',
  action: 's3:PutEncryptionConfiguration',
  readOnly: false,
  async run(request, call) {
    requireBodyDigest(request)
    const document = await readXml(request, 'ServerSideEncryptionConfiguration', MAX_BODY)
    if (document === null) throw malformedXml()
    await changeBucket(request, call, (bucket) => {
      const encryption = readBucketEncryption(document, bucket.settings.encryption)
      return { ...bucket, settings: { ...bucket.settings, encryption } }
    })
    return { status: 200, headers: {} }
  },
})
