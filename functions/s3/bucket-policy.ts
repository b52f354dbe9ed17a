/** What the operations on a bucket's policy have in common. */
import { S3Error } from '../../shared/blobs/s3-error.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'

/** @returns the policy's text. @throws S3Error NoSuchBucketPolicy */
export async function requireBucketPolicy(request: S3Request, { services }: Call): Promise<string> {
  const { policy } = await request.requireBucket(services.store.buckets)
  if (policy !== null) return policy
  throw new S3Error('NoSuchBucketPolicy', 'The bucket policy does not exist', {
    BucketName: request.bucket,
  })
}
