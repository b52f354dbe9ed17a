import { S3Error } from '../../shared/blobs/s3-error.ts'
import { bucketOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { operationAborted } from './uploads.ts'

/** Removes a bucket that has neither objects nor uploads under way. */
export const deleteBucket = bucketOperation({
  name: 'DeleteBucket',
  action: 's3:DeleteBucket',
  readOnly: false,
  async run(request, call) {
    const { buckets } = call.services.store
    const bucket = await request.requireBucket(buckets)
    await requireEmpty(request, call)
    try {
      await buckets.delete(bucket)
    } catch (error) {
      throw error instanceof ConditionFailed ? operationAborted(error) : error
    }
    await requireEmpty(request, call).catch(async (error: unknown) => {
      // Something was written meanwhile; whoever wrote it sees the bucket again, or takes it back.
      await buckets.create(bucket)
      throw error
    })
    return { status: 204, headers: {} }
  },
})

async function requireEmpty({ account, bucket }: S3Request, { services }: Call): Promise<void> {
  const { objects, uploads } = services.store
  const { items } = await objects.list(account, bucket, { prefix: '', after: null, limit: 1 })
  const isEmpty =
    items.length === 0 &&
    (await uploads.list(account, bucket)).every(({ completedEtag }) => completedEtag !== null)
  if (isEmpty) return
  throw new S3Error('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
    BucketName: bucket,
  })
}

export const handler = s3Handler(deleteBucket)
