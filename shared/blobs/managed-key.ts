/**
 * The key that encrypts an account's objects where a write asks for KMS and names no key:
 * `alias/aws/s3`, made at first use (AWS KMS Developer Guide, "AWS managed keys"). Nobody but S3 can
 * use it, for callers of the account in the Region. It rotates every year, and nobody can change that.
 */
import type { Clock } from '../clock.ts'
import { type AccountId, aliasArn, aliasNameOf, PARTITION, type Region } from '../ids.ts'
import { createKey } from '../keys/key-creation.ts'
import { newKeyId } from '../keys/key-id.ts'
import type { Keys } from '../keys/keys.ts'
import { DEFAULT_PERIOD_DAYS, NEVER_ROTATED, nextPeriod, putRotation } from '../keys/rotation.ts'
import type { KeyRecord } from '../store/records.ts'
import { ConditionFailed, type Store } from '../store/repositories.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'

const MANAGED_ALIAS = aliasNameOf('alias/aws/s3')
const DESCRIPTION = 'Default key that protects my S3 objects when no other key is defined'

export interface ManagedKeyServices {
  readonly clock: Clock
  readonly store: Pick<Store, 'keys' | 'relatedKeys' | 'aliases' | 'rotations'>
  readonly keys: Keys
  readonly tenantKeys: TenantKeys
}

/** Whether a request names the managed key by its alias. */
export const isManagedAlias = (keyId: string, account: AccountId, region: Region): boolean =>
  keyId === MANAGED_ALIAS || keyId === aliasArn(region, account, MANAGED_ALIAS)

/**
 * Makes sure that the alias leads to a key.
 *
 * The alias decides: its conditional write succeeds once. Of two first users at the same time, the
 * one that comes second takes the other's key and removes the one that it had made.
 * @returns the alias name
 */
export async function ensureManagedKey(
  account: AccountId,
  region: Region,
  services: ManagedKeyServices,
): Promise<string> {
  const reference = { by: 'alias', account, aliasName: MANAGED_ALIAS } as const
  const found = await services.keys.find(reference, region, false)
  if (found === null) await createManagedKey(account, region, services)
  return MANAGED_ALIAS
}

async function createManagedKey(
  account: AccountId,
  region: Region,
  services: ManagedKeyServices,
): Promise<void> {
  const { store, keys } = services
  const key = await createOwnKey(account, region, services)
  const { createdAt } = key
  const place = { account, region, aliasName: MANAGED_ALIAS, targetKeyId: key.keyId }
  const alias = { ...place, createdAt, updatedAt: createdAt, rev: 1 }
  try {
    await store.aliases.create(alias)
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    await store.keys.delete(key)
  } finally {
    keys.forgetAlias(alias)
  }
}

async function createOwnKey(
  account: AccountId,
  region: Region,
  services: ManagedKeyServices,
): Promise<KeyRecord> {
  const { key } = await createKey(
    {
      account,
      region,
      keyId: newKeyId(false),
      description: DESCRIPTION,
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
      manager: 'AWS',
      multiRegion: false,
      tags: [],
      policy: managedKeyPolicy(account, region),
    },
    services,
  )
  const automatic = nextPeriod(DEFAULT_PERIOD_DAYS, key.createdAt)
  await putRotation(key, null, { ...NEVER_ROTATED, automatic }, automatic.nextDate, services)
  return key
}

/** The policy of `aws/s3` (AWS KMS Developer Guide, "AWS managed keys", "Key policies"). */
const managedKeyPolicy = (account: AccountId, region: Region): string => `{
  "Version" : "2012-10-17",
  "Id" : "auto-s3-2",
  "Statement" : [ {
    "Sid" : "Allow access through S3 for all principals in the account that are authorized to use S3",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "*"
    },
    "Action" : [ "kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey" ],
    "Resource" : "*",
    "Condition" : {
      "StringEquals" : {
        "kms:CallerAccount" : "${account}",
        "kms:ViaService" : "s3.${region}.amazonaws.com"
      }
    }
  }, {
    "Sid" : "Allow direct access to key metadata to the account",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:${PARTITION}:iam::${account}:root"
    },
    "Action" : [ "kms:Describe*", "kms:Get*", "kms:List*", "kms:RevokeGrant" ],
    "Resource" : "*"
  } ]
}`
