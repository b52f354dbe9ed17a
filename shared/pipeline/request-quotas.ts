/**
 * How many requests a second an account may make, by quota.
 * Source: AWS KMS Developer Guide, "Request quotas"; AWS CloudTrail User Guide, "Quotas".
 */
import type { Region } from '../ids.ts'
import type { KeySpec } from '../store/records.ts'

/** Requests a second, by the operations that have a quota of their own. */
const OWN: Readonly<Record<string, number>> = {
  DescribeKey: 2000,
  GetPublicKey: 2000,
  ListResourceTags: 2000,
  GetKeyPolicy: 1000,
  GetKeyRotationStatus: 1000,
  ListAliases: 500,
  ListKeys: 500,
  ListGrants: 100,
  ListKeyPolicies: 100,
  ListKeyRotations: 100,
  ListRetirableGrants: 100,
  CreateGrant: 50,
  RetireGrant: 50,
  RevokeGrant: 50,
  DeleteAlias: 15,
  DeleteImportedKeyMaterial: 15,
  EnableKeyRotation: 15,
  ImportKeyMaterial: 15,
  PutKeyPolicy: 15,
  ScheduleKeyDeletion: 15,
  TagResource: 10,
  CancelKeyDeletion: 5,
  ConnectCustomKeyStore: 5,
  CreateAlias: 5,
  CreateCustomKeyStore: 5,
  CreateKey: 5,
  DeleteCustomKeyStore: 5,
  DescribeCustomKeyStores: 5,
  DisableKey: 5,
  DisableKeyRotation: 5,
  DisconnectCustomKeyStore: 5,
  EnableKey: 5,
  GetKeyLastUsage: 5,
  ReplicateKey: 5,
  RotateKeyOnDemand: 5,
  UntagResource: 5,
  UpdateAlias: 5,
  UpdateCustomKeyStore: 5,
  UpdateKeyDescription: 5,
  UpdatePrimaryRegion: 5,
  GetParametersForImport: 1,
}

/** What is charged to the pool of the key's algorithm. */
const CRYPTOGRAPHIC = new Set([
  'Decapsulate',
  'Decrypt',
  'DeriveSharedSecret',
  'Encapsulate',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'GenerateMac',
  'ReEncrypt',
  'Sign',
  'Verify',
  'VerifyMac',
])

/** AWS publishes none for ML-KEM; it has that of ML-DSA. */
const POOLS = {
  'kms:Symmetric': 10_000,
  'kms:RSA': 1000,
  'kms:ECC': 1000,
  'kms:ML_DSA': 1000,
  'kms:ML_KEM': 1000,
} as const
type Pool = keyof typeof POOLS

/** The Regions with more than 10,000 requests a second for symmetric keys. */
const SYMMETRIC_BY_REGION: Readonly<Record<string, number>> = {
  'us-east-1': 100_000,
  'us-west-2': 100_000,
  'eu-west-1': 100_000,
  'us-east-2': 20_000,
  'ap-southeast-1': 20_000,
  'ap-southeast-2': 20_000,
  'ap-northeast-1': 20_000,
  'eu-central-1': 20_000,
  'eu-west-2': 20_000,
}

/** Key pairs by their spec; their making costs what it costs, so each spec has its own. */
const PAIRS: Readonly<Record<string, number>> = {
  ECC_NIST_P256: 100,
  ECC_NIST_P384: 100,
  ECC_NIST_P521: 100,
  ECC_NIST_EDWARDS25519: 100,
  ECC_SECG_P256K1: 100,
  RSA_2048: 20,
  RSA_3072: 4,
  RSA_4096: 1,
  SM2: 25,
}

const RATES: Readonly<Record<string, number>> = {
  ...POOLS,
  ...Object.fromEntries(Object.entries(OWN).map(([name, rate]) => [`kms:${name}`, rate])),
  ...Object.fromEntries(
    Object.entries(PAIRS).map(([spec, rate]) => [`kms:GenerateDataKeyPair/${spec}`, rate]),
  ),
  'cloudtrail:LookupEvents': 2,
}

/** `kms:CreateKey`, `kms:Symmetric`, `kms:GenerateDataKeyPair/RSA_4096`, …, in alphabetical order. */
export const requestQuotas: readonly string[] = Object.keys(RATES).sort()

/** @returns requests a second that AWS allows an account in a Region */
export const awsRate = (quota: string, region: Region): number =>
  (quota === 'kms:Symmetric' ? SYMMETRIC_BY_REGION[region] : undefined) ?? RATES[quota] ?? 0

/** What of a request tells its quota. */
export interface Charged {
  readonly service: string
  readonly name: string
  readonly input: unknown
  /** Of the first key that the operation uses, once it is known. */
  readonly keySpec: KeySpec | null
}

/** @returns the quota that a request is charged to; `null` when there is none, or none can be told yet */
export function requestQuotaOf({ service, name, input, keySpec }: Charged): string | null {
  if (service === 'kms') {
    if (CRYPTOGRAPHIC.has(name)) return keySpec === null ? null : poolOf(keySpec)
    if (name === 'GenerateRandom') return 'kms:Symmetric'
    if (name.startsWith('GenerateDataKeyPair')) {
      const { KeyPairSpec } = input as { readonly KeyPairSpec: string }
      return `kms:GenerateDataKeyPair/${KeyPairSpec}`
    }
  }
  const quota = `${service}:${name}`
  return Object.hasOwn(RATES, quota) ? quota : null
}

/** AWS names key specs by the algorithm, which is what the pools go by. */
function poolOf(spec: KeySpec): Pool {
  if (spec.startsWith('RSA_')) return 'kms:RSA'
  if (spec.startsWith('ECC_') || spec === 'SM2') return 'kms:ECC'
  if (spec.startsWith('ML_DSA_')) return 'kms:ML_DSA'
  return spec.startsWith('ML_KEM_') ? 'kms:ML_KEM' : 'kms:Symmetric'
}
