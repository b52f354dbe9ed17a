/** Re-keying one object, or one upload under way. */
import type { ObjectKeyServices } from '../../shared/blobs/object-encryption.ts'
import { rewrapKeys, rewrapObject } from '../../shared/blobs/rewrap.ts'
import { ObjectDamaged } from '../../shared/blobs/segment-decryptor.ts'
import { ApiError } from '../../shared/errors.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import type { ObjectEncryption, ObjectSummary, UploadRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'
import { TenantKeyDamaged, TenantKeyMissing } from '../../shared/tenants/tenant-keys.ts'
import { isFencedBy } from '../s3/uploads.ts'
import type { Standing } from './rekey-scope.ts'

/** Why an object keeps the keys that it had. */
export interface Failure {
  readonly Bucket: string
  readonly Key: string
  readonly Code: string
  readonly Message: string
}

export interface Outcome {
  readonly became:
    | 'rewrapped'
    | 'rewrapped upload'
    | 'changed'
    | 'failed'
    | Exclude<Standing, 'stale'>
  readonly bytes: number
  readonly failure?: Failure
}

/** What the objects of one call have in common. */
export interface Work {
  standingOf(encryption: ObjectEncryption): Promise<Standing>
  /** The KMS key to go to; `null`: each has its own. */
  readonly keyArn: string | null
  readonly services: ObjectKeyServices
  readonly call: Call
}

type Named = Pick<ObjectSummary, 'bucket' | 'key'>

/** How often an object may change while its keys are wrapped anew. */
const MAX_ATTEMPTS = 3

/** @throws whatever may be better when the whole call is tried again: a throttled KMS, a store that is away */
export const rekeyObject = (object: ObjectSummary, work: Work): Promise<Outcome> =>
  insist(object, object.encryption, work, async () => {
    const { objects } = work.call.services.store
    const record = await objects.get(object.account, object.bucket, object.key)
    const standing = record && (await work.standingOf(record.encryption))
    if (record === null || standing === null) return outcome('changed')
    if (standing !== 'stale') return outcome(standing)
    await objects.put(await rewrapObject(record, work.keyArn, work.services), record.rev)
    return { became: 'rewrapped', bytes: record.size }
  })

/** As `rekeyObject`; one that is being completed, or aborted, is left to whoever does. */
export const rekeyUpload = (upload: UploadRecord, work: Work): Promise<Outcome> =>
  insist(upload, upload.encryption, work, async () => {
    const { uploads } = work.call.services.store
    const record = await uploads.get(upload.account, upload.bucket, upload.uploadId)
    if (record === null || isEnding(record, work.call)) return outcome('changed')
    const standing = await work.standingOf(record.encryption)
    if (standing !== 'stale') return outcome(standing)
    const encryption = await rewrapKeys(record, work.keyArn, work.services)
    await uploads.update({ ...record, encryption, rev: record.rev + 1 }, record.rev)
    return outcome('rewrapped upload')
  })

const isEnding = (upload: UploadRecord, call: Call): boolean =>
  upload.completedEtag !== null ||
  isFencedBy(upload, 'complete', call) ||
  isFencedBy(upload, 'abort', call)

const outcome = (became: Outcome['became']): Outcome => ({ became, bytes: 0 })

async function insist(
  named: Named,
  encryption: ObjectEncryption,
  { standingOf }: Work,
  attempt: () => Promise<Outcome>,
): Promise<Outcome> {
  const standing = await standingOf(encryption)
  if (standing !== 'stale') return outcome(standing)
  for (let round = 1; round <= MAX_ATTEMPTS; round++) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof ConditionFailed)) return failed(named, error)
    }
  }
  return outcome('changed')
}

function failed({ bucket, key }: Named, error: unknown): Outcome {
  const [Code, Message] = reasonOf(error)
  return {
    became: 'failed',
    bytes: 0,
    failure: { Bucket: bucket, Key: key, Code, Message },
  }
}

/** @throws what is nothing of the object's own */
function reasonOf(error: unknown): readonly [code: string, message: string] {
  if (error instanceof ApiError && error.status < 500 && error.code !== 'ThrottlingException') {
    return [error.code, error.text ?? '']
  }
  if (error instanceof ObjectDamaged) return ['ObjectDamaged', 'The object was tampered with.']
  if (error instanceof TenantKeyMissing || error instanceof TenantKeyDamaged) {
    return ['TenantKeyMissing', 'The version of the tenant key that it is under is gone.']
  }
  throw error
}
