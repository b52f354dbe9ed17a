/** Buckets: a tenant's own, so that two tenants may each have one of the same name. */
import {
  type AccountId,
  type BucketName,
  bucketNameOf,
  parseAccountId,
  parseRegion,
} from '../ids.ts'
import {
  type Item,
  integer,
  json,
  nullable,
  parsed,
  record,
  since,
  text,
} from './attribute-values.ts'
import { startingAfter, toPage } from './pages.ts'
import type { BucketRecord, BucketSettings } from './records.ts'
import type { BucketRepository } from './repositories.ts'
import {
  type ItemKey,
  nobodyChangedSince,
  nothingIsThere,
  requirePlace,
  type Table,
} from './table.ts'

/** Written by this room alone, from what its type allows. */
const isSettings = (value: unknown): value is BucketSettings =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const bucketRow = record<BucketRecord>({
  account: parsed(parseAccountId),
  bucket: parsed(bucketNameOf),
  region: parsed(parseRegion),
  policy: nullable(text),
  settings: since(json(isSettings), {}),
  createdAt: integer,
  rev: integer,
})

const bucketsPartition = (account: AccountId): string => `${account}#buckets`
const bucketPlace = (account: AccountId, bucket: BucketName): ItemKey => ({
  pk: bucketsPartition(account),
  sk: bucket,
})

/** @param table - `objects` */
export function openBuckets(table: Table): BucketRepository {
  return {
    async get(account, bucket) {
      const item = await table.get(bucketPlace(account, bucket))
      return item && parseBucket(item)
    },
    async create(bucket) {
      const place = bucketPlace(bucket.account, bucket.bucket)
      await table.put(place, bucketRow.encode(bucket), nothingIsThere)
    },
    async update(bucket, rev) {
      const place = bucketPlace(bucket.account, bucket.bucket)
      await table.put(place, bucketRow.encode(bucket), nobodyChangedSince(rev))
    },
    async delete({ account, bucket, rev }) {
      await table.delete(bucketPlace(account, bucket), nobodyChangedSince(rev))
    },
    async list(account, limit, after) {
      const partition = bucketsPartition(account)
      const rows = await table.query({ partition, ...startingAfter(after), limit })
      return toPage(rows, parseBucket, (bucket) => bucket.bucket)
    },
  }
}

function parseBucket(item: Item): BucketRecord {
  const found = bucketRow.parse(item)
  requirePlace(item, bucketPlace(found.account, found.bucket))
  return found
}
