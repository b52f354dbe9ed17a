/**
 * Destroys tenants whose waiting period is over: all versions of their keys, and with them everything
 * that they had. Run by a schedule; a run that was cut short is taken up by the next.
 */
import { environment } from '../../shared/lambda/environment.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import { destroyIfDue } from '../../shared/tenants/lifecycle.ts'

/** @returns how many tenants were destroyed */
export async function deleteDueTenants(services: Services): Promise<number> {
  const { store, tenantKeys, accessKeys, clock } = services
  const lifecycle = { tenants: store.tenants, tenantKeys, accessKeys, clock }
  let deleted = 0
  for (const { account, status } of await store.tenants.list()) {
    if (status !== 'PendingDeletion') continue
    try {
      if (await destroyIfDue(account, lifecycle)) deleted += 1
    } catch (error) {
      logFailure('DeleteTenant', account, error)
    }
  }
  return deleted
}

export const handler = async (): Promise<{ readonly deleted: number }> => ({
  deleted: await deleteDueTenants((await environment()).services),
})
