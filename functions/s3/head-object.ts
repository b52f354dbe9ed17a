import { wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { wantsChecksums } from '../../shared/lambda/s3-checksums.ts'
import { customerKeyOf } from '../../shared/lambda/s3-customer-key.ts'
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
    const { encryption } = record
    const customerKey = customerKeyOf(encryption, request)
    const takesKms = encryption.mode === 'SSE-KMS' || encryption.mode === 'DSSE-KMS'
    if (!takesKms || wantsChecksums(request)) {
      wipeObjectKeys(await openVerified(record, customerKey, call))
    }
    return describeObject(request, record).head
  },
})

export const handler = s3Handler(headObject)
