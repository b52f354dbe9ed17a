import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { MAX_BUCKET_TAGS, readTagging } from '../../shared/lambda/s3-tagging.ts'
import { malformedXml } from '../../shared/lambda/s3-xml-reader.ts'
import { changeBucket } from './change-bucket.ts'

const MAX_BODY = 128 * 1024

export const putBucketTagging = bucketOperation({
  name: 'PutBucketTagging',
  action: 's3:PutBucketTagging',
  readOnly: false,
  async run(request, call) {
    requireBodyDigest(request)
    const document = await readXml(request, 'Tagging', MAX_BODY)
    if (document === null) throw malformedXml()
    const tags = readTagging(document, MAX_BUCKET_TAGS)
    await changeBucket(request, call, (bucket) => ({
      ...bucket,
      settings: { ...bucket.settings, tags },
    }))
    return { status: 204, headers: {} }
  },
})
