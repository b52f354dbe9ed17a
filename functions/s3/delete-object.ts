import { isConditional, requireWriteCondition } from '../../shared/lambda/s3-conditions.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { removeObject } from './remove-object.ts'

/** Removes an object; a name that no object has is no error. */
export const deleteObject = objectOperation({
  name: 'DeleteObject',
  action: 's3:DeleteObject',
  readOnly: false,
  async run(request, call) {
    await removeObject(request.key, await deleteCondition(request, call), request, call)
    return { status: 204, headers: {} }
  },
})

async function deleteCondition(
  request: S3Request,
  { services }: Call,
): Promise<number | undefined> {
  if (!isConditional(request)) return undefined
  const { account, bucket, key } = request
  const present = await services.store.objects.get(account, bucket, key)
  return requireWriteCondition(request, present) ?? undefined
}

export const handler = s3Handler(deleteObject)
