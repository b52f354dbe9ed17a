import type { Operation } from '../../shared/pipeline/operation.ts'
import { structure } from '../../shared/pipeline/shape.ts'

const request = structure({})

export interface ListTenantsResponse {
  readonly Tenants: readonly { readonly AccountId: string; readonly Name: string }[]
}

/** All tenants, by account id. For operators. */
export const listTenants: Operation<object, ListTenantsResponse> = {
  service: 'keyhold',
  name: 'ListTenants',
  input: request,
  readOnly: true,
  permissions: () => [{ action: 'keyhold:ListTenants', resource: null }],
  async run(_input, _keys, { services }) {
    const tenants = await services.store.tenants.list()
    return { Tenants: tenants.map(({ account, name }) => ({ AccountId: account, Name: name })) }
  },
  audit: { requestParameters: () => null },
}
