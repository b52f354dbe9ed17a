import { invalidArgument } from '../../shared/blobs/s3-error.ts'
import { xmlAnswer } from '../../shared/lambda/s3-answer.ts'
import { parseCount } from '../../shared/lambda/s3-listing.ts'
import { accountOperation } from '../../shared/lambda/s3-operation.ts'
import { canonicalUserId } from '../../shared/lambda/s3-owner.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { xmlDocument } from '../../shared/lambda/s3-xml.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { BucketRecord } from '../../shared/store/records.ts'

const MAX_BUCKETS = 10_000
const PAGE = 1000

/** The account's buckets, in all Regions, by name. */
export const listBuckets = accountOperation({
  name: 'ListBuckets',
  action: 's3:ListAllMyBuckets',
  resource: () => 'arn:aws:s3:::*',
  readOnly: true,
  async run(request, call) {
    const { parameter, account } = request
    const prefix = parameter('prefix') || undefined
    const limit = parseCount(request, 'max-buckets', MAX_BUCKETS)
    const listing = listingOf(request, call)
    const found = await bucketsAfter(await startOf(request, call), request, limit + 1, call)
    const shown = found.slice(0, limit)
    const last = shown.at(-1)
    const token =
      found.length > limit && last !== undefined
        ? await call.services.markers.seal(listing, last.bucket)
        : undefined
    return xmlAnswer(
      xmlDocument('ListAllMyBucketsResult', {
        Owner: { ID: canonicalUserId(account) },
        Buckets: { Bucket: shown.map(entry) },
        ContinuationToken: token,
        Prefix: prefix,
      }),
    )
  },
})

const listingOf = ({ account, parameter }: S3Request, { region }: Call) => ({
  account,
  region,
  operation: 'ListBuckets',
  parameters: [parameter('prefix') ?? '', parameter('bucket-region') ?? ''],
})

async function startOf(request: S3Request, call: Call): Promise<string | null> {
  const token = request.parameter('continuation-token')
  if (!token) return null
  const start = await call.services.markers.open(listingOf(request, call), token)
  if (start !== null) return start
  throw invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)
}

async function bucketsAfter(
  start: string | null,
  { account, parameter }: S3Request,
  limit: number,
  { services }: Call,
): Promise<readonly BucketRecord[]> {
  const prefix = parameter('prefix') ?? ''
  const region = parameter('bucket-region')
  const found: BucketRecord[] = []
  let after = start
  do {
    const page = await services.store.buckets.list(account, PAGE, after)
    const wanted = page.items.filter(
      (bucket) => bucket.bucket.startsWith(prefix) && (!region || bucket.region === region),
    )
    found.push(...wanted)
    after = page.next
  } while (after !== null && found.length < limit)
  return found
}

const entry = ({ bucket, createdAt, region }: BucketRecord) => ({
  Name: bucket,
  CreationDate: new Date(createdAt),
  BucketRegion: region,
  BucketArn: `arn:aws:s3:::${bucket}`,
})

export const handler = s3Handler(listBuckets)
