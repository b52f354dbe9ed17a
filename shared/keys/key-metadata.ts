/** KeyMetadata: a key as CreateKey and DescribeKey show it (AWS KMS API reference, "KeyMetadata"). */
import { keyArn, type Region } from '../ids.ts'
import type {
  KeyBundle,
  KeyRecord,
  KeySpec,
  KeyUsage,
  RelatedKeysRecord,
} from '../store/records.ts'
import { keySpec } from './key-specs.ts'
import { type KeyState, usedMaterials } from './key-states.ts'
import type { FoundKey } from './keys.ts'

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
  readonly ValidTo?: Date
  readonly Origin: string
  readonly ExpirationModel?: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  readonly KeyManager: string
  readonly CustomerMasterKeySpec: string
  readonly KeySpec: string
  readonly EncryptionAlgorithms?: readonly string[]
  readonly SigningAlgorithms?: readonly string[]
  readonly MacAlgorithms?: readonly string[]
  readonly KeyAgreementAlgorithms?: readonly string[]
  readonly EncapsulationAlgorithms?: readonly string[]
  readonly MultiRegion: boolean
  readonly MultiRegionConfiguration?: MultiRegionConfiguration
  readonly PendingDeletionWindowInDays?: number
  readonly CurrentKeyMaterialId?: string
}

interface MultiRegionKey {
  readonly Arn: string
  readonly Region: string
}

export interface MultiRegionConfiguration {
  readonly MultiRegionKeyType: 'PRIMARY' | 'REPLICA'
  readonly PrimaryKey: MultiRegionKey
  readonly ReplicaKeys: readonly MultiRegionKey[]
}

/** Members that do not apply are absent, as AWS leaves them out. */
export function keyMetadata({ key, arn, state, bundle }: FoundKey): KeyMetadata {
  const isSymmetric = keySpec(key.keySpec).family === 'symmetric'
  const showsMaterial = isSymmetric && key.current !== null && state !== 'Creating'
  return {
    AWSAccountId: key.account,
    KeyId: key.keyId,
    Arn: arn,
    CreationDate: new Date(key.createdAt),
    Enabled: state === 'Enabled',
    Description: key.description,
    KeyUsage: key.keyUsage,
    KeyState: state,
    ...(key.state === 'PendingDeletion' ? { DeletionDate: new Date(key.deletionDate) } : {}),
    ...expiry(bundle, state),
    Origin: key.origin,
    KeyManager: key.manager,
    CustomerMasterKeySpec: key.keySpec,
    KeySpec: key.keySpec,
    ...algorithmsOf(key.keySpec, key.keyUsage),
    MultiRegion: key.multiRegion,
    ...(bundle.related === null
      ? {}
      : { MultiRegionConfiguration: configuration(key, bundle.related) }),
    ...(key.state === 'PendingReplicaDeletion'
      ? { PendingDeletionWindowInDays: key.windowDays }
      : {}),
    ...(showsMaterial && key.current !== null ? { CurrentKeyMaterialId: key.current } : {}),
  }
}

const MEMBERS = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
} as const satisfies Record<KeyUsage, keyof KeyMetadata>

export type AlgorithmLists = Pick<KeyMetadata, (typeof MEMBERS)[KeyUsage]>

/** The one list of algorithms that a key of this spec and usage has: `{ SigningAlgorithms: […] }`. */
export const algorithmsOf = (spec: KeySpec, usage: KeyUsage): AlgorithmLists => ({
  [MEMBERS[usage]]: keySpec(spec).algorithms[usage] ?? [],
})

/** Of imported material, while all of it is there; the earliest date when several have one. */
function expiry(
  { key, materials }: KeyBundle,
  state: KeyState,
): Pick<KeyMetadata, 'ValidTo' | 'ExpirationModel'> {
  if (key.origin !== 'EXTERNAL' || key.current === null || state === 'PendingImport') return {}
  const used = usedMaterials({ key, materials })
  if (used.length === 0 || used.some(({ wrapped }) => wrapped === null)) return {}
  const dates = used.flatMap(({ imported }) => imported?.validTo ?? [])
  return dates.length === 0
    ? { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    : { ValidTo: new Date(Math.min(...dates)), ExpirationModel: 'KEY_MATERIAL_EXPIRES' }
}

function configuration(
  { account, keyId, region }: KeyRecord,
  { primary, replicas }: RelatedKeysRecord,
): MultiRegionConfiguration {
  const named = (of: Region): MultiRegionKey => ({ Arn: keyArn(of, account, keyId), Region: of })
  return {
    MultiRegionKeyType: primary === region ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: named(primary),
    ReplicaKeys: replicas.map(named),
  }
}
