/** New keys as CloudTrail shows them: lower camel case, dates as text. */
import type { KeyMetadata, MultiRegionConfiguration } from '../../shared/keys/key-metadata.ts'
import type { Tag } from '../../shared/store/records.ts'

export const auditedMetadata = (metadata: KeyMetadata): Readonly<Record<string, unknown>> => ({
  aWSAccountId: metadata.AWSAccountId,
  keyId: metadata.KeyId,
  arn: metadata.Arn,
  creationDate: metadata.CreationDate.toISOString(),
  enabled: metadata.Enabled,
  description: metadata.Description,
  keyUsage: metadata.KeyUsage,
  keyState: metadata.KeyState,
  origin: metadata.Origin,
  keyManager: metadata.KeyManager,
  customerMasterKeySpec: metadata.CustomerMasterKeySpec,
  keySpec: metadata.KeySpec,
  encryptionAlgorithms: metadata.EncryptionAlgorithms,
  signingAlgorithms: metadata.SigningAlgorithms,
  macAlgorithms: metadata.MacAlgorithms,
  keyAgreementAlgorithms: metadata.KeyAgreementAlgorithms,
  encapsulationAlgorithms: metadata.EncapsulationAlgorithms,
  multiRegion: metadata.MultiRegion,
  multiRegionConfiguration: auditedConfiguration(metadata.MultiRegionConfiguration),
})

const auditedKey = ({ Arn, Region }: MultiRegionConfiguration['PrimaryKey']) => ({
  arn: Arn,
  region: Region,
})

const auditedConfiguration = (configuration: MultiRegionConfiguration | undefined) =>
  configuration && {
    multiRegionKeyType: configuration.MultiRegionKeyType,
    primaryKey: auditedKey(configuration.PrimaryKey),
    replicaKeys: configuration.ReplicaKeys.map(auditedKey),
  }

export const auditedTags = (tags: readonly Tag[] | undefined) =>
  tags?.map(({ TagKey, TagValue }) => ({ tagKey: TagKey, tagValue: TagValue }))
