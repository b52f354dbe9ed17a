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
  readonly createdAt: number
  readonly status: 'Active' | 'Suspended'
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

export interface PrincipalRecord {
  readonly account: AccountId
  readonly principalId: PrincipalId
  readonly kind: 'User'
  readonly name: string
  /** `/` or `/division/team/`. */
  readonly path: string
  readonly policies: readonly PolicyDocument[]
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

export type KeySpec = 'SYMMETRIC_DEFAULT'
export type KeyUsage =
  | 'ENCRYPT_DECRYPT'
  | 'SIGN_VERIFY'
  | 'GENERATE_VERIFY_MAC'
  | 'KEY_AGREEMENT'
  | 'ENCAPSULATE_DECAPSULATE'
export type KeyOrigin = 'AWS_KMS' | 'EXTERNAL'

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
    | { readonly state: 'PendingImport'; readonly current: MaterialId | null }
  )

export interface MaterialRecord {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
  /** 1, 2, 3, …: the order in which a key's material came to be. */
  readonly number: number
  readonly materialId: MaterialId
  /** Wrapped by version `tenantKeyVersion` of the tenant key. */
  readonly wrapped: Uint8Array
  readonly tenantKeyVersion: number
  readonly createdAt: number
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
  readonly createdAt: number
  readonly rev: number
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
  /** The version id that the object will have; what wraps the object key is bound to it. */
  readonly versionId: string
  /** Set when the upload was completed: what Complete answered, so that a retry gets the same. */
  readonly completedEtag: string | null
  /** Who is about to end it: nobody else may, for as long as that can take. */
  readonly fence: { readonly by: 'complete' | 'abort'; readonly since: number } | null
  readonly rev: number
}
