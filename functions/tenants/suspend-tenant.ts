import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { changeTenant, requireTeam } from '../../shared/tenants/lifecycle.ts'
import { type TenantView, tenantView } from './tenant-view.ts'

const request = structure({ AccountId: required(accountId) })
type SuspendTenantRequest = Input<typeof request>

export interface SuspendTenantResponse {
  readonly Tenant: TenantView
}

/** Lets nobody of a tenant sign in, and nobody use its keys, until it is resumed. For operators. */
export const suspendTenant: Operation<SuspendTenantRequest, SuspendTenantResponse> = {
  service: 'keyhold',
  name: 'SuspendTenant',
  input: request,
  readOnly: false,
  permissions: ({ AccountId }, call) =>
    operatorPermission('keyhold:SuspendTenant', AccountId, call),
  async run({ AccountId }, _keys, call) {
    const tenant = await changeTenant(accountOf(AccountId), lifecycleOf(call), (present) => {
      requireTeam(present)
      return present.status === 'Active' ? { ...present, status: 'Suspended' } : null
    })
    return { Tenant: tenantView(tenant) }
  },
  audit: { requestParameters: ({ AccountId }) => ({ accountId: AccountId }) },
}
