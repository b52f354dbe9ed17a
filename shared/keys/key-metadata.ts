/** KeyMetadata: a key as CreateKey and DescribeKey show it (AWS KMS API reference, "KeyMetadata"). */
import { keyArn } from '../ids.ts'
import type { KeyRecord } from '../store/records.ts'

export interface KeyMetadata {
  readonly AWSAccountId: string
  readonly KeyId: string
  readonly Arn: string
  readonly CreationDate: Date
  readonly Enabled: boolean
  readonly Description: string
  readonly KeyUsage: string
  readonly KeyState: string
  readonly DeletionDate?: Date
  readonly Origin: string
  readonly KeyManager: string
  readonly CustomerMasterKeySpec: string
  readonly KeySpec: string
  readonly EncryptionAlgorithms: readonly string[]
  readonly MultiRegion: boolean
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: 'PRIMARY'
    readonly PrimaryKey: { readonly Arn: string; readonly Region: string }
    readonly ReplicaKeys: readonly []
  }
  readonly CurrentKeyMaterialId?: string
}

/** Members that do not apply are absent, as AWS leaves them out. */
export function keyMetadata(key: KeyRecord): KeyMetadata {
  const arn = keyArn(key.region, key.account, key.keyId)
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: arn,
    CreationDate: new Date(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: key.state,
    ...(key.state === 'PendingDeletion' ? { DeletionDate: new Date(key.deletionDate) } : {}),
    Origin: key.origin,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: key.multiRegion,
    ...(key.multiRegion
      ? {
          MultiRegionConfiguration: {
            MultiRegionKeyType: 'PRIMARY' as const,
            PrimaryKey: { Arn: arn, Region: key.region },
            ReplicaKeys: [] as const,
          },
        }
      : {}),
    ...(key.current === null ? {} : { CurrentKeyMaterialId: key.current }),
  }
}
