/** What the rooms above ask of the store. Each method says what it gives and when it refuses. */
import type {
  AccessKeyId,
  AccountId,
  AliasName,
  BucketName,
  GrantId,
  KeyId,
  PrincipalId,
  Region,
} from '../ids.ts'
import type {
  AccessKeyRecord,
  AliasRecord,
  BucketRecord,
  CustomKeyStoresRecord,
  GrantRecord,
  KeyBundle,
  KeyPolicyRecord,
  KeyRecord,
  LastUsageRecord,
  LedgerBlockRecord,
  ManagedPolicyRecord,
  MaterialRecord,
  NewKey,
  ObjectRecord,
  ObjectSummary,
  Page,
  PartRecord,
  PrincipalRecord,
  RelatedKeysRecord,
  RoleRecord,
  RotationRecord,
  TenantKeyRecord,
  TenantRecord,
  UploadRecord,
} from './records.ts'

/** The condition of a write did not hold: the thing exists already, or was changed in between. */
export class ConditionFailed extends Error {
  override readonly name = 'ConditionFailed'
}

/** DynamoDB did not answer, was throttled or failed (`cause`): trying again may help. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'
}

/** A row that lies under another key than the one that it was written for. */
export class RowMisplaced extends Error {
  override readonly name = 'RowMisplaced'
}

/** A row that has not the form of its kind: an attribute is missing or of another type. */
export class RowMalformed extends Error {
  override readonly name = 'RowMalformed'
}

export interface TenantRepository {
  get(account: AccountId): Promise<TenantRecord | null>
  /** @throws ConditionFailed when the tenant exists */
  create(tenant: TenantRecord): Promise<void>
  list(): Promise<readonly TenantRecord[]>
  /** Every version, oldest first. Strongly consistent. */
  keys(account: AccountId): Promise<readonly TenantKeyRecord[]>
  /** @throws ConditionFailed when the version exists */
  addKey(key: TenantKeyRecord): Promise<void>
  /** For good: the table of tenants has no backup. */
  destroyKey(key: TenantKeyRecord): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another than the one that was read */
  update(tenant: TenantRecord, rev: number): Promise<void>
  principal(account: AccountId, principalId: PrincipalId): Promise<PrincipalRecord | null>
  /** A user, by its exact name. */
  principalByName(account: AccountId, name: string): Promise<PrincipalRecord | null>
  /** A role, by its exact name. */
  roleByName(account: AccountId, name: string): Promise<RoleRecord | null>
  /**
   * @throws ConditionFailed when a principal of that id exists, or one of its kind whose name differs
   *   in case at most
   */
  createPrincipal(principal: PrincipalRecord): Promise<void>
  /** Its name, kind and id stay. @throws ConditionFailed when the stored `rev` is another */
  updatePrincipal(principal: PrincipalRecord, rev: number): Promise<void>
  /** The principal first, then its name. @throws ConditionFailed when it was changed meanwhile */
  deletePrincipal(principal: PrincipalRecord): Promise<void>
  /** By name, in lower case. */
  principals(
    account: AccountId,
    kind: PrincipalRecord['kind'],
    limit: number,
    after: string | null,
  ): Promise<Page<PrincipalRecord>>
  /** By its exact name. */
  managedPolicy(account: AccountId, name: string): Promise<ManagedPolicyRecord | null>
  /** @throws ConditionFailed when there is one whose name differs in case at most */
  createManagedPolicy(policy: ManagedPolicyRecord): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  updateManagedPolicy(policy: ManagedPolicyRecord, rev: number): Promise<void>
  /** @throws ConditionFailed when it was changed meanwhile */
  deleteManagedPolicy(policy: ManagedPolicyRecord): Promise<void>
  managedPolicies(
    account: AccountId,
    limit: number,
    after: string | null,
  ): Promise<Page<ManagedPolicyRecord>>
  accessKey(accessKeyId: AccessKeyId): Promise<AccessKeyRecord | null>
  /** Writes the access key, in place of one with the same id. */
  putAccessKey(accessKey: AccessKeyRecord): Promise<void>
  /** Of a principal, by id. */
  accessKeys(account: AccountId, principalId: PrincipalId): Promise<readonly AccessKeyRecord[]>
  deleteAccessKey(accessKey: AccessKeyRecord): Promise<void>
}

export interface KeyRepository {
  /** One strongly consistent query: the key, its policy and its material; `null` when there is none. */
  get(account: AccountId, region: Region, keyId: KeyId): Promise<KeyBundle | null>
  /** Material first, then policy, then the key itself, which makes it exist. @throws ConditionFailed when the key exists */
  create(key: NewKey): Promise<void>
  /**
   * As `create`, but the key is not listed until it is changed for the first time; when that does not
   * happen, `unfinished` finds it from `abandonedAt` on, in milliseconds since the epoch.
   */
  createDraft(key: NewKey, abandonedAt: number): Promise<void>
  /**
   * Puts one version of a key's material in place of the one of revision `rev`; `null`: there must
   * be none of that number. @throws ConditionFailed
   */
  putMaterial(next: MaterialRecord, rev: number | null): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  deleteMaterial(material: MaterialRecord): Promise<void>
  /** Imported material whose time is over, over all tenants; from an index, so read each again. */
  dueForExpiry(now: number, limit: number): Promise<readonly MaterialRecord[]>
  /** When the next work of any kind on any key is due, in milliseconds since the epoch. */
  nextDue(): Promise<number | null>
  /** Replaces the key's metadata. `next.rev` must be `rev + 1`. @throws ConditionFailed when the stored `rev` is another */
  update(next: KeyRecord, rev: number): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  putPolicy(key: KeyRecord, next: KeyPolicyRecord, rev: number): Promise<void>
  /** Key ids of an account in a Region, in a stable order. `after` is the last id of the page before. */
  list(
    account: AccountId,
    region: Region,
    limit: number,
    after: string | null,
  ): Promise<Page<KeyId>>
  /** Keys whose deletion date has come, over all tenants; from an index, so read each again before acting. */
  dueForDeletion(now: number, limit: number): Promise<readonly KeyRecord[]>
  /**
   * Marks the key as gone, for good, then removes its policy, material and grants, and the key itself last.
   * Cut short after the mark, `dueForDeletion` finishes it; that of a multi-Region key is `unfinished`.
   * @param leave - called before the key itself goes, when nothing else of it is left; it can ask
   *   whether the key is still the one that is marked
   * @throws ConditionFailed when the stored `rev` is another
   */
  delete(key: KeyRecord, leave?: LeaveSet): Promise<void>
  /** Takes a deletion to its end that was cut short. @param key - from `unfinished` */
  finishDelete(key: KeyRecord, leave: LeaveSet): Promise<void>
  /** Multi-Region keys that somebody began to make, or to delete, and did not come to an end with. */
  unfinished(now: number, limit: number): Promise<readonly UnfinishedKey[]>
  /** What lies under a name now; `remove` takes away that alone, and nothing that is put there later. */
  leftovers(name: KeyName): Promise<{ remove(): Promise<void> }>
}

/** What is to be done when a key is all but gone. @param isStill - whether its mark is still there */
export type LeaveSet = (isStill: () => Promise<boolean>) => Promise<void>

export interface UnfinishedKey {
  readonly key: KeyRecord
  readonly is: 'draft' | 'being deleted'
}

/** What multi-Region keys of one set share. */
export interface RelatedKeysRepository {
  /** Strongly consistent. */
  get(account: AccountId, keyId: KeyId): Promise<RelatedKeysRecord | null>
  /**
   * Puts the set in place of the one of revision `rev`; `null`: there must be none.
   * @throws ConditionFailed
   */
  put(next: RelatedKeysRecord, rev: number | null): Promise<void>
  /** With its rotation. @throws ConditionFailed when the stored `rev` is another */
  delete(related: RelatedKeysRecord): Promise<void>
}

export interface RotationRepository {
  /**
   * Puts the rotation of a key (of its set, when it is a multi-Region key; then the Region is the
   * primary's) in place of the one of revision `rev`; `null`: there must be none.
   * @throws ConditionFailed
   */
  put(key: KeyRecord, next: RotationRecord, rev: number | null): Promise<void>
  /** Keys whose rotation is to be looked at, over all tenants; from an index, so read each again. */
  due(now: number, limit: number): Promise<readonly KeyName[]>
}

/** All custom key stores of an account in a Region lie in one item, so that one write decides what is unique. */
export interface CustomKeyStoreRepository {
  /** Strongly consistent; `null` when there never was one. */
  get(account: AccountId, region: Region): Promise<CustomKeyStoresRecord | null>
  /**
   * Puts them in place of those of revision `rev`; `null`: there must be none.
   * @throws ConditionFailed
   */
  put(next: CustomKeyStoresRecord, rev: number | null): Promise<void>
}

export interface KeyUsageRepository {
  /** Keeps the newer of the stored use and this one. */
  put(key: KeyName, usage: LastUsageRecord): Promise<void>
}

/** What names a key in the store. */
export interface KeyName {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
}

export interface AliasRepository {
  /** Strongly consistent. */
  get(account: AccountId, region: Region, aliasName: AliasName): Promise<AliasRecord | null>
  /** @throws ConditionFailed when the alias exists */
  create(alias: AliasRecord): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  update(next: AliasRecord, rev: number): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  delete(alias: AliasRecord): Promise<void>
  /** By alias name. `after` is the last alias name of the page before. */
  list(
    account: AccountId,
    region: Region,
    limit: number,
    after: string | null,
  ): Promise<Page<AliasRecord>>
  listOfKey(
    account: AccountId,
    region: Region,
    keyId: KeyId,
    limit: number,
    after: string | null,
  ): Promise<Page<AliasRecord>>
}

export interface GrantRepository {
  /** Strongly consistent. */
  get(key: KeyName, grantId: GrantId): Promise<GrantRecord | null>
  /** All grants on the key for this grantee (as in `GrantRecord`). Strongly consistent. */
  ofGrantee(key: KeyName, grantee: string): Promise<readonly GrantRecord[]>
  /** @throws ConditionFailed when the key has a grant of that id */
  create(grant: GrantRecord): Promise<void>
  /** Whether or not it is still there. */
  delete(grant: GrantRecord): Promise<void>
  /**
   * By grant id; only those of `grantee` unless it is `null`. `after` is the last grant id of the
   * page before.
   */
  list(
    key: KeyName,
    grantee: string | null,
    limit: number,
    after: string | null,
  ): Promise<Page<GrantRecord>>
  /**
   * The grants in a Region that this principal may retire, by account and key. From an index, each
   * read again, so that a page may have fewer items than asked for although another follows.
   * @param owner - the account that the principal belongs to; a service's grants are listed by the
   *   account of their keys
   */
  listRetirable(
    owner: AccountId,
    region: Region,
    retiring: string,
    limit: number,
    after: string | null,
  ): Promise<Page<GrantRecord>>
  /** How many grants the key has. */
  count(key: KeyName): Promise<number>
}

export interface LedgerRepository {
  /** @throws ConditionFailed when the shard already has a block of that time and sequence number */
  append(block: LedgerBlockRecord): Promise<void>
  /** The days (`2026-11-23`) that have blocks, newest first. */
  days(account: AccountId, region: Region): Promise<readonly string[]>
  /**
   * Blocks of one day in the order they were written, or newest first. `after` is the `next` of the
   * page before.
   */
  blocks(
    account: AccountId,
    region: Region,
    day: string,
    options: {
      readonly newestFirst: boolean
      readonly limit: number
      readonly after: string | null
    },
  ): Promise<Page<LedgerBlockRecord>>
  /** Where the local relay stands; deployed, the table's stream keeps this. */
  relayPosition(
    account: AccountId,
    region: Region,
  ): Promise<{ day: string; after: string | null } | null>
  putRelayPosition(
    account: AccountId,
    region: Region,
    position: { day: string; after: string | null },
  ): Promise<void>
}

export interface BucketRepository {
  /** Strongly consistent. Bucket names are a tenant's own: two tenants may each have a `ledger`. */
  get(account: AccountId, bucket: BucketName): Promise<BucketRecord | null>
  /** @throws ConditionFailed when the tenant has a bucket of that name */
  create(bucket: BucketRecord): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another than the one that was read */
  update(bucket: BucketRecord, rev: number): Promise<void>
  /** The caller has seen that it is empty. @throws ConditionFailed when the stored `rev` is another */
  delete(bucket: BucketRecord): Promise<void>
  list(account: AccountId, limit: number, after: string | null): Promise<Page<BucketRecord>>
}

export interface ObjectRepository {
  /** Strongly consistent. */
  get(account: AccountId, bucket: BucketName, key: string): Promise<ObjectRecord | null>
  /**
   * The one commit point of a write: puts the object in place of the one that was read.
   * @param replaces - `rev` of the object that it replaces; `null`: there must be none; `undefined`: whatever is there
   * @returns the record that was there before, for its blobs to be removed; `null` when there was none,
   *   when it was the same version, or when the answer that told of it was lost (its blobs are orphans then)
   * @throws ConditionFailed when what is there is not what `replaces` says
   */
  put(object: ObjectRecord, replaces?: number | null): Promise<ObjectRecord | null>
  /** @returns the record that was removed, `null` when there was none. @throws ConditionFailed as `put` */
  delete(
    account: AccountId,
    bucket: BucketName,
    key: string,
    rev?: number,
  ): Promise<ObjectRecord | null>
  /** Names in UTF-8 byte order, those after `after` (exclusive) and beginning with `prefix`. */
  list(
    account: AccountId,
    bucket: BucketName,
    options: { readonly prefix: string; readonly after: string | null; readonly limit: number },
  ): Promise<Page<ObjectSummary>>
  /**
   * Names of all blobs of the objects after `after` (exclusive), by object, strongly consistent. An
   * object that is replaced meanwhile is told as it was or as it is.
   */
  listBlobs(
    account: AccountId,
    bucket: BucketName,
    objects: number,
    after: string | null,
  ): Promise<Page<string>>
  /**
   * The objects of an account under a KMS key, of all its buckets. From an index, each read again, so
   * that a page may have fewer items than asked for although another follows; what was written a
   * moment ago may be missing.
   * @param after - `next` of the page before
   */
  listByKey(
    account: AccountId,
    keyArn: string,
    limit: number,
    after: string | null,
  ): Promise<Page<ObjectSummary>>
}

export interface UploadRepository {
  get(account: AccountId, bucket: BucketName, uploadId: string): Promise<UploadRecord | null>
  /** @throws ConditionFailed when it exists */
  create(upload: UploadRecord): Promise<void>
  /** @throws ConditionFailed when the stored `rev` is another */
  update(next: UploadRecord, rev: number): Promise<void>
  /** Removes the upload and the records of its parts. */
  delete(upload: UploadRecord): Promise<void>
  /** Records a part in place of one of the same number. @returns the part that was there before */
  putPart(upload: UploadRecord, part: PartRecord): Promise<PartRecord | null>
  /** By part number, strongly consistent. */
  parts(upload: UploadRecord): Promise<readonly PartRecord[]>
  /** By key, then by upload id. */
  list(account: AccountId, bucket: BucketName): Promise<readonly UploadRecord[]>
}

/** All repositories over one client. */
export interface Store {
  readonly tenants: TenantRepository
  readonly keys: KeyRepository
  readonly relatedKeys: RelatedKeysRepository
  readonly rotations: RotationRepository
  readonly keyUsage: KeyUsageRepository
  readonly customKeyStores: CustomKeyStoreRepository
  readonly aliases: AliasRepository
  readonly grants: GrantRepository
  readonly ledger: LedgerRepository
  readonly buckets: BucketRepository
  readonly objects: ObjectRepository
  readonly uploads: UploadRepository
}
