import type { Operation } from '../../shared/pipeline/operation.ts'
import {
  accountId,
  accountOf,
  lifecycleOf,
  operatorPermission,
} from '../../shared/pipeline/operators.ts'
import { requestQuotas } from '../../shared/pipeline/request-quotas.ts'
import { type Input, integer, oneOf, required, structure } from '../../shared/pipeline/shape.ts'
import { changeTenant, requireTeam } from '../../shared/tenants/lifecycle.ts'
import { type QuotaView, quotaView } from './quota-view.ts'

/** More than one process serves. */
const MAX_RATE = 1_000_000

const request = structure({
  AccountId: required(accountId),
  QuotaName: required(oneOf(requestQuotas)),
  Value: integer({ min: 0, max: MAX_RATE }),
})
type PutTenantQuotaRequest = Input<typeof request>

export interface PutTenantQuotaResponse {
  readonly Quota: QuotaView
}

/**
 * Sets how many requests a second a tenant may make in each Region; without a value, its default
 * holds again. For operators.
 */
export const putTenantQuota: Operation<PutTenantQuotaRequest, PutTenantQuotaResponse> = {
  service: 'keyhold',
  name: 'PutTenantQuota',
  input: request,
  readOnly: false,
  permissions: ({ AccountId }, call) =>
    operatorPermission('keyhold:PutTenantQuota', AccountId, call),
  async run({ AccountId, QuotaName, Value }, _keys, call) {
    const tenant = await changeTenant(accountOf(AccountId), lifecycleOf(call), (present) => {
      requireTeam(present)
      const { [QuotaName]: before, ...others } = present.quotas
      if (before === Value) return null
      return {
        ...present,
        quotas: Value === undefined ? others : { ...others, [QuotaName]: Value },
      }
    })
    return { Quota: quotaView(QuotaName, tenant, call) }
  },
  audit: {
    requestParameters: ({ AccountId, QuotaName, Value }) => ({
      accountId: AccountId,
      quotaName: QuotaName,
      ...(Value === undefined ? {} : { value: Value }),
    }),
  },
}
