import { wholeSecond } from '../../shared/blobs/object-record.ts'
import { S3Error } from '../../shared/blobs/s3-error.ts'
import type { Region } from '../../shared/ids.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { readXml } from '../../shared/lambda/s3-body.ts'
import { requireBucketName } from '../../shared/lambda/s3-bucket-name.ts'
import { accountOperation } from '../../shared/lambda/s3-operation.ts'
import { isCephProfile } from '../../shared/lambda/s3-profile.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { childrenOf, textOf } from '../../shared/lambda/s3-xml-reader.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { BucketSettings } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'

const MAX_BODY = 64 * 1024
/** The Region whose endpoint makes buckets anywhere, and whose own have no location. */
const CLASSIC_REGION = 'us-east-1'

/** A bucket of the account's own; the same name may be taken in another account. */
export const createBucket = accountOperation({
  name: 'CreateBucket',
  action: 's3:CreateBucket',
  resource: ({ bucketArn }) => bucketArn,
  readOnly: false,
  async run(request, call) {
    const { account, bucket } = request
    requireBucketName(bucket)
    const region = regionOf(await readLocation(request), call)
    const createdAt = wholeSecond(call.services.clock.now())
    try {
      await call.services.store.buckets.create({
        account,
        bucket,
        region,
        policy: null,
        settings: newSettings(),
        createdAt,
        rev: 1,
      })
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      await requireSame(request, region, call)
    }
    return created(bucket)
  },
})

/** As S3 since April 2026: keys of callers are refused until the bucket's owner allows them. */
const newSettings = (): BucketSettings =>
  isCephProfile()
    ? {}
    : {
        encryption: {
          algorithm: null,
          keyId: null,
          bucketKey: false,
          blocksCustomerKeys: true,
        },
      }

const created = (bucket: string): S3Answer => ({
  status: 200,
  headers: { location: `/${bucket}` },
})

/** @returns `undefined` when the request names none. @throws S3Error MalformedXML, NotImplemented */
async function readLocation(request: S3Request): Promise<string | undefined> {
  const body = await readXml(request, 'CreateBucketConfiguration', MAX_BODY)
  if (body === null) return undefined
  for (const name of ['Location', 'Bucket', 'Tags']) {
    if (childrenOf(body, name).length === 0) continue
    throw new S3Error('NotImplemented', `${name} of a new bucket is not implemented.`)
  }
  return textOf(body, 'LocationConstraint') || undefined
}

/** @throws S3Error InvalidLocationConstraint, IllegalLocationConstraintException */
function regionOf(location: string | undefined, { region, services }: Call): Region {
  if (region === CLASSIC_REGION) {
    const wanted = location === 'EU' ? 'eu-west-1' : (location ?? region)
    const served = services.regions.find((name) => name === wanted)
    if (served !== undefined && location !== CLASSIC_REGION) return served
    throw new S3Error(
      'InvalidLocationConstraint',
      'The specified location-constraint is not valid',
      { LocationConstraint: location ?? '' },
    )
  }
  if (location === region) return region
  throw new S3Error(
    'IllegalLocationConstraintException',
    `The ${location ?? 'unspecified'} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  )
}

/** In the classic Region, making one's own bucket again is no error; its settings stay as they are. */
async function requireSame(
  { account, bucket }: S3Request,
  region: Region,
  { services }: Call,
): Promise<void> {
  const present = await services.store.buckets.get(account, bucket)
  if (region === CLASSIC_REGION && present?.region === region) return
  throw new S3Error(
    'BucketAlreadyOwnedByYou',
    'Your previous request to create the named bucket succeeded and you already own it.',
    { BucketName: bucket },
  )
}

export const handler = s3Handler(createBucket)
