import type { FoundKey } from '../../shared/keys/keys.ts'
import { namedOutside } from '../../shared/pipeline/access-list.ts'
import { readKey } from '../../shared/pipeline/key-use.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Call, Operation } from '../../shared/pipeline/operation.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import type { ObjectSummary, UploadRecord } from '../../shared/store/records.ts'
import { pageMembers, type Stretch, walkStored } from './stored-stretches.ts'

const request = structure({ KeyId: required(keyIdentifier), ...pageMembers })

/** What is counted over all pages so far. */
interface Sums {
  readonly ObjectCount: number
  /** Of plaintext. */
  readonly ObjectBytes: number
  readonly UploadCount: number
}

export interface DescribeKeyImpactResponse extends Sums {
  readonly KeyId: string
  readonly KeyState: string
  readonly DeletionDate?: Date
  /** Of a key of one's own: the last cryptographic use, as far as the audit relay has come. */
  readonly LastUsedDate?: Date
  readonly LastUsedOperation?: string
  readonly GrantCount?: number
  /** Whom of other accounts the key policy names: what they have under the key is not counted. */
  readonly Outside?: readonly string[]
  /** Of this page. */
  readonly Objects: readonly {
    readonly Bucket: string
    readonly Key: string
    readonly Size: number
    readonly LastModifiedDate: Date
    readonly Encryption: string
  }[]
  /** Uploads under way, whose parts go as well. */
  readonly Uploads: readonly {
    readonly Bucket: string
    readonly Key: string
    readonly UploadId: string
  }[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}

const NOTHING: Sums = { ObjectCount: 0, ObjectBytes: 0, UploadCount: 0 }

/**
 * What of the caller's account nobody can read any more when a key goes: objects that it encrypts,
 * and uploads under way. Data that others encrypted by KMS itself lies with them, and is not known.
 */
export const describeKeyImpact: Operation<
  Input<typeof request>,
  DescribeKeyImpactResponse,
  'key'
> = {
  service: 'keyhold',
  name: 'DescribeKeyImpact',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:DescribeKeyImpact', resource: null }],
  keys: ({ KeyId }) => ({
    key: {
      ...readKey(KeyId, 'kms:DescribeKey'),
      name: { by: 'identifier', text: KeyId, aliases: true },
    },
  }),
  async run(input, { key }, call) {
    const found: ObjectSummary[] = []
    const begun: UploadRecord[] = []
    const { sums, listed } = await walkStored(
      { operation: 'DescribeKeyImpact', parameters: [key.arn], page: input },
      { kind: 'key', keyArn: key.arn },
      NOTHING,
      async (stretch, so) => {
        found.push(...stretch.objects)
        begun.push(...stretch.uploads)
        return added(so, stretch)
      },
      call,
    )
    const Uploads = begun.map(({ bucket, key: Key, uploadId: UploadId }) => {
      return { Bucket: bucket, Key, UploadId }
    })
    const about = input.Marker === undefined ? await aboutKey(key, call) : stateOf(key)
    return { ...about, ...sums, Objects: found.map(objectView), Uploads, ...listed }
  },
  audit: {
    requestParameters: ({ KeyId }, { key }) => ({ keyId: key?.arn ?? KeyId }),
    additionalEventData: ({ ObjectCount, ObjectBytes, UploadCount, IsTruncated }) => ({
      objectCount: ObjectCount,
      objectBytes: ObjectBytes,
      uploadCount: UploadCount,
      complete: !IsTruncated,
    }),
  },
}

const added = (sums: Sums, { objects, uploads }: Stretch): Sums => ({
  ObjectCount: sums.ObjectCount + objects.length,
  ObjectBytes: objects.reduce((bytes, { size }) => bytes + size, sums.ObjectBytes),
  UploadCount: sums.UploadCount + uploads.length,
})

const objectView = ({ bucket, key, size, createdAt, encryption }: ObjectSummary) => ({
  Bucket: bucket,
  Key: key,
  Size: size,
  LastModifiedDate: new Date(createdAt),
  Encryption: encryption.mode,
})

const stateOf = ({ arn, key, state }: FoundKey) => ({
  KeyId: arn,
  KeyState: state,
  ...('deletionDate' in key && key.deletionDate !== null
    ? { DeletionDate: new Date(key.deletionDate) }
    : {}),
})

/** Whoever may use another account's key learns nothing of who else does. */
async function aboutKey(found: FoundKey, { caller, services }: Call) {
  const { key, bundle } = found
  if (key.account !== caller.account) return stateOf(found)
  const { lastUsage, policy } = bundle
  return {
    ...stateOf(found),
    ...(lastUsage === null
      ? {}
      : { LastUsedDate: new Date(lastUsage.at), LastUsedOperation: lastUsage.operation }),
    GrantCount: await services.store.grants.count(key),
    Outside: namedOutside(policy.document, caller.account),
  }
}
