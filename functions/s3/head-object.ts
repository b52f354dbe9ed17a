import { wantsChecksums } from '../../shared/lambda/s3-checksums.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import { describeObject, openVerified, requireObject } from './read-object.ts'

/**
 * What GetObject tells before its body. Under SSE-KMS that takes no right to decrypt, unless
 * checksums are asked for (Amazon S3 API Reference, "HeadObject"); the record is then verified by
 * those who read the object, not here.
 */
export const headObject = objectOperation({
  name: 'HeadObject',
  action: 's3:GetObject',
  readOnly: true,
  async run(request, call) {
    const record = await requireObject(request, call)
    if (record.encryption.mode === 'SSE-S3' || wantsChecksums(request)) {
      const objectKey = await openVerified(record, call)
      objectKey.fill(0)
    }
    return describeObject(request, record).head
  },
})

export const handler = s3Handler(headObject)
