import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { malformedXml } from '../../shared/lambda/s3-xml-reader.ts'
import { changeBucket } from './change-bucket.ts'
import { readCors } from './cors-configuration.ts'

const MAX_BODY = 64 * 1024

export const putBucketCors = bucketOperation({
  name: 'PutBucketCors',
  action: 's3:PutBucketCORS',
  readOnly: false,
  async run(request, call) {
    requireBodyDigest(request)
    const document = await readXml(request, 'CORSConfiguration', MAX_BODY)
    if (document === null) throw malformedXml()
    const cors = readCors(document)
    await changeBucket(request, call, (bucket) => ({
      ...bucket,
      settings: { ...bucket.settings, cors },
    }))
    return { status: 200, headers: {} }
  },
})
