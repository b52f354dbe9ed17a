import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { malformedXml, textOf, type XmlNode } from '../../shared/lambda/s3-xml-reader.ts'
import { changeBucket } from './change-bucket.ts'

const MAX_BODY = 16 * 1024

/** Kept and told; nothing here is public with or without it. */
export const putPublicAccessBlock = bucketOperation({
  name: 'PutPublicAccessBlock',
  action: 's3:PutBucketPublicAccessBlock',
  readOnly: false,
  async run(request, call) {
    requireBodyDigest(request)
    const document = await readXml(request, 'PublicAccessBlockConfiguration', MAX_BODY)
    if (document === null) throw malformedXml()
    const publicAccessBlock = {
      blockPublicAcls: flagOf(document, 'BlockPublicAcls'),
      ignorePublicAcls: flagOf(document, 'IgnorePublicAcls'),
      blockPublicPolicy: flagOf(document, 'BlockPublicPolicy'),
      restrictPublicBuckets: flagOf(document, 'RestrictPublicBuckets'),
    }
    await changeBucket(request, call, (bucket) => ({
      ...bucket,
      settings: { ...bucket.settings, publicAccessBlock },
    }))
    return { status: 200, headers: {} }
  },
})

function flagOf(document: XmlNode, name: string): boolean {
  const text = textOf(document, name)?.toLowerCase() ?? 'false'
  if (text === 'true' || text === 'false') return text === 'true'
  throw malformedXml()
}
