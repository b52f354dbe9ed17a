/** What the operations on a bucket's policy have in common. */
import { S3Error } from '../../shared/blobs/s3-error.ts'
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

/** @returns the policy's text. @throws S3Error NoSuchBucketPolicy */
export async function requireBucketPolicy(request: S3Request, { services }: Call): Promise<string> {
  const { policy } = await request.requireBucket(services.store.buckets)
  if (policy !== null) return policy
  throw new S3Error('NoSuchBucketPolicy', 'The bucket policy does not exist', {
    BucketName: request.bucket,
  })
}
