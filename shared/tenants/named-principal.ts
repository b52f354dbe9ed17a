/** Users, roles and sessions by their ARNs (IAM User Guide, "IAM identifiers"). */
import { type AccountId, PARTITION } from '../ids.ts'
import type { PrincipalRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { principalArn } from './principal.ts'

type Tenants = Pick<TenantRepository, 'principalByName' | 'roleByName'>

/**
 * The user or role that an ARN of an account names, or whose session it names.
 * @returns `null` when the account has none such
 */
export async function namedPrincipal(
  arn: string,
  account: AccountId,
  tenants: Tenants,
): Promise<{ readonly principal: PrincipalRecord; readonly session: string | null } | null> {
  const prefix = (service: string) => `arn:${PARTITION}:${service}::${account}:`
  if (arn.startsWith(`${prefix('sts')}assumed-role/`)) {
    const [, roleName = '', session = ''] = arn.slice(prefix('sts').length).split('/')
    const role = await tenants.roleByName(account, roleName)
    return role && { principal: role, session }
  }
  if (!arn.startsWith(prefix('iam'))) return null
  const name = arn.slice(arn.lastIndexOf('/') + 1)
  const principal = arn.startsWith(`${prefix('iam')}role/`)
    ? await tenants.roleByName(account, name)
    : await tenants.principalByName(account, name)
  return principal !== null && principalArn(principal) === arn ? { principal, session: null } : null
}
