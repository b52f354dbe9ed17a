/** Tenants and principals: who a tenant's access keys and sessions stand for. */
import { PARTITION } from '../ids.ts'
import type { PrincipalRecord, TenantRecord, UserRecord } from '../store/records.ts'

/**
 * `arn:aws:iam::111122223333:user/division/team/alice`, `…:role/Deploy`
 * Source: IAM User Guide, "IAM identifiers".
 */
export const principalArn = ({
  account,
  kind,
  path,
  name,
}: Pick<PrincipalRecord, 'account' | 'kind' | 'path' | 'name'>): string =>
  `arn:${PARTITION}:iam::${account}:${kind === 'User' ? 'user' : 'role'}${path}${name}`

/** A tenant as it begins: active, a team's, with the default quotas. */
export const freshTenant = (
  tenant: Pick<TenantRecord, 'account' | 'name' | 'createdAt'> & Partial<TenantRecord>,
): TenantRecord => ({
  kind: 'team',
  status: 'Active',
  deletionDate: null,
  quotas: {},
  destruction: null,
  rev: 1,
  ...tenant,
})

/** A user as it begins: at `/`, with nothing but what is given. */
export const freshUser = (
  user: Pick<UserRecord, 'account' | 'principalId' | 'name' | 'createdAt'> & Partial<UserRecord>,
): UserRecord => ({
  kind: 'User',
  path: '/',
  policies: [],
  attached: [],
  boundary: null,
  tags: [],
  sessionsValidFrom: 0,
  rev: 1,
  ...user,
})
