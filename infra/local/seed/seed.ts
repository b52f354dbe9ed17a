/** What a seed names, once every value of it was found to be good. `at` says where in the file. */
import type {
  AccessKeyId,
  AccountId,
  AliasName,
  BucketName,
  KeyId,
  Region,
} from '../../../shared/ids.ts'
import type {
  GrantConstraints,
  GrantOperation,
  KeySpec,
  KeyUsage,
  PolicyDocument,
  Tag,
} from '../../../shared/store/records.ts'
import type { SourceValue } from './source.ts'

export interface Seed {
  readonly tenants: readonly SeedTenant[]
}

export interface SeedTenant {
  readonly at: SourceValue
  readonly account: AccountId
  readonly name: string
  readonly users: readonly SeedUser[]
  readonly keys: readonly SeedKey[]
  readonly aliases: readonly SeedAlias[]
  readonly grants: readonly SeedGrant[]
  readonly buckets: readonly SeedBucket[]
}

export interface SeedUser {
  readonly at: SourceValue
  readonly name: string
  readonly administrator: boolean
  readonly policies: readonly PolicyDocument[]
  readonly accessKey: { readonly id: AccessKeyId; readonly secret: string } | null
}

export interface SeedKey {
  readonly at: SourceValue
  readonly region: Region
  readonly keyId: KeyId
  readonly keySpec: KeySpec
  readonly keyUsage: KeyUsage
  readonly origin: 'AWS_KMS' | 'EXTERNAL'
  readonly description: string
  /**
   * As the key spec stores it, oldest first; the last is the current one. None: made at random, or
   * still to be imported.
   */
  readonly materials: readonly Buffer[]
  /** `null`: the default key policy. */
  readonly policy: { readonly at: SourceValue; readonly document: string } | null
  readonly tags: readonly Tag[]
  /** When the key rotates next, in milliseconds since the epoch; `null`: it does not by itself. */
  readonly nextRotation: number | null
}

export interface SeedAlias {
  readonly at: SourceValue
  readonly region: Region
  readonly name: AliasName
  readonly keyId: KeyId
}

export interface SeedGrant {
  readonly at: SourceValue
  readonly key: SeedKey
  readonly name: string
  /** As CreateGrant takes it: an ARN, an account id. */
  readonly grantee: string
  readonly retiring: string | null
  readonly operations: readonly GrantOperation[]
  readonly constraints: GrantConstraints | null
}

export interface SeedBucket {
  readonly at: SourceValue
  readonly name: BucketName
  readonly region: Region
}

/** What the seed is read for. */
export interface SeedTerms {
  /** That are served; the first is where keys and buckets are that name none. */
  readonly regions: readonly [Region, ...Region[]]
  /** Of the tenant that a file without tenants is about. */
  readonly account: AccountId | undefined
}
