/**
 * What the store keeps, as plain data. The rooms above give it meaning; only this room knows how it
 * lies in DynamoDB. Every record that can change carries `rev`: a change is one conditional write
 * against the `rev` that was read.
 */
import type {
  AccessKeyId,
  AccountId,
  AliasName,
  BucketName,
  GrantId,
  KeyId,
  MaterialId,
  PrincipalId,
  Region,
} from '../ids.ts'

export interface Tag {
  readonly TagKey: string
  readonly TagValue: string
}

export interface TenantRecord {
  readonly account: AccountId
  readonly name: string
  /** `operator`: its principals run the service, and have no way to the keys of the others. */
  readonly kind: 'team' | 'operator'
  readonly createdAt: number
  readonly status: 'Active' | 'Suspended' | 'PendingDeletion' | 'Deleted'
  /** When a tenant that waits for its deletion is deleted; `null` for all others. */
  readonly deletionDate: number | null
  /** By the name of the quota; what is not here has its default. */
  readonly quotas: Readonly<Record<string, number>>
  /** The signed statement of what was destroyed with a deleted tenant, as JSON. */
  readonly destruction: string | null
  readonly rev: number
}

/** One version of a tenant's wrapping key, sealed by the root key. */
export interface TenantKeyRecord {
  readonly account: AccountId
  /** 1, 2, 3, …; the highest wraps, all unwrap. */
  readonly version: number
  readonly rootKeyId: string
  readonly sealed: Uint8Array
  readonly createdAt: number
}

export interface PolicyDocument {
  /** `AdministratorAccess`, or an inline policy's name. */
  readonly name: string
  readonly document: string
}

/** What users and roles have in common. */
interface PrincipalCommon {
  readonly account: AccountId
  readonly principalId: PrincipalId
  readonly name: string
  /** `/` or `/division/team/`. */
  readonly path: string
  /** Inline policies. */
  readonly policies: readonly PolicyDocument[]
  /** ARNs of managed policies. */
  readonly attached: readonly string[]
  /** ARN of the managed policy that is the permissions boundary. */
  readonly boundary: string | null
  readonly tags: readonly Tag[]
  /** Sessions that began before this time, in milliseconds since the epoch, are void. */
  readonly sessionsValidFrom: number
  readonly createdAt: number
  readonly rev: number
}

export interface UserRecord extends PrincipalCommon {
  readonly kind: 'User'
}

export interface RoleRecord extends PrincipalCommon {
  readonly kind: 'Role'
  readonly description: string
  /** Who may assume it. */
  readonly trustPolicy: string
  readonly maxSessionSeconds: number
}

export type PrincipalRecord = UserRecord | RoleRecord

export interface ManagedPolicyVersion {
  /** `v1`, `v2`, … */
  readonly versionId: string
  readonly document: string
  readonly createdAt: number
}

/** A policy of a tenant's own that can be attached to its principals. */
export interface ManagedPolicyRecord {
  readonly account: AccountId
  /** `ANPA…` */
  readonly policyId: string
  readonly name: string
  readonly path: string
  readonly description: string
  /** Oldest first. */
  readonly versions: readonly ManagedPolicyVersion[]
  readonly defaultVersionId: string
  readonly tags: readonly Tag[]
  readonly createdAt: number
  readonly rev: number
}

export interface AccessKeyRecord {
  readonly accessKeyId: AccessKeyId
  readonly account: AccountId
  readonly principalId: PrincipalId
  readonly status: 'Active' | 'Inactive'
  /** The secret access key, wrapped by the tenant key. */
  readonly wrappedSecret: Uint8Array
  readonly tenantKeyVersion: number
  readonly createdAt: number
  readonly rev: number
}

/** Written behind the calls, so some seconds late. */
export interface AccessKeyUse {
  readonly at: number
  /** `kms` */
  readonly service: string
  readonly region: Region
}

export const KEY_SPECS = [
  'SYMMETRIC_DEFAULT',
  'RSA_2048',
  'RSA_3072',
  'RSA_4096',
  'ECC_NIST_P256',
  'ECC_NIST_P384',
  'ECC_NIST_P521',
  'ECC_SECG_P256K1',
  'ECC_NIST_EDWARDS25519',
  'HMAC_224',
  'HMAC_256',
  'HMAC_384',
  'HMAC_512',
  'ML_DSA_44',
  'ML_DSA_65',
  'ML_DSA_87',
  'ML_KEM_512',
  'ML_KEM_768',
  'ML_KEM_1024',
  'SM2',
] as const
export type KeySpec = (typeof KEY_SPECS)[number]
export type KeyUsage =
  | 'ENCRYPT_DECRYPT'
  | 'SIGN_VERIFY'
  | 'GENERATE_VERIFY_MAC'
  | 'KEY_AGREEMENT'
  | 'ENCAPSULATE_DECAPSULATE'
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL'

/** A secret wrapped by version `tenantKeyVersion` of the tenant key. */
export interface WrappedSecret {
  readonly wrapped: Uint8Array
  readonly tenantKeyVersion: number
}

interface KeyFields {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  readonly createdAt: number
  readonly description: string
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: KeyOrigin
  readonly manager: 'CUSTOMER' | 'AWS'
  readonly multiRegion: boolean
  /** Milliseconds since the epoch until which a replica is being made; `null`: usable at once. */
  readonly creatingUntil: number | null
  /** What the ids of imported material are made with; only keys of origin EXTERNAL have one. */
  readonly identityKey: WrappedSecret | null
  readonly tags: readonly Tag[]
  /** Grows with every change of state, so that an older row can be told from a newer one. */
  readonly stateEpoch: number
  readonly rev: number
}

export type KeyRecord = KeyFields &
  (
    | { readonly state: 'Enabled'; readonly current: MaterialId }
    | { readonly state: 'Disabled'; readonly current: MaterialId }
    | {
        readonly state: 'PendingDeletion'
        readonly current: MaterialId | null
        /** Milliseconds since the epoch. */
        readonly deletionDate: number
      }
    | {
        /** A multi-Region primary that waits for the end of its last replica. */
        readonly state: 'PendingReplicaDeletion'
        readonly current: MaterialId | null
        /** The waiting period that starts then, in days. */
        readonly windowDays: number
      }
    | { readonly state: 'PendingImport'; readonly current: MaterialId | null }
  )

/** When and why a key came to use its material. */
export interface MaterialRotation {
  readonly date: number
  readonly type: 'AUTOMATIC' | 'ON_DEMAND'
}

export interface ImportedMaterial {
  readonly description: string | null
  /** Milliseconds since the epoch; `null`: it does not expire. */
  readonly validTo: number | null
}

/**
 * One version of a key's material. Those up to the key's `current` in number are its history; a
 * higher one waits: imported and pending rotation, or left by a rotation that was cut short.
 */
export interface MaterialRecord {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  /** 1, 2, 3, …: the order in which a key's material came to be. */
  readonly number: number
  readonly materialId: MaterialId
  /** Wrapped by version `tenantKeyVersion` of the tenant key; `null`: imported, then deleted or expired. */
  readonly wrapped: Uint8Array | null
  readonly tenantKeyVersion: number
  readonly createdAt: number
  /** `null` for the first material, and for what waits. */
  readonly rotation: MaterialRotation | null
  /** `null` for material that was generated here. */
  readonly imported: ImportedMaterial | null
  readonly rev: number
}

/** The rotation of a key; multi-Region keys of one set share it. A key without one never rotated. */
export interface RotationRecord {
  /** Automatic rotation, when it is enabled. */
  readonly automatic: { readonly periodDays: number; readonly nextDate: number } | null
  /** When the on-demand rotation that has not ended yet was asked for. */
  readonly onDemandSince: number | null
  /** On-demand rotations that were asked for so far. */
  readonly onDemandCount: number
  /** When the rotation of the key is to be looked at; `null`: never. */
  readonly dueAt: number | null
  readonly rev: number
}

/** The multi-Region keys with one key id: the one place that says which of them is the primary. */
export interface RelatedKeysRecord {
  readonly account: AccountId
  readonly keyId: KeyId
  readonly primary: Region
  /** The Regions of the replicas, sorted. */
  readonly replicas: readonly Region[]
  /** The last change of the primary, which shows in both keys for a while. */
  readonly updating: { readonly until: number; readonly regions: readonly Region[] } | null
  /** Who is about to make a replica where; absent: nobody. */
  readonly replicating?: readonly ReplicaClaim[]
  readonly rev: number
}

/** The attempt that may make the replica of a Region; a later one takes the place of an earlier one. */
export interface ReplicaClaim {
  readonly region: Region
  /** Random, new for every attempt. */
  readonly claim: string
}

/** The last successful cryptographic use of a key. */
export interface LastUsageRecord {
  readonly operation: string
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly eventId: string
  readonly requestId: string
}

export interface KeyPolicyRecord {
  readonly document: string
  readonly rev: number
}

/** All that one query of a key's partition brings. */
export interface KeyBundle {
  readonly key: KeyRecord
  readonly policy: KeyPolicyRecord
  /** Every version of the material, oldest first. */
  readonly materials: readonly MaterialRecord[]
  readonly rotation: RotationRecord | null
  readonly lastUsage: LastUsageRecord | null
  /** `null` for a single-Region key. */
  readonly related: RelatedKeysRecord | null
}

/** What a key begins with. */
export type NewKey = Pick<KeyBundle, 'key' | 'policy' | 'materials'>

/** What a grant can allow, in the order in which the service lists it. */
export const GRANT_OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'Sign',
  'Verify',
  'GetPublicKey',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
  'GenerateMac',
  'VerifyMac',
  'DeriveSharedSecret',
  'Encapsulate',
  'Decapsulate',
] as const
export type GrantOperation = (typeof GRANT_OPERATIONS)[number]

export interface GrantConstraints {
  readonly encryptionContextEquals?: Readonly<Record<string, string>>
  readonly encryptionContextSubset?: Readonly<Record<string, string>>
  readonly sourceArn?: string
}

/** A permission on one key for one grantee. It never changes: it is made, and retired or revoked. */
export interface GrantRecord {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  readonly grantId: GrantId
  readonly name: string | null
  readonly createdAt: number
  /** The account of whoever made the grant. */
  readonly issuingAccount: AccountId
  /**
   * By what never changes: `<account>/AIDA…` for a user, `<account>` for all of an account,
   * `service/s3.amazonaws.com` for a service.
   */
  readonly grantee: string
  /** In the same form. */
  readonly retiring: string | null
  /** Each once, in the order of `GRANT_OPERATIONS`. */
  readonly operations: readonly GrantOperation[]
  readonly constraints: GrantConstraints | null
  /** Of a grant for an operator: when it ends. `null` for all others, which do not end by themselves. */
  readonly breakGlassUntil: number | null
}

export interface AliasRecord {
  readonly account: AccountId
  readonly region: Region
  readonly aliasName: AliasName
  readonly targetKeyId: KeyId
  readonly createdAt: number
  readonly updatedAt: number
  readonly rev: number
}

export const CONNECTION_ERROR_CODES = [
  'INVALID_CREDENTIALS',
  'CLUSTER_NOT_FOUND',
  'NETWORK_ERRORS',
  'INTERNAL_ERROR',
  'INSUFFICIENT_CLOUDHSM_HSMS',
  'USER_LOCKED_OUT',
  'USER_NOT_FOUND',
  'USER_LOGGED_IN',
  'SUBNET_NOT_FOUND',
  'INSUFFICIENT_FREE_ADDRESSES_IN_SUBNET',
  'XKS_PROXY_ACCESS_DENIED',
  'XKS_PROXY_NOT_REACHABLE',
  'XKS_VPC_ENDPOINT_SERVICE_NOT_FOUND',
  'XKS_PROXY_INVALID_RESPONSE',
  'XKS_PROXY_INVALID_CONFIGURATION',
  'XKS_VPC_ENDPOINT_SERVICE_INVALID_CONFIGURATION',
  'XKS_PROXY_TIMED_OUT',
  'XKS_PROXY_INVALID_TLS_CONFIGURATION',
] as const
export type ConnectionErrorCode = (typeof CONNECTION_ERROR_CODES)[number]

/** How a custom key store was left; what begins ends by itself, `until` in milliseconds since the epoch. */
export type StoreConnection =
  | { readonly state: 'CONNECTED' }
  | { readonly state: 'DISCONNECTED' }
  | { readonly state: 'FAILED'; readonly errorCode: ConnectionErrorCode }
  | {
      readonly state: 'CONNECTING'
      readonly until: number
      /** Why it will fail; `null`: it will be connected. */
      readonly errorCode: ConnectionErrorCode | null
    }
  | { readonly state: 'DISCONNECTING'; readonly until: number }

export interface CloudHsmDefinition {
  readonly type: 'AWS_CLOUDHSM'
  readonly clusterId: string
  readonly trustAnchorCertificate: string
}

export interface ExternalDefinition {
  readonly type: 'EXTERNAL_KEY_STORE'
  readonly connectivity: 'PUBLIC_ENDPOINT' | 'VPC_ENDPOINT_SERVICE'
  readonly uriEndpoint: string
  readonly uriPath: string
  readonly vpcEndpointServiceName: string | null
  readonly vpcEndpointServiceOwner: string | null
  /** Of the credential that the proxy knows; its secret is the store's. */
  readonly accessKeyId: string
}

/** What a custom key store stands for, without its secret. */
export type KeyStoreDefinition = CloudHsmDefinition | ExternalDefinition

export interface CustomKeyStore {
  /** `cks-` and 17 hex digits. */
  readonly id: string
  readonly name: string
  readonly createdAt: number
  readonly definition: KeyStoreDefinition
  /** The password of the cluster's user, or the secret that requests to the proxy are signed with. */
  readonly secret: WrappedSecret
  readonly connection: StoreConnection
}

/** The custom key stores of an account in a Region: few, and what one is called no other may be. */
export interface CustomKeyStoresRecord {
  readonly account: AccountId
  readonly region: Region
  /** By id. */
  readonly stores: readonly CustomKeyStore[]
  readonly rev: number
}

/** A page of a listing. `next` is `null` on the last page, otherwise where the next page starts after. */
export interface Page<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

/** A block of the ledger: the records that were waiting, chained to the block before it. */
export interface LedgerBlockRecord {
  readonly account: AccountId
  readonly region: Region
  /** The environment that wrote it; a shard is one chain. */
  readonly shard: string
  /** 1, 2, 3, … within the shard. */
  readonly sequence: number
  /** Milliseconds since the epoch, growing within a shard. */
  readonly writtenAt: number
  /** SHA-256 over the block before it; 32 zero bytes for the first. */
  readonly previousHash: Uint8Array
  readonly hash: Uint8Array
  readonly count: number
  /** The records: JSON texts, one to a line, UTF-8. */
  readonly records: Uint8Array
}

export interface BucketRecord {
  readonly account: AccountId
  readonly bucket: BucketName
  readonly region: Region
  /** The bucket policy's text; `null` when there is none. */
  readonly policy: string | null
  readonly settings: BucketSettings
  readonly createdAt: number
  readonly rev: number
}

/** What was set for a bucket; what was not set has no entry. */
export interface BucketSettings {
  readonly encryption?: BucketEncryption
  readonly tags?: Readonly<Record<string, string>>
  /** In the order in which they are tried. */
  readonly cors?: readonly CorsRule[]
  readonly publicAccessBlock?: PublicAccessBlock
  readonly objectOwnership?: 'BucketOwnerEnforced' | 'BucketOwnerPreferred' | 'ObjectWriter'
}

/** How objects are encrypted whose writes ask for nothing, and which ways of encryption are refused. */
export interface BucketEncryption {
  /** `null`: only blocking was set. */
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | null
  /** As it was given; `null`: the account's `alias/aws/s3`. */
  readonly keyId: string | null
  readonly bucketKey: boolean
  readonly blocksCustomerKeys: boolean
}

export interface CorsRule {
  readonly id: string | null
  readonly allowedOrigins: readonly string[]
  readonly allowedMethods: readonly string[]
  readonly allowedHeaders: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly maxAgeSeconds: number | null
}

export interface PublicAccessBlock {
  readonly blockPublicAcls: boolean
  readonly ignorePublicAcls: boolean
  readonly blockPublicPolicy: boolean
  readonly restrictPublicBuckets: boolean
}

/** How an object's key is wrapped. */
export type ObjectEncryption =
  | {
      readonly mode: 'SSE-S3'
      readonly tenantKeyVersion: number
      readonly wrappedObjectKey: Uint8Array
    }
  | {
      readonly mode: 'SSE-KMS'
      readonly keyArn: string
      /** The ciphertext blob of the data key that wraps the object key. */
      readonly dataKeyBlob: Uint8Array
      readonly encryptionContext: Readonly<Record<string, string>>
      /** Whether the data key is one that many objects of the bucket share. */
      readonly bucketKey: boolean
      readonly wrappedObjectKey: Uint8Array
    }
  | {
      readonly mode: 'DSSE-KMS'
      readonly keyArn: string
      readonly dataKeyBlob: Uint8Array
      readonly encryptionContext: Readonly<Record<string, string>>
      /** Of the inner layer, under the data key. */
      readonly wrappedObjectKey: Uint8Array
      readonly tenantKeyVersion: number
      /** Of the outer layer, under the tenant key. */
      readonly wrappedOuterKey: Uint8Array
    }
  | {
      readonly mode: 'SSE-C'
      /** 32 random bytes, from which and from the caller's key the wrapping key comes. */
      readonly customerKeySalt: Uint8Array
      /** 32 bytes that only the caller's key gives, and that do not tell it. */
      readonly customerKeyCommitment: Uint8Array
      readonly wrappedObjectKey: Uint8Array
    }

/** One written stream of segments: a whole object, or a part of one. */
export interface PartRecord {
  readonly partNumber: number
  /** Name in the backing store. */
  readonly blob: string
  /** 32 random bytes, fresh for every written stream. */
  readonly salt: Uint8Array
  readonly commitment: Uint8Array
  /** Bytes of plaintext. */
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Base64, by algorithm: `{ CRC32: 'AAAAAA==' }`. */
  readonly checksums: Readonly<Record<string, string>>
  readonly createdAt: number
}

export interface ObjectRecord {
  readonly account: AccountId
  readonly bucket: BucketName
  readonly key: string
  /** Random, new for every write of the name. */
  readonly versionId: string
  readonly size: number
  readonly etag: string
  readonly createdAt: number
  /** Content-Type and its like, by lower-case header name. */
  readonly systemMetadata: Readonly<Record<string, string>>
  /** What came as `x-amz-meta-…`, by lower-case name without the prefix. */
  readonly userMetadata: Readonly<Record<string, string>>
  readonly checksums: Readonly<Record<string, string>>
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE' | null
  readonly encryption: ObjectEncryption
  readonly parts: readonly PartRecord[]
  /** Whether it came as a multipart upload. */
  readonly multipart: boolean
  /** Tag over everything above, under a key derived from the object key. */
  readonly manifestTag: Uint8Array
  /** May be changed by who cannot open the object, so the tag above does not cover them. */
  readonly tags: Readonly<Record<string, string>>
  readonly rev: number
}

/** An object as listings show it: without its part table, which may be long. */
export type ObjectSummary = Omit<ObjectRecord, 'parts'>

export interface UploadRecord {
  readonly account: AccountId
  readonly bucket: BucketName
  readonly key: string
  readonly uploadId: string
  readonly createdAt: number
  readonly systemMetadata: Readonly<Record<string, string>>
  readonly userMetadata: Readonly<Record<string, string>>
  readonly checksumAlgorithm: string | null
  readonly checksumType: 'FULL_OBJECT' | 'COMPOSITE' | null
  readonly encryption: ObjectEncryption
  readonly tags: Readonly<Record<string, string>>
  /** What seals the object's record where its key is only the caller's. */
  readonly completion: {
    readonly tenantKeyVersion: number
    readonly wrappedManifestKey: Uint8Array
  } | null
  /** The version id that the object will have; what wraps the object key is bound to it. */
  readonly versionId: string
  /** Set when the upload was completed: what Complete answered, so that a retry gets the same. */
  readonly completedEtag: string | null
  /** Who is about to end it: nobody else may, for as long as that can take. */
  readonly fence: { readonly by: 'complete' | 'abort'; readonly since: number } | null
  readonly rev: number
}
