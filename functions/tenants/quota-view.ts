import type { Call } from '../../shared/pipeline/operation.ts'
import type { TenantRecord } from '../../shared/store/records.ts'

export interface QuotaView {
  readonly QuotaName: string
  /** Requests a second in the Region that is asked; absent: not limited. */
  readonly Value?: number
  /** Whether an operator set it for this tenant. */
  readonly Adjusted: boolean
}

export function quotaView(
  name: string,
  tenant: Pick<TenantRecord, 'quotas'>,
  { services, region }: Call,
): QuotaView {
  const rate = services.requestRates.rateOf(name, tenant, region)
  return {
    QuotaName: name,
    ...(rate === null ? {} : { Value: rate }),
    Adjusted: Object.hasOwn(tenant.quotas, name),
  }
}
