/** After an object was written: is there still the bucket that it was written to? */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { removeObject } from './remove-object.ts'

/**
 * A bucket may be deleted while an object is on its way. DeleteBucket looks for objects once more
 * when the bucket is gone, and a writer looks for the bucket once more when its object is in the
 * index, so one of the two sees the other.
 * @throws S3Error NoSuchBucket, with the object taken out again
 */
export async function requireBucketStill(
  request: S3Request,
  { account, bucket, key, rev }: ObjectRecord,
  call: Call,
): Promise<void> {
  const { buckets } = call.services.store
  const [before, now] = [await request.requireBucket(buckets), await buckets.get(account, bucket)]
  if (now !== null && now.createdAt === before.createdAt) return
  await removeObject(key, rev, { account, bucket }, call).catch(() => {})
  throw new S3Error('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket })
}
