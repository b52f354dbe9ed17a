import type { TenantRecord } from '../../shared/store/records.ts'
import type { SignedStatement } from '../../shared/tenants/destruction.ts'

/** A tenant as operators see it. Dates are seconds since the epoch. */
export interface TenantView {
  readonly AccountId: string
  readonly Name: string
  readonly Kind: 'team' | 'operator'
  readonly Status: TenantRecord['status']
  readonly CreateDate: number
  /** While it waits for its deletion. */
  readonly DeletionDate?: number
  /** Of a deleted tenant: what was destroyed. */
  readonly Destruction?: SignedStatement
}

export const tenantView = (tenant: TenantRecord): TenantView => ({
  AccountId: tenant.account,
  Name: tenant.name,
  Kind: tenant.kind,
  Status: tenant.status,
  CreateDate: tenant.createdAt / 1000,
  ...(tenant.deletionDate === null ? {} : { DeletionDate: tenant.deletionDate / 1000 }),
  ...(tenant.status === 'Deleted' && tenant.destruction !== null
    ? { Destruction: JSON.parse(tenant.destruction) as SignedStatement }
    : {}),
})
