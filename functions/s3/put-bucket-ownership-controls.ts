import { notImplemented } from '../../shared/blobs/s3-error.ts'
import { readXml, requireBodyDigest } from '../../shared/lambda/s3-body.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import { childrenOf, malformedXml, textOf } from '../../shared/lambda/s3-xml-reader.ts'
import { changeBucket } from './change-bucket.ts'

const MAX_BODY = 16 * 1024
const OWNERSHIPS = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'] as const

/** Without lists there is one way only: everything is the bucket's owner's. */
export const putBucketOwnershipControls = bucketOperation({
  name: 'PutBucketOwnershipControls',
  action: 's3:PutBucketOwnershipControls',
  readOnly: false,
  async run(request, call) {
    requireBodyDigest(request)
    const document = await readXml(request, 'OwnershipControls', MAX_BODY)
    const [rule, ...more] = document === null ? [] : childrenOf(document, 'Rule')
    const text = rule === undefined ? undefined : textOf(rule, 'ObjectOwnership')
    const objectOwnership = OWNERSHIPS.find((known) => known === text)
    if (objectOwnership === undefined || more.length > 0) throw malformedXml()
    if (objectOwnership !== 'BucketOwnerEnforced') {
      throw notImplemented(`ObjectOwnership: ${objectOwnership}`)
    }
    await changeBucket(request, call, (bucket) => ({
      ...bucket,
      settings: { ...bucket.settings, objectOwnership },
    }))
    return { status: 200, headers: {} }
  },
})
