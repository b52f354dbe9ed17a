import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { requireTenantOf } from '../../shared/tenants/lifecycle.ts'
import { type TenantView, tenantView } from './tenant-view.ts'

const request = structure({ AccountId: required(accountId) })
type DescribeTenantRequest = Input<typeof request>

export interface DescribeTenantResponse {
  readonly Tenant: TenantView
}

/** A tenant as it is, and of a deleted one what was destroyed. For operators. */
export const describeTenant: Operation<DescribeTenantRequest, DescribeTenantResponse> = {
  service: 'keyhold',
  name: 'DescribeTenant',
  input: request,
  readOnly: true,
  permissions: ({ AccountId }, call) =>
    operatorPermission('keyhold:DescribeTenant', AccountId, call),
  async run({ AccountId }, _keys, call) {
    return { Tenant: tenantView(await requireTenantOf(accountOf(AccountId), lifecycleOf(call))) }
  },
  audit: { requestParameters: ({ AccountId }) => ({ accountId: AccountId }) },
}
