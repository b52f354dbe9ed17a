import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { type Input, integer, required, structure } from '../../shared/pipeline/shape.ts'
import { changeTenant, requireTeam } from '../../shared/tenants/lifecycle.ts'
import { type TenantView, tenantView } from './tenant-view.ts'

const request = structure({
  AccountId: required(accountId),
  PendingWindowInDays: integer({ min: 7, max: 30 }),
})
type DeleteTenantRequest = Input<typeof request>

export interface DeleteTenantResponse {
  readonly Tenant: TenantView
}

/** Suspends a tenant, and destroys all that it has when the waiting period is over. For operators. */
export const deleteTenant: Operation<DeleteTenantRequest, DeleteTenantResponse> = {
  service: 'keyhold',
  name: 'DeleteTenant',
  input: request,
  readOnly: false,
  permissions: ({ AccountId }, call) => operatorPermission('keyhold:DeleteTenant', AccountId, call),
  async run({ AccountId, PendingWindowInDays = DEFAULT_WINDOW_DAYS }, _keys, call) {
    const services = lifecycleOf(call)
    const deletionDate = services.clock.now() + PendingWindowInDays * DAY_MS
    const tenant = await changeTenant(accountOf(AccountId), services, (present) => {
      requireTeam(present)
      return present.status === 'PendingDeletion'
        ? null
        : { ...present, status: 'PendingDeletion', deletionDate }
    })
    return { Tenant: tenantView(tenant) }
  },
  audit: {
    requestParameters: ({ AccountId, PendingWindowInDays }) => ({
      accountId: AccountId,
      pendingWindowInDays: PendingWindowInDays,
    }),
  },
}

const DEFAULT_WINDOW_DAYS = 30
const DAY_MS = 86_400_000
