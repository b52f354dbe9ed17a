import { expect, test } from 'vitest'
import { parseAccessKeyId, principalIdOf } from '../../../shared/ids.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, winners } from './contract.ts'
import {
  givenAccessKey,
  givenAccount,
  givenManagedPolicy,
  givenPrincipal,
  givenRole,
  givenTenant,
  givenTenantKey,
} from './given.ts'

export function tenantContract(given: Given): void {
  const tenants = () => given.store().tenants

  test('a tenant is read back as it was written, and listed', async () => {
    const account = givenAccount()
    expect(await tenants().get(account)).toBeNull()
    await tenants().create(givenTenant(account))
    expect(await tenants().get(account)).toEqual(givenTenant(account))
    expect(await tenants().list()).toContainEqual(givenTenant(account))
  })

  test('of fifty racing creations of a tenant one wins', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 50 }, () => tenants().create(givenTenant(account)))
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test('versions of a tenant key come oldest first, with their bytes', async () => {
    const account = givenAccount()
    const versions = [11, 1, 2].map((version) => givenTenantKey(account, version))
    for (const version of versions) await tenants().addKey(version)
    const numbers = (await tenants().keys(account)).map(({ version }) => version)
    expect(numbers).toEqual([1, 2, 11])
    expect((await tenants().keys(account))[2]).toEqual(versions[0])
  })

  test('a version of a tenant key is never overwritten', async () => {
    const account = givenAccount()
    await tenants().addKey(givenTenantKey(account))
    const other = { ...givenTenantKey(account), sealed: new Uint8Array(60) }
    await expect(tenants().addKey(other)).rejects.toThrow(ConditionFailed)
    expect(await tenants().keys(account)).toEqual([givenTenantKey(account)])
  })

  test('a principal is found by id and by name', async () => {
    const account = givenAccount()
    const principal = givenPrincipal(account)
    await tenants().createPrincipal(principal)
    expect(await tenants().principal(account, principal.principalId)).toEqual(principal)
    expect(await tenants().principalByName(account, 'admin')).toEqual(principal)
    expect(await tenants().principalByName(account, '__proto__')).toBeNull()
    expect(await tenants().principalByName(givenAccount(), 'admin')).toBeNull()
  })

  test('a second principal of the same name is refused and leaves nothing', async () => {
    const account = givenAccount()
    await tenants().createPrincipal(givenPrincipal(account))
    const second = { ...givenPrincipal(account), principalId: principalIdOf('AIDASECOND') }
    await expect(tenants().createPrincipal(second)).rejects.toThrow(ConditionFailed)
    expect(await tenants().principal(account, second.principalId)).toBeNull()
    const found = await tenants().principalByName(account, 'admin')
    expect(found).toEqual(givenPrincipal(account))
  })

  test('a second principal of the same id is refused', async () => {
    const account = givenAccount()
    await tenants().createPrincipal(givenPrincipal(account))
    const second = { ...givenPrincipal(account), name: 'other' }
    await expect(tenants().createPrincipal(second)).rejects.toThrow(ConditionFailed)
    expect(await tenants().principalByName(account, 'other')).toBeNull()
  })

  test('an access key is found by its id alone, and replaced', async () => {
    const accessKey = givenAccessKey(givenAccount())
    await tenants().putAccessKey(accessKey)
    expect(await tenants().accessKey(accessKey.accessKeyId)).toEqual(accessKey)
    await tenants().putAccessKey({ ...accessKey, status: 'Inactive', rev: 2 })
    expect(await tenants().accessKey(accessKey.accessKeyId)).toMatchObject({ status: 'Inactive' })
  })

  test('an unknown access key is null', async () => {
    const id = parseAccessKeyId('AKIAIOSFODNN7UNKNOWN')
    expect(id && (await tenants().accessKey(id))).toBeNull()
  })

  test('users and roles are named apart, and without regard to case', async () => {
    const account = givenAccount()
    const user = givenPrincipal(account, 'Deploy')
    const role = givenRole(account, 'deploy')
    await tenants().createPrincipal(user)
    await tenants().createPrincipal(role)
    expect(await tenants().principalByName(account, 'Deploy')).toEqual(user)
    expect(await tenants().roleByName(account, 'deploy')).toEqual(role)
    expect(await tenants().principalByName(account, 'deploy')).toBeNull()
    const twin = { ...givenPrincipal(account, 'deploy'), principalId: principalIdOf('AIDATWIN') }
    await expect(tenants().createPrincipal(twin)).rejects.toThrow(ConditionFailed)
    expect(await tenants().principal(account, twin.principalId)).toBeNull()
  })

  test('a principal is changed by whoever read it last', async () => {
    const account = givenAccount()
    const user = givenPrincipal(account)
    await tenants().createPrincipal(user)
    const changed = { ...user, path: '/team/', rev: 2 }
    await tenants().updatePrincipal(changed, 1)
    await expect(tenants().updatePrincipal({ ...user, rev: 2 }, 1)).rejects.toThrow(ConditionFailed)
    expect(await tenants().principalByName(account, 'admin')).toEqual(changed)
  })

  test('a deleted principal leaves its name to others', async () => {
    const account = givenAccount()
    const user = givenPrincipal(account)
    await tenants().createPrincipal(user)
    await expect(tenants().deletePrincipal({ ...user, rev: 7 })).rejects.toThrow(ConditionFailed)
    await tenants().deletePrincipal(user)
    expect(await tenants().principalByName(account, 'admin')).toBeNull()
    const next = { ...user, principalId: principalIdOf('AIDANEXT') }
    await tenants().createPrincipal(next)
    expect(await tenants().principalByName(account, 'admin')).toEqual(next)
  })

  test('principals are listed by kind, in pages', async () => {
    const account = givenAccount()
    for (const name of ['c', 'A', 'b'])
      await tenants().createPrincipal(givenPrincipal(account, name))
    await tenants().createPrincipal(givenRole(account, 'a'))
    const first = await tenants().principals(account, 'User', 2, null)
    expect(first.items.map(({ name }) => name)).toEqual(['A', 'b'])
    const rest = await tenants().principals(account, 'User', 2, first.next)
    expect([rest.items.map(({ name }) => name), rest.next]).toEqual([['c'], null])
    const roles = await tenants().principals(account, 'Role', 2, null)
    expect(roles.items).toEqual([givenRole(account, 'a')])
  })

  test('a managed policy is made, changed, listed and deleted', async () => {
    const account = givenAccount()
    const policy = givenManagedPolicy(account)
    await tenants().createManagedPolicy(policy)
    const twin = { ...policy, name: policy.name.toUpperCase() }
    await expect(tenants().createManagedPolicy(twin)).rejects.toThrow(ConditionFailed)
    expect(await tenants().managedPolicy(account, twin.name)).toBeNull()
    const changed = { ...policy, defaultVersionId: 'v2', rev: 2 }
    await tenants().updateManagedPolicy(changed, 1)
    await expect(tenants().updateManagedPolicy(changed, 1)).rejects.toThrow(ConditionFailed)
    expect(await tenants().managedPolicy(account, policy.name)).toEqual(changed)
    expect(await tenants().managedPolicies(account, 10, null)).toEqual({
      items: [changed],
      next: null,
    })
    await tenants().deleteManagedPolicy(changed)
    expect(await tenants().managedPolicy(account, policy.name)).toBeNull()
  })

  test('the access keys of a principal are listed, and deleted', async () => {
    const account = givenAccount()
    const key = givenAccessKey(account)
    await tenants().putAccessKey(key)
    expect(await tenants().accessKeys(account, key.principalId)).toEqual([key])
    await tenants().deleteAccessKey(key)
    expect(await tenants().accessKeys(account, key.principalId)).toEqual([])
    expect(await tenants().accessKey(key.accessKeyId)).toBeNull()
  })

  test('a tenant is changed by whoever read it last', async () => {
    const account = givenAccount()
    const tenant = givenTenant(account)
    await tenants().create(tenant)
    const suspended = { ...tenant, status: 'Suspended' as const, rev: 2 }
    await tenants().update(suspended, 1)
    await expect(tenants().update(suspended, 1)).rejects.toThrow(ConditionFailed)
    expect(await tenants().get(account)).toEqual(suspended)
    expect(await tenants().list()).toContainEqual(suspended)
  })
}
