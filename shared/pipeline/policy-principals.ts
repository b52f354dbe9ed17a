/**
 * Users and roles in policies: by their stable ids where a policy is kept, so that whoever is made anew
 * under an old name is not who was meant, and by their ARNs where it is shown. Who is gone shows as the
 * id (IAM User Guide, "AWS JSON policy elements: Principal"). Those of other accounts keep their ARNs.
 */

import { sessionArn } from '../authn/caller.ts'
import { renamePrincipals } from '../authz/default-key-policy.ts'
import { compilePolicy, type PolicyKind } from '../authz/policy.ts'
import { type AccountId, PARTITION, principalIdOf } from '../ids.ts'
import type { PrincipalRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { principalArn } from '../tenants/principal.ts'

type Tenants = Pick<TenantRepository, 'principal' | 'principalByName' | 'roleByName'>

const STABLE_ID = /^(A(?:IDA|ROA)[A-Z0-9]+)(?::(.+))?$/

/** @param text - of a policy that was accepted. @returns the text to keep */
export const keptPolicy = (text: string, kind: PolicyKind, account: AccountId, tenants: Tenants) =>
  renamed(text, kind, (principal) => stableId(principal, account, tenants))

/** @param text - as it is kept. @returns the text to show */
export const shownPolicy = (text: string, kind: PolicyKind, account: AccountId, tenants: Tenants) =>
  renamed(text, kind, (principal) => arnOf(principal, account, tenants))

async function renamed(
  text: string,
  kind: PolicyKind,
  lookUp: (principal: string) => Promise<string | null>,
): Promise<string> {
  const names = new Map<string, string>()
  for (const principal of compilePolicy(text, kind).principals) {
    const other = await lookUp(principal)
    if (other !== null) names.set(principal, other)
  }
  return names.size === 0
    ? text
    : renamePrincipals(text, (principal) => names.get(principal) ?? principal)
}

async function stableId(arn: string, account: AccountId, tenants: Tenants): Promise<string | null> {
  const found = await namedPrincipal(arn, account, tenants)
  if (found === null) return null
  const { principal, session } = found
  return session === null ? principal.principalId : `${principal.principalId}:${session}`
}

async function arnOf(id: string, account: AccountId, tenants: Tenants): Promise<string | null> {
  const [, principalId, session] = STABLE_ID.exec(id) ?? []
  if (principalId === undefined) return null
  const principal = await tenants.principal(account, principalIdOf(principalId))
  if (principal === null) return null
  return session === undefined
    ? principalArn(principal)
    : sessionArn(account, principal.name, session)
}

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
