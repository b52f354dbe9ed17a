import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { requestQuotas } from '../../shared/pipeline/request-quotas.ts'
import { type Input, required, structure } from '../../shared/pipeline/shape.ts'
import { requireTenantOf } from '../../shared/tenants/lifecycle.ts'
import { type QuotaView, quotaView } from './quota-view.ts'

const request = structure({ AccountId: required(accountId) })
type ListTenantQuotasRequest = Input<typeof request>

export interface ListTenantQuotasResponse {
  readonly Quotas: readonly QuotaView[]
}

/** All quotas of a tenant in the Region that is asked. For operators. */
export const listTenantQuotas: Operation<ListTenantQuotasRequest, ListTenantQuotasResponse> = {
  service: 'keyhold',
  name: 'ListTenantQuotas',
  input: request,
  readOnly: true,
  permissions: ({ AccountId }, call) =>
    operatorPermission('keyhold:ListTenantQuotas', AccountId, call),
  async run({ AccountId }, _keys, call) {
    const tenant = await requireTenantOf(accountOf(AccountId), lifecycleOf(call))
    return { Quotas: requestQuotas.map((name) => quotaView(name, tenant, call)) }
  },
  audit: { requestParameters: ({ AccountId }) => ({ accountId: AccountId }) },
}
