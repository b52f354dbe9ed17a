/**
 * Tenants, users and access keys that are to be there. Every step may have been done already, by an
 * earlier start that ended half-way or by one running beside this one, so each looks first and takes
 * what it finds.
 */
import type { Clock } from '../clock.ts'
import type { AccountId, PrincipalId } from '../ids.ts'
import type {
  AccessKeyRecord,
  PolicyDocument,
  PrincipalRecord,
  TenantRecord,
} from '../store/records.ts'
import { ConditionFailed, type TenantRepository } from '../store/repositories.ts'
import type { AccessKeys } from './access-keys.ts'
import { freshTenant, freshUser } from './principal.ts'
import type { TenantKeys } from './tenant-keys.ts'

export interface SetupServices {
  readonly tenants: TenantRepository
  readonly tenantKeys: TenantKeys
  readonly accessKeys: AccessKeys
  /** Dates what is made. */
  readonly clock: Clock
}

export interface WantedUser {
  readonly account: AccountId
  readonly name: string
  readonly policies: readonly PolicyDocument[]
  /** Of the user when it has to be made. */
  readonly principalId: PrincipalId
}

/** Source: AWS managed policies, "AdministratorAccess". */
export const ADMINISTRATOR_ACCESS: PolicyDocument = {
  name: 'AdministratorAccess',
  document: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  }),
}

/**
 * Sees to it that there is a tenant of that account, with its key. One that is there keeps its name.
 * @throws StoreUnavailable, HsmUnavailable
 */
export async function requireTenant(
  { tenants, tenantKeys, accessKeys, clock }: SetupServices,
  account: AccountId,
  name: string,
  kind: TenantRecord['kind'] = 'team',
): Promise<void> {
  if ((await tenants.get(account)) === null) {
    const createdAt = clock.now()
    await unlessThere(tenants.create(freshTenant({ account, name, kind, createdAt })))
    accessKeys.forgetTenant(account)
  }
  const versions = await tenants.keys(account)
  if (versions.length === 0) await unlessThere(tenantKeys.create(account))
}

/**
 * Sees to it that the tenant has a user of that name. One that is there keeps its policies.
 * @throws StoreUnavailable
 */
export async function requireUser(
  { tenants, clock }: SetupServices,
  { account, name, policies, principalId }: WantedUser,
): Promise<PrincipalRecord> {
  const known = await tenants.principalByName(account, name)
  if (known !== null) return known
  const user = freshUser({ account, principalId, name, policies, createdAt: clock.now() })
  await unlessThere(tenants.createPrincipal(user))
  // Whoever came first has made it, perhaps somebody else.
  const made = await tenants.principalByName(account, name)
  if (made === null) throw new Error(`The user ${name} of ${account} cannot be made.`)
  return made
}

/** @returns the secret of an access key, as a text. @throws Error when it does not open */
export async function storedSecret(
  accessKeys: AccessKeys,
  known: AccessKeyRecord,
): Promise<string> {
  const secret = await accessKeys.reveal(known)
  const text = secret.toString()
  secret.fill(0)
  return text
}

/** @throws whatever is thrown, except that the thing is there already */
async function unlessThere(write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
}
