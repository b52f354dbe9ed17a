/** Temporary credentials at the authenticator: what is taken, and what is refused in which words. */
import { describe, expect, test } from 'vitest'
import type { Authentication } from '../../../shared/authn/authenticate.ts'
import type { Caller } from '../../../shared/authn/caller.ts'
import type { AuthenticationFailure } from '../../../shared/authn/failure.ts'
import type { SessionPlan } from '../../../shared/authn/sessions.ts'
import { principalIdOf } from '../../../shared/ids.ts'
import type { RoleRecord } from '../../../shared/store/records.ts'
import { bootstrap } from '../../../shared/tenants/bootstrap.ts'
import { freshTenant } from '../../../shared/tenants/principal.ts'
import { OTHER_ACCOUNT } from '../../support/audit-records.ts'
import { givenTenants, type MemoryTenants } from '../../support/memory-tenants.ts'
import {
  ACCOUNT,
  given,
  givenAuthenticator,
  NOW,
  presigned,
  type Signing,
  signed,
  withHeaders,
} from './given.ts'

const BODY = Buffer.from('{}')
const CALL = { headers: { 'x-amz-target': 'TrentService.ListKeys' }, body: BODY }
const ROLE_ID = principalIdOf('AROAEXAMPLEEXAMPLE00')
const HOUR = 3600

const role = (differs: Partial<RoleRecord> = {}): RoleRecord => ({
  kind: 'Role',
  account: ACCOUNT,
  principalId: ROLE_ID,
  name: 'Deploy',
  path: '/team/',
  policies: [{ name: 'inline', document: '{"Statement":[]}' }],
  attached: [],
  boundary: null,
  tags: [{ TagKey: 'team', TagValue: 'red' }],
  sessionsValidFrom: 0,
  createdAt: 0,
  rev: 1,
  description: '',
  trustPolicy: '{}',
  maxSessionSeconds: HOUR,
  ...differs,
})

const plan = (differs: Partial<SessionPlan> = {}): SessionPlan => ({
  account: ACCOUNT,
  principalId: ROLE_ID,
  sessionName: 'alice',
  durationSeconds: HOUR,
  tags: [],
  transitiveTagKeys: [],
  limits: null,
  sourceIdentity: null,
  federated: null,
  ...differs,
})

/** An authenticator that knows a role, whose record the test changes by `roles`. */
async function givenRole(options: { readonly cacheMs?: number } = {}) {
  const roles = new Map([[ROLE_ID, role()]])
  let tenantStatus: 'Active' | 'Suspended' = 'Active'
  const memory = givenTenants()
  const reads = { principal: 0 }
  const tenants: MemoryTenants = {
    ...memory,
    async get(account) {
      const tenant = await memory.get(account)
      return tenant && freshTenant({ ...tenant, status: tenantStatus })
    },
    async principal(account, id) {
      reads.principal += 1
      const found = roles.get(id)
      return found?.account === account ? found : memory.principal(account, id)
    },
  }
  const stack = await givenAuthenticator({ ...options, tenants })
  const begin = (differs: Partial<SessionPlan> = {}) => stack.sessions.begin(plan(differs))
  const attempt = async (credentials: Signing['credentials'], now = stack.time.now) =>
    stack.authenticator.authenticate(await signed(CALL, { credentials, now }), {
      service: 'kms',
      body: BODY,
    })
  const suspend = () => {
    tenantStatus = 'Suspended'
  }
  return { ...stack, roles, reads, begin, attempt, suspend }
}

function callerOf(answer: Authentication): Caller {
  if (!answer.ok) throw new Error(`Refused: ${answer.failure.kind}`)
  return answer.caller
}
function failureOf(answer: Authentication): AuthenticationFailure['kind'] {
  if (answer.ok) throw new Error('The request was taken.')
  return answer.failure.kind
}

describe('temporary credentials', () => {
  test('of a role give the caller that the session is', async () => {
    const { begin, attempt } = await givenRole()
    const credentials = await begin({ sourceIdentity: 'ann' })
    expect(callerOf(await attempt(credentials))).toEqual({
      kind: 'AssumedRole',
      account: ACCOUNT,
      arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Deploy/alice`,
      principalArn: `arn:aws:iam::${ACCOUNT}:role/team/Deploy`,
      principalId: ROLE_ID,
      userId: `${ROLE_ID}:alice`,
      roleName: 'Deploy',
      sessionName: 'alice',
      accessKeyId: credentials.accessKeyId,
      policies: role().policies,
      boundary: null,
      sessionPolicies: null,
      tags: role().tags,
      operator: false,
      quotas: {},
      session: {
        issuedAt: NOW,
        expiresAt: NOW + HOUR * 1000,
        sourceIdentity: 'ann',
        federated: null,
        transitiveTags: [],
      },
    })
  })

  test('of a user are the user, with a session', async () => {
    const { begin, attempt, administrator } = await givenRole()
    const { principalId } = administrator
    const credentials = await begin({ principalId, sessionName: null })
    expect(callerOf(await attempt(credentials))).toMatchObject({
      kind: 'User',
      arn: administrator.userArn,
      userId: principalId,
      accessKeyId: credentials.accessKeyId,
      sessionPolicies: null,
      session: { issuedAt: NOW },
    })
  })

  test('carry tags that take the place of the principal’s, and tell which go on', async () => {
    const { begin, attempt } = await givenRole()
    const tags = [
      { TagKey: 'Team', TagValue: 'blue' },
      { TagKey: 'cost', TagValue: '42' },
    ]
    const caller = callerOf(await attempt(await begin({ tags, transitiveTagKeys: ['COST'] })))
    expect(caller.tags).toEqual(tags)
    expect(caller.session?.transitiveTags).toEqual([{ TagKey: 'cost', TagValue: '42' }])
  })

  test('carry the policies that they are limited to, and no managed policy that is not there', async () => {
    const { begin, attempt } = await givenRole()
    const documents = [{ name: 'session', document: '{"Statement":[]}' }]
    const policyArns = [`arn:aws:iam::${ACCOUNT}:policy/gone`]
    const limited = async (limits: SessionPlan['limits']) =>
      callerOf(await attempt(await begin({ limits }))).sessionPolicies
    expect(await limited({ documents, policyArns: [] })).toEqual(documents)
    expect(await limited({ documents: [], policyArns })).toEqual([])
  })

  test('work in presigned URLs', async () => {
    const { begin, authenticator } = await givenRole()
    const credentials = await begin()
    const url = await presigned({ method: 'GET', path: '/b/k' }, { credentials, service: 's3' })
    const answer = await authenticator.authenticate(url, { service: 's3', body: null })
    expect(callerOf(answer).accessKeyId).toBe(credentials.accessKeyId)
  })

  test('see what changed of their principal', async () => {
    const { begin, attempt, roles } = await givenRole()
    const credentials = await begin()
    const policies = [{ name: 'other', document: '{}' }]
    roles.set(ROLE_ID, role({ policies }))
    expect(callerOf(await attempt(credentials)).policies).toEqual(policies)
  })
})

describe('refused are', () => {
  test('temporary credentials without their token', async () => {
    const { begin, attempt } = await givenRole()
    const { accessKeyId, secretAccessKey } = await begin()
    expect(failureOf(await attempt({ accessKeyId, secretAccessKey }))).toBe('unknown-access-key')
  })

  test('long-term credentials with a token', async () => {
    const { begin, attempt, credentials } = await givenRole()
    const { sessionToken } = await begin()
    expect(failureOf(await attempt({ ...credentials, sessionToken }))).toBe('bad-session-token')
  })

  test('a token that the signature does not cover', async () => {
    const { begin, authenticator } = await givenRole()
    const { sessionToken, ...credentials } = await begin()
    const request = withHeaders(await signed(CALL, { credentials }), {
      'x-amz-security-token': sessionToken,
    })
    const answer = await authenticator.authenticate(request, { service: 'kms', body: BODY })
    expect(failureOf(answer)).toBe('unsigned-headers')
  })

  test('the token of other credentials, a token that was altered, and none at all', async () => {
    const { begin, attempt } = await givenRole()
    const credentials = await begin()
    const { sessionToken } = await begin()
    const altered = `${credentials.sessionToken.slice(0, -2)}AA`
    for (const token of [sessionToken, altered, 'token', ''])
      expect(failureOf(await attempt({ ...credentials, sessionToken: token }))).toBe(
        token === '' ? 'unknown-access-key' : 'bad-session-token',
      )
  })

  test('a signature by another secret', async () => {
    const { begin, attempt } = await givenRole()
    const [credentials, { secretAccessKey }] = [await begin(), await begin()]
    expect(failureOf(await attempt({ ...credentials, secretAccessKey }))).toBe('mismatch')
  })

  test('credentials that are over, to the second, and not before', async () => {
    const { begin, attempt, time } = await givenRole()
    const credentials = await begin({ durationSeconds: 900 })
    expect(credentials.expiresAt).toBe(NOW + 900_000)
    time.now = NOW + 899_999
    expect((await attempt(credentials)).ok).toBe(true)
    time.now = NOW + 900_000
    expect(failureOf(await attempt(credentials))).toBe('expired-session')
  })

  test('nobody learns by a wrong signature that credentials are over', async () => {
    const { begin, attempt, time } = await givenRole()
    const credentials = await begin()
    time.now = NOW + 2 * HOUR * 1000
    expect(failureOf(await attempt({ ...credentials, secretAccessKey: 'x' }))).toBe('mismatch')
  })

  test('sessions that began before their principal voided them', async () => {
    const { begin, attempt, roles, time } = await givenRole()
    const before = await begin()
    time.now += 1000
    roles.set(ROLE_ID, role({ sessionsValidFrom: time.now }))
    const after = await begin()
    expect(failureOf(await attempt(before))).toBe('bad-session-token')
    expect((await attempt(after)).ok).toBe(true)
  })

  test('sessions of a role that is gone, also when another one has its name', async () => {
    const { begin, attempt, roles } = await givenRole()
    const credentials = await begin()
    roles.delete(ROLE_ID)
    const other = principalIdOf('AROAEXAMPLEEXAMPLE11')
    roles.set(other, role({ principalId: other }))
    expect(failureOf(await attempt(credentials))).toBe('bad-session-token')
    expect((await attempt(await begin({ principalId: other }))).ok).toBe(true)
  })

  test('sessions of a role as those of a user, and the other way about', async () => {
    const { begin, attempt, administrator } = await givenRole()
    const { principalId } = administrator
    for (const wrong of [{ sessionName: null }, { principalId }])
      expect(failureOf(await attempt(await begin(wrong)))).toBe('bad-session-token')
  })

  test('sessions of a tenant that is suspended', async () => {
    const { begin, attempt, suspend } = await givenRole()
    const credentials = await begin()
    suspend()
    expect(failureOf(await attempt(credentials))).toBe('bad-session-token')
  })

  test('sessions of a principal id in another tenant', async () => {
    const stack = await givenRole()
    await bootstrap({ ...stack, account: OTHER_ACCOUNT })
    const credentials = await stack.begin({ account: OTHER_ACCOUNT })
    expect(failureOf(await stack.attempt(credentials))).toBe('bad-session-token')
  })
})

describe('caching', () => {
  test('a token is opened once, and its principal read once, within the time that is set', async () => {
    const { begin, attempt, tokens, reads, time } = await givenRole({ cacheMs: 5000 })
    const credentials = await begin()
    let opened = 0
    const { open } = tokens
    tokens.open = (...token) => {
      opened += 1
      return open.apply(tokens, token)
    }
    for (const later of [0, 1000, 4999]) {
      time.now = NOW + later
      expect((await attempt(credentials)).ok).toBe(true)
    }
    expect([opened, reads.principal]).toEqual([1, 1])
    time.now = NOW + 5000
    expect((await attempt(credentials)).ok).toBe(true)
    expect([opened, reads.principal]).toEqual([2, 2])
  })

  test('with 0 everything is looked at anew', async () => {
    const { begin, attempt, reads } = await givenRole({ cacheMs: 0 })
    const credentials = await begin()
    await attempt(credentials)
    await attempt(credentials)
    expect(reads.principal).toBe(2)
  })

  test('what an opened token says does not outlive the session', async () => {
    const { begin, attempt, time } = await givenRole({ cacheMs: 3_600_000 })
    const credentials = await begin({ durationSeconds: 900 })
    expect((await attempt(credentials)).ok).toBe(true)
    time.now += 900_000
    expect(failureOf(await attempt(credentials))).toBe('expired-session')
  })

  test('the store is asked for nothing before the signature is verified', async () => {
    const { begin, attempt, reads } = await givenRole()
    const credentials = await begin()
    await attempt({ ...credentials, secretAccessKey: given('wrong') })
    await attempt({ ...credentials, sessionToken: 'wrong' })
    expect(reads.principal).toBe(0)
  })
})
