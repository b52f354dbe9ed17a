import type {
  AccessKeyRecord,
  PrincipalRecord,
  TenantKeyRecord,
  TenantRecord,
} from '../../shared/store/records.ts'
import { ConditionFailed, type TenantRepository } from '../../shared/store/repositories.ts'

export interface MemoryTenants extends TenantRepository {
  /** Every stored tenant key; tests take away and spoil what lies in it. */
  readonly tenantKeys: TenantKeyRecord[]
}

/** A TenantRepository in memory, with the conditions of the real one. */
export function givenTenants(): MemoryTenants {
  const tenants = new Map<string, TenantRecord>()
  const principals: PrincipalRecord[] = []
  const accessKeys = new Map<string, AccessKeyRecord>()
  const tenantKeys: TenantKeyRecord[] = []
  return {
    tenantKeys,
    get: async (account) => tenants.get(account) ?? null,
    async create(tenant) {
      if (tenants.has(tenant.account)) throw new ConditionFailed()
      tenants.set(tenant.account, tenant)
    },
    list: async () => [...tenants.values()],
    keys: async (account) =>
      tenantKeys
        .filter((key) => key.account === account)
        .sort((one, other) => one.version - other.version),
    async addKey(key) {
      const exists = tenantKeys.some(
        ({ account, version }) => account === key.account && version === key.version,
      )
      if (exists) throw new ConditionFailed()
      tenantKeys.push(key)
    },
    principal: async (account, principalId) =>
      principals.find((each) => each.account === account && each.principalId === principalId) ??
      null,
    principalByName: async (account, name) =>
      principals.find((each) => each.account === account && each.name === name) ?? null,
    async createPrincipal(principal) {
      const exists = principals.some(
        ({ account, name, principalId }) =>
          account === principal.account &&
          (name === principal.name || principalId === principal.principalId),
      )
      if (exists) throw new ConditionFailed()
      principals.push(principal)
    },
    accessKey: async (accessKeyId) => accessKeys.get(accessKeyId) ?? null,
    async putAccessKey(accessKey) {
      accessKeys.set(accessKey.accessKeyId, accessKey)
    },
  }
}
