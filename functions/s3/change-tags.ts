/** Changing the tags of an object: its bytes, its ETag and its date stay. */
import { newRev } from '../../shared/blobs/object-record.ts'
import { noSuchKey } from '../../shared/blobs/s3-error.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import type { Tags } from '../../shared/lambda/s3-tagging.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { operationAborted } from './uploads.ts'

const MAX_ATTEMPTS = 8

/** @throws S3Error NoSuchKey, OperationAborted when the object is changed by many others at once */
export async function changeTags(
  { account, bucket, key }: S3Request,
  tags: Tags,
  { services }: Call,
): Promise<void> {
  const { objects } = services.store
  for (let attempt = 1; ; attempt++) {
    const present = await objects.get(account, bucket, key)
    if (present === null) throw noSuchKey(key)
    try {
      await objects.put({ ...present, tags, rev: newRev() }, present.rev)
      return
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
      if (attempt === MAX_ATTEMPTS) throw operationAborted(error)
    }
  }
}
