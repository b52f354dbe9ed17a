import type {
  AccessKeyRecord,
  ManagedPolicyRecord,
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
  const policies = new Map<string, ManagedPolicyRecord>()
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
    async destroyKey({ account, version }) {
      const at = tenantKeys.findIndex((key) => key.account === account && key.version === version)
      if (at !== -1) tenantKeys.splice(at, 1)
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
    async update(tenant, rev) {
      if (tenants.get(tenant.account)?.rev !== rev) throw new ConditionFailed()
      tenants.set(tenant.account, tenant)
    },
    async roleByName(account, name) {
      const found = principals.find(
        (each) => each.account === account && each.kind === 'Role' && each.name === name,
      )
      return found?.kind === 'Role' ? found : null
    },
    async updatePrincipal(principal, rev) {
      const at = principals.findIndex(({ principalId }) => principalId === principal.principalId)
      if (principals[at]?.rev !== rev) throw new ConditionFailed()
      principals[at] = principal
    },
    async deletePrincipal({ principalId }) {
      const at = principals.findIndex((each) => each.principalId === principalId)
      if (at === -1) throw new ConditionFailed()
      principals.splice(at, 1)
    },
    principals: async (account, kind) => ({
      items: principals.filter((each) => each.account === account && each.kind === kind),
      next: null,
    }),
    managedPolicy: async (account, name) => policies.get(`${account}/${name}`) ?? null,
    async createManagedPolicy(policy) {
      if (policies.has(`${policy.account}/${policy.name}`)) throw new ConditionFailed()
      policies.set(`${policy.account}/${policy.name}`, policy)
    },
    async updateManagedPolicy(policy) {
      policies.set(`${policy.account}/${policy.name}`, policy)
    },
    async deleteManagedPolicy({ account, name }) {
      policies.delete(`${account}/${name}`)
    },
    managedPolicies: async (account) => ({
      items: [...policies.values()].filter((policy) => policy.account === account),
      next: null,
    }),
    accessKeys: async (account, principalId) =>
      [...accessKeys.values()].filter(
        (key) => key.account === account && key.principalId === principalId,
      ),
    async deleteAccessKey({ accessKeyId }) {
      accessKeys.delete(accessKeyId)
    },
    async putAccessKey(accessKey) {
      accessKeys.set(accessKey.accessKeyId, accessKey)
    },
  }
}
