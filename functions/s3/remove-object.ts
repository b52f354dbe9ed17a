/** Removing an object from a bucket, by its name, for DeleteObject and DeleteObjects. */

import { conditionalConflict } from '../../shared/blobs/s3-error.ts'
import { retireBlobs } from '../../shared/lambda/blob-store.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'

/**
 * @param rev - what must still be there; `undefined`: whatever is there, or nothing
 * @throws S3Error ConditionalRequestConflict
 */
export async function removeObject(
  key: string,
  rev: number | undefined,
  { account, bucket }: Pick<S3Request, 'account' | 'bucket'>,
  call: Call,
): Promise<void> {
  try {
    const removed = await call.services.store.objects.delete(account, bucket, key, rev)
    await retireBlobs(call, { account, bucket, key }, removed?.parts ?? [])
  } catch (error) {
    throw error instanceof ConditionFailed ? conditionalConflict(error) : error
  }
}
