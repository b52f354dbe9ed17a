/** A tenant's life: active, suspended, waiting for its deletion, deleted. */
import type { Clock } from '../clock.ts'
import { JsonError } from '../errors.ts'
import type { AccountId } from '../ids.ts'
import type { TenantRecord } from '../store/records.ts'
import { ConditionFailed, type TenantRepository } from '../store/repositories.ts'
import type { AccessKeys } from './access-keys.ts'
import { signStatement, statementOf } from './destruction.ts'
import type { TenantKeys } from './tenant-keys.ts'

export interface LifecycleServices {
  readonly tenants: TenantRepository
  readonly tenantKeys: TenantKeys
  readonly accessKeys: AccessKeys
  readonly clock: Clock
}

const ATTEMPTS = 5

/** @throws JsonError NoSuchEntityException */
export async function requireTenantOf(
  account: AccountId,
  { tenants }: Pick<LifecycleServices, 'tenants'>,
): Promise<TenantRecord> {
  const tenant = await tenants.get(account)
  if (tenant !== null) return tenant
  throw new JsonError('NoSuchEntityException', `There is no tenant ${account}.`)
}

/**
 * @param next - the tenant as it is to be; `null` when it is already. Throws when it cannot become that
 * @returns the tenant as it is then
 * @throws JsonError NoSuchEntityException, and what `next` throws; ConditionFailed
 */
export async function changeTenant(
  account: AccountId,
  services: Pick<LifecycleServices, 'tenants' | 'accessKeys'>,
  next: (tenant: TenantRecord) => TenantRecord | null,
): Promise<TenantRecord> {
  for (let attempt = 1; ; attempt++) {
    const present = await requireTenantOf(account, services)
    const changed = next(present)
    if (changed === null) return present
    const written = { ...changed, rev: present.rev + 1 }
    try {
      await services.tenants.update(written, present.rev)
      services.accessKeys.forgetTenant(account)
      return written
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === ATTEMPTS) throw error
    }
  }
}

/** @throws JsonError UnmodifiableEntityException for the operator tenant, and for deleted ones */
export function requireTeam(tenant: TenantRecord): void {
  if (tenant.kind === 'operator') {
    throw new JsonError('UnmodifiableEntityException', 'The operator tenant stays as it is.')
  }
  if (tenant.status === 'Deleted') {
    throw new JsonError('UnmodifiableEntityException', `Tenant ${tenant.account} is deleted.`)
  }
}

/**
 * Destroys what a tenant waits for losing. What is to be destroyed is written down first, then it is
 * destroyed, then that is stated; whoever finds it half done does the rest.
 * @returns whether the tenant was due, and is deleted now
 * @throws StoreUnavailable, HsmUnavailable, ConditionFailed when another run does the same
 */
export async function destroyIfDue(
  account: AccountId,
  { tenants, tenantKeys, accessKeys, clock }: LifecycleServices,
): Promise<boolean> {
  const due = await tenants.get(account)
  const now = clock.now()
  if (due?.status !== 'PendingDeletion' || (due.deletionDate ?? now + 1) > now) return false
  const versions = await tenants.keys(account)
  const statement = due.destruction ?? JSON.stringify(statementOf(due, versions, now))
  const announced = { ...due, destruction: statement, rev: due.rev + 1 }
  await tenants.update(announced, due.rev)
  for (const version of versions) await tenants.destroyKey(version)
  tenantKeys.forget(account)
  const signed = JSON.stringify(await signStatement(statement, tenantKeys))
  const deleted = {
    ...announced,
    status: 'Deleted' as const,
    deletionDate: null,
    destruction: signed,
  }
  await tenants.update({ ...deleted, rev: announced.rev + 1 }, announced.rev)
  accessKeys.forgetTenant(account)
  return true
}
