import { describe, expect, test, vi } from 'vitest'
import { principalIdOf } from '../../../shared/ids.ts'
import { newAccessKeyId, newPrincipalId } from '../../../shared/tenants/access-key-id.ts'
import { freshTenant, freshUser, principalArn } from '../../../shared/tenants/principal.ts'
import { givenTenants } from '../../support/memory-tenants.ts'
import { ACCOUNT, given, givenAccessKeys, NOW } from '../authn/given.ts'

const OTHER_ACCOUNT = '444455556666' as typeof ACCOUNT

/** Access keys of a tenant with one user. */
async function givenUser(options: { readonly cacheMs?: number } = {}) {
  const tenants = givenTenants()
  const stack = await givenAccessKeys({ ...options, tenants })
  for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
    await tenants.create(freshTenant({ account, name: 'team', createdAt: NOW }))
    await stack.tenantKeys.create(account)
  }
  const user = freshUser({
    account: ACCOUNT,
    principalId: newPrincipalId(),
    name: 'alice',
    path: '/team/',
    createdAt: NOW,
  })
  await tenants.createPrincipal(user)
  return { ...stack, tenants, user }
}

describe('an access key', () => {
  test('is issued with an id and a secret in the form of IAM, different each time', async () => {
    const { accessKeys, user } = await givenUser()
    const one = await accessKeys.issue(ACCOUNT, user.principalId)
    const other = await accessKeys.issue(ACCOUNT, user.principalId)
    expect(one.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
    expect(one.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
    expect(other.accessKeyId).not.toBe(one.accessKeyId)
    expect(other.secretAccessKey).not.toBe(one.secretAccessKey)
  })

  test('is found with the principal that it stands for', async () => {
    const { accessKeys, user } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, user.principalId)
    expect(await accessKeys.find(accessKeyId)).toEqual({
      record: expect.objectContaining({ accessKeyId, account: ACCOUNT, status: 'Active', rev: 1 }),
      principal: user,
      policies: [],
      boundary: null,
      operator: false,
      quotas: {},
    })
    expect(principalArn(user)).toBe('arn:aws:iam::111122223333:user/team/alice')
  })

  test('reveals its secret', async () => {
    const { accessKeys, tenants, user } = await givenUser()
    const issued = await accessKeys.issue(ACCOUNT, user.principalId)
    const record = given(await tenants.accessKey(issued.accessKeyId))
    expect((await accessKeys.reveal(record)).toString()).toBe(issued.secretAccessKey)
  })

  test('keeps no secret in the store that could be read', async () => {
    const { accessKeys, tenants, user } = await givenUser()
    const issued = await accessKeys.issue(ACCOUNT, user.principalId)
    const { wrappedSecret } = given(await tenants.accessKey(issued.accessKeyId))
    expect(Buffer.from(wrappedSecret).includes(issued.secretAccessKey)).toBe(false)
  })

  test('can be given its id and its secret', async () => {
    const { accessKeys, user } = await givenUser()
    const wanted = { accessKeyId: newAccessKeyId(), secret: 'given' }
    const issued = await accessKeys.issue(ACCOUNT, user.principalId, wanted)
    expect(issued).toEqual({ accessKeyId: wanted.accessKeyId, secretAccessKey: 'given' })
  })

  test('of somebody else is not taken over', async () => {
    const { accessKeys, user } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, user.principalId)
    const given = { accessKeyId, secret: 'mine' }
    const other = newPrincipalId()
    await expect(accessKeys.issue(ACCOUNT, other, given)).rejects.toThrow('another principal')
    await expect(accessKeys.issue(OTHER_ACCOUNT, user.principalId, given)).rejects.toThrow(
      'another principal',
    )
  })

  test('that was moved or altered in the store does not open', async () => {
    const { accessKeys, tenants, user } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, user.principalId)
    const record = given(await tenants.accessKey(accessKeyId))
    const spoiled = Buffer.from(record.wrappedSecret)
    spoiled[70] = given(spoiled[70]) ^ 1
    const others = [
      { accessKeyId: newAccessKeyId() },
      { principalId: newPrincipalId() },
      { account: OTHER_ACCOUNT },
      { wrappedSecret: spoiled },
      { wrappedSecret: new Uint8Array(0) },
    ]
    for (const other of others) {
      await expect(accessKeys.reveal({ ...record, ...other })).rejects.toThrow('does not open')
    }
  })
})

describe('no access key is found', () => {
  test('under an id that nobody has', async () => {
    const { accessKeys } = await givenUser()
    expect(await accessKeys.find(newAccessKeyId())).toBeNull()
  })

  test('when it is inactive', async () => {
    const { accessKeys, tenants, user } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, user.principalId)
    const record = given(await tenants.accessKey(accessKeyId))
    await tenants.putAccessKey({ ...record, status: 'Inactive' })
    expect(await accessKeys.find(accessKeyId)).toBeNull()
  })

  test('when its principal is gone', async () => {
    const { accessKeys } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, principalIdOf('AIDAGONE'))
    expect(await accessKeys.find(accessKeyId)).toBeNull()
  })

  test('when its tenant is suspended', async () => {
    const { accessKeys, tenants, user } = await givenUser()
    const { accessKeyId } = await accessKeys.issue(ACCOUNT, user.principalId)
    const tenant = given(await tenants.get(ACCOUNT))
    vi.spyOn(tenants, 'get').mockResolvedValue({ ...tenant, status: 'Suspended' })
    expect(await accessKeys.find(accessKeyId)).toBeNull()
  })
})

describe('what was read about an access key', () => {
  const givenReads = async (cacheMs: number) => {
    const stack = await givenUser({ cacheMs })
    const { accessKeyId } = await stack.accessKeys.issue(ACCOUNT, stack.user.principalId)
    const accessKey = vi.spyOn(stack.tenants, 'accessKey')
    const principal = vi.spyOn(stack.tenants, 'principal')
    const counts = () => [accessKey.mock.calls.length, principal.mock.calls.length]
    return { ...stack, accessKeyId, counts }
  }

  test('is used again for as long as set', async () => {
    const { accessKeys, accessKeyId, counts, time } = await givenReads(5000)
    await accessKeys.find(accessKeyId)
    time.now += 4999
    await accessKeys.find(accessKeyId)
    expect(counts()).toEqual([1, 1])
    time.now += 1
    await accessKeys.find(accessKeyId)
    expect(counts()).toEqual([2, 2])
  })

  test('is never used again when set to 0', async () => {
    const { accessKeys, accessKeyId, counts } = await givenReads(0)
    await accessKeys.find(accessKeyId)
    await accessKeys.find(accessKeyId)
    expect(counts()).toEqual([2, 2])
  })

  test('is forgotten at once when this process changes it', async () => {
    const { accessKeys, tenants, user, accessKeyId } = await givenReads(5000)
    await accessKeys.find(accessKeyId)
    const policies = [{ name: 'new', document: '{}' }]
    vi.spyOn(tenants, 'principal').mockResolvedValue({ ...user, policies })
    accessKeys.forgetPrincipal(ACCOUNT, user.principalId)
    expect((await accessKeys.find(accessKeyId))?.principal.policies).toEqual(policies)
    await accessKeys.issue(ACCOUNT, user.principalId, { accessKeyId })
    expect((await accessKeys.find(accessKeyId))?.record.rev).toBe(2)
  })

  test('is forgotten when a key is issued under an id that was unknown a moment ago', async () => {
    const { accessKeys, user } = await givenReads(5000)
    const accessKeyId = newAccessKeyId()
    expect(await accessKeys.find(accessKeyId)).toBeNull()
    await accessKeys.issue(ACCOUNT, user.principalId, { accessKeyId })
    expect(await accessKeys.find(accessKeyId)).not.toBeNull()
  })
})
