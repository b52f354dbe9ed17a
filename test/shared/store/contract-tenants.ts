import { expect, test } from 'vitest'
import { parseAccessKeyId, principalIdOf } from '../../../shared/ids.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, winners } from './contract.ts'
import {
  givenAccessKey,
  givenAccount,
  givenPrincipal,
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
}
