/**
 * Users and roles in policies: by their stable ids where a policy is kept, so that whoever is made anew
 * under an old name is not who was meant, and by their ARNs where it is shown. Who is gone shows as the
 * id (IAM User Guide, "AWS JSON policy elements: Principal"). Those of other accounts keep their ARNs.
 */

import { sessionArn } from '../authn/caller.ts'
import { renamePrincipals } from '../authz/default-key-policy.ts'
import { compilePolicy, type PolicyKind } from '../authz/policy.ts'
import { type AccountId, principalIdOf } from '../ids.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { namedPrincipal } from '../tenants/named-principal.ts'
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
