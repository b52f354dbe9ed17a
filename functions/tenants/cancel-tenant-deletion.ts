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
type CancelTenantDeletionRequest = Input<typeof request>

export interface CancelTenantDeletionResponse {
  readonly Tenant: TenantView
}

/** Keeps a tenant that waits for its deletion; it stays suspended. For operators. */
export const cancelTenantDeletion: Operation<
  CancelTenantDeletionRequest,
  CancelTenantDeletionResponse
> = {
  service: 'keyhold',
  name: 'CancelTenantDeletion',
  input: request,
  readOnly: false,
  permissions: ({ AccountId }, call) =>
    operatorPermission('keyhold:CancelTenantDeletion', AccountId, call),
  async run({ AccountId }, _keys, call) {
    const tenant = await changeTenant(accountOf(AccountId), lifecycleOf(call), (present) => {
      requireTeam(present)
      // Once its destruction has begun, nothing of it can be kept.
      if (present.status !== 'PendingDeletion' || present.destruction !== null) {
        throw new JsonError('InvalidInputException', `Tenant ${AccountId} is not pending deletion.`)
      }
      return { ...present, status: 'Suspended', deletionDate: null }
    })
    return { Tenant: tenantView(tenant) }
  },
  audit: { requestParameters: ({ AccountId }) => ({ accountId: AccountId }) },
}
