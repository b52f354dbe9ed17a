import type { Operation } from '../../shared/pipeline/operation.ts'
import { operatorPermission } from '../../shared/pipeline/operators.ts'
import { structure } from '../../shared/pipeline/shape.ts'
import { type TenantView, tenantView } from './tenant-view.ts'

const request = structure({})

export interface ListTenantsResponse {
  readonly Tenants: readonly TenantView[]
}

/** All tenants, by account id. For operators. */
export const listTenants: Operation<object, ListTenantsResponse> = {
  service: 'keyhold',
  name: 'ListTenants',
  input: request,
  readOnly: true,
  permissions: (_input, call) => operatorPermission('keyhold:ListTenants', null, call),
  async run(_input, _keys, { services }) {
    return { Tenants: (await services.store.tenants.list()).map(tenantView) }
  },
  audit: { requestParameters: () => null },
}
