/** Changing what is set for a bucket. */
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { BucketRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { operationAborted } from './uploads.ts'

/** @throws S3Error NoSuchBucket, and OperationAborted when somebody else changes it as well */
export async function changeBucket(
  request: S3Request,
  { services }: Call,
  change: (bucket: BucketRecord) => BucketRecord,
): Promise<void> {
  const { buckets } = services.store
  const present = await request.requireBucket(buckets)
  try {
    await buckets.update({ ...change(present), rev: present.rev + 1 }, present.rev)
  } catch (error) {
    throw error instanceof ConditionFailed ? operationAborted(error) : error
  }
}
