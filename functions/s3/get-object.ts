import type { Readable } from 'node:stream'
import { BlobMissing } from '../../shared/blobs/backing-store.ts'
import { openObject } from '../../shared/blobs/decrypt-stream.ts'
import { type ObjectKeys, wipeObjectKeys } from '../../shared/blobs/object-keys.ts'
import { blobStore } from '../../shared/lambda/blob-store.ts'
import type { S3Answer } from '../../shared/lambda/s3-answer.ts'
import { customerKeyOf } from '../../shared/lambda/s3-customer-key.ts'
import { objectOperation } from '../../shared/lambda/s3-operation.ts'
import type { Selection } from '../../shared/lambda/s3-range.ts'
import type { S3Request } from '../../shared/lambda/s3-request.ts'
import { s3Handler } from '../../shared/lambda/s3-stack.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { describeObject, openVerified, requireObject } from './read-object.ts'

/** How often an object may be replaced between the reading of its record and of its first blob. */
const MAX_ATTEMPTS = 5

/**
 * The bytes of an object, or of a range or a part of it. Nothing is answered before the record and
 * the first segment are verified.
 */
export const getObject = objectOperation({
  name: 'GetObject',
  action: 's3:GetObject',
  readOnly: true,
  async run(request, call) {
    for (let attempt = 1; ; attempt++) {
      const record = await requireObject(request, call)
      try {
        return await answer(request, record, call)
      } catch (error) {
        if (!(error instanceof BlobMissing) || attempt === MAX_ATTEMPTS) throw error
      }
    }
  },
})

async function answer(request: S3Request, record: ObjectRecord, call: Call): Promise<S3Answer> {
  const customerKey = customerKeyOf(record.encryption, request)
  const keys = await openVerified(record, customerKey, call)
  try {
    const { head, selection } = describeObject(request, record)
    if (selection === null) return head
    const body = await open(record, keys, selection)
    const event = { ...head.event, bytesTransferredOut: selection.end - selection.start + 1 }
    return { ...head, body, event }
  } finally {
    wipeObjectKeys(keys)
  }
}

const open = (
  { versionId, parts }: ObjectRecord,
  keys: ObjectKeys,
  { start, end }: Selection,
): Promise<Readable> =>
  openObject({ store: blobStore(), ...keys, streamId: versionId }, parts, start, end)

export const handler = s3Handler(getObject)
