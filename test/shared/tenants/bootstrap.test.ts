import { describe, expect, test } from 'vitest'
import { parseAccessKeyId, principalIdOf } from '../../../shared/ids.ts'
import type { TenantRepository } from '../../../shared/store/repositories.ts'
import { AccessKeys } from '../../../shared/tenants/access-keys.ts'
import { bootstrap } from '../../../shared/tenants/bootstrap.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants } from '../../support/memory-tenants.ts'
import { ACCOUNT, given, givenAccessKeys } from '../authn/given.ts'

const OTHER_ACCOUNT = '444455556666' as typeof ACCOUNT
const ACCESS_KEY_ID = given(parseAccessKeyId('AKIAIOSFODNN7EXAMPLE'))

describe('bootstrap', () => {
  test('makes a tenant, its key, an administrator and an access key', async () => {
    const stack = await givenAccessKeys()
    const made = await bootstrap(stack)
    expect(made).toEqual({
      account: expect.stringMatching(/^[1-9][0-9]{11}$/),
      userArn: `arn:aws:iam::${made.account}:user/admin`,
      principalId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
      accessKeyId: expect.stringMatching(/^AKIA[A-Z2-7]{16}$/),
      secretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
      created: true,
    })
    const accessKey = given(await stack.accessKeys.find(made.accessKeyId))
    const [policy] = accessKey.principal.policies
    expect(policy?.name).toBe('AdministratorAccess')
    expect(JSON.parse(given(policy).document)).toEqual({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
    })
    expect((await stack.tenantKeys.current(made.account)).version).toBe(1)
  })

  test('gives the same again at the next start', async () => {
    const stack = await givenAccessKeys()
    const first = await bootstrap(stack)
    expect(await bootstrap(stack)).toEqual({ ...first, created: false })
  })

  test('takes the account and the credentials that it is given', async () => {
    const stack = await givenAccessKeys()
    const principalId = principalIdOf('AIDAEXAMPLEEXAMPLE00')
    const credentials = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'secret' }
    const wanted = { account: ACCOUNT, principalId, ...credentials }
    const userArn = 'arn:aws:iam::111122223333:user/admin'
    expect(await bootstrap({ ...stack, ...wanted })).toEqual({ ...wanted, userArn, created: true })
    expect(await bootstrap({ ...stack, ...wanted })).toEqual({ ...wanted, userArn, created: false })
  })

  test('gives the stored secret of an access key that it is given by id alone', async () => {
    const stack = await givenAccessKeys()
    const wanted = { account: ACCOUNT, accessKeyId: ACCESS_KEY_ID }
    const first = await bootstrap({ ...stack, ...wanted })
    expect(first).toMatchObject({ accessKeyId: ACCESS_KEY_ID, created: true })
    expect(await bootstrap({ ...stack, ...wanted })).toEqual({ ...first, created: false })
  })

  test('replaces the secret when it is given another', async () => {
    const stack = await givenAccessKeys()
    const first = await bootstrap({ ...stack, account: ACCOUNT })
    const second = await bootstrap({ ...stack, secretAccessKey: 'another' })
    expect(second).toEqual({ ...first, secretAccessKey: 'another', created: true })
  })

  test('leaves other access keys of the administrator alone', async () => {
    const stack = await givenAccessKeys()
    const first = await bootstrap(stack)
    const second = await bootstrap({ ...stack, accessKeyId: ACCESS_KEY_ID, secretAccessKey: 's' })
    expect(second.userArn).toBe(first.userArn)
    expect(await stack.accessKeys.find(first.accessKeyId)).not.toBeNull()
    expect(await stack.accessKeys.find(ACCESS_KEY_ID)).not.toBeNull()
  })

  test('makes a second tenant when asked for another account, and then prefers the older', async () => {
    const stack = await givenAccessKeys()
    const first = await bootstrap({ ...stack, account: OTHER_ACCOUNT })
    stack.time.now += 1000
    const second = await bootstrap({ ...stack, account: ACCOUNT })
    expect(second.account).toBe(ACCOUNT)
    expect(second.accessKeyId).not.toBe(first.accessKeyId)
    expect(await bootstrap(stack)).toEqual({ ...first, created: false })
    expect(await bootstrap({ ...stack, account: ACCOUNT })).toEqual({ ...second, created: false })
  })

  test('does not take the access key of another tenant', async () => {
    const stack = await givenAccessKeys()
    const wanted = { accessKeyId: ACCESS_KEY_ID, secretAccessKey: 'secret' }
    await bootstrap({ ...stack, ...wanted, account: ACCOUNT })
    const attempt = bootstrap({ ...stack, ...wanted, account: OTHER_ACCOUNT })
    await expect(attempt).rejects.toThrow('another principal')
  })
})

const WRITES = ['create', 'addKey', 'createPrincipal', 'putAccessKey'] as const

/** A store whose connection breaks around one write: before it, or after it was stored. */
function breakingAt(
  tenants: TenantRepository,
  write: (typeof WRITES)[number],
  when: 'before' | 'after',
): TenantRepository {
  const original = tenants[write] as (record: unknown) => Promise<void>
  return {
    ...tenants,
    [write]: async (record: unknown) => {
      if (when === 'after') await original(record)
      throw new Error('connection lost')
    },
  }
}

describe.each(WRITES)('a start that broke at %s', (write) => {
  test.each(['before', 'after'] as const)(
    '%s it was stored, is made good by the next',
    async (when) => {
      const tenants = givenTenants()
      const broken = await givenAccessKeys({ tenants: breakingAt(tenants, write, when) })
      await expect(bootstrap(broken)).rejects.toThrow('connection lost')
      // The root key stays; only the connection is another.
      const { hsm, clock } = broken
      const tenantKeys = new TenantKeys({ tenants, hsm, clock })
      const accessKeys = new AccessKeys({ tenants, tenantKeys, clock, cacheMs: 0 })
      const made = await bootstrap({ tenants, tenantKeys, accessKeys, clock })
      expect(await accessKeys.find(made.accessKeyId)).not.toBeNull()
      expect(await tenants.list()).toHaveLength(1)
      expect(tenants.tenantKeys).toHaveLength(1)
    },
  )
})

test('starts beside each other give the same tenant and administrator', async () => {
  const stack = await givenAccessKeys()
  const start = () => bootstrap({ ...stack, account: ACCOUNT })
  const starts = await Promise.all([start(), start(), start()])
  expect(new Set(starts.map(({ accessKeyId }) => accessKeyId)).size).toBe(1)
  expect(await stack.tenants.list()).toHaveLength(1)
  const settled = await start()
  expect(starts.map(({ secretAccessKey }) => secretAccessKey)).toContain(settled.secretAccessKey)
})
