import { JsonError } from '../../shared/errors.ts'
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
type ResumeTenantRequest = Input<typeof request>

export interface ResumeTenantResponse {
  readonly Tenant: TenantView
}

/** Lets a suspended tenant go on. For operators. */
export const resumeTenant: Operation<ResumeTenantRequest, ResumeTenantResponse> = {
  service: 'keyhold',
  name: 'ResumeTenant',
  input: request,
  readOnly: false,
  permissions: ({ AccountId }, call) => operatorPermission('keyhold:ResumeTenant', AccountId, call),
  async run({ AccountId }, _keys, call) {
    const tenant = await changeTenant(accountOf(AccountId), lifecycleOf(call), (present) => {
      requireTeam(present)
      if (present.status === 'PendingDeletion') {
        throw new JsonError('InvalidInputException', `Tenant ${AccountId} is pending deletion.`)
      }
      return present.status === 'Suspended' ? { ...present, status: 'Active' } : null
    })
    return { Tenant: tenantView(tenant) }
  },
  audit: { requestParameters: ({ AccountId }) => ({ accountId: AccountId }) },
}
