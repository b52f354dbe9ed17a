import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallRecord } from '../../../shared/audit/record.ts'
import { recordsOf } from '../../support/ledger-records.ts'
import { send, signed } from '../../support/raw-call.ts'
import { refusalOf } from '../../support/refusal.ts'
import {
  allowing,
  assumed,
  type GivenRole,
  givenRole,
  policyOf,
  stsOf,
  trusting,
} from '../../support/sessions.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

process.env.KEYHOLD_CACHE_SECONDS = '0'
const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin } = stack
const { account } = admin
const other = await stack.tenant('444455556666')

let count = 0
/** A role of the first tenant, trusted to whom the statements say. */
const role = (trust: readonly object[], statements: readonly object[] = [], differs = {}) =>
  givenRole(stack, account, `role-${++count}`, trust, statements, differs)
const user = (...statements: readonly object[]): Promise<User> =>
  stack.user(
    account,
    `user-${++count}`,
    ...statements.map((Statement) => ({ Version: '2012-10-17', Statement })),
  )

const attempt = (by: User, RoleArn: string, differs: Partial<AssumeRoleCommandInput> = {}) =>
  stsOf(by).send(new AssumeRoleCommand({ RoleArn, RoleSessionName: 'alice', ...differs }))
const refused = (by: User, { arn }: Pick<GivenRole, 'arn'>, differs = {}) =>
  refusalOf(attempt(by, arn, differs))
const denied = (by: User, { arn }: Pick<GivenRole, 'arn'>, action = 'sts:AssumeRole') => ({
  name: 'AccessDenied',
  status: 403,
  message: expect.stringContaining(
    `User: ${by.arn} is not authorized to perform: ${action} on resource: ${arn}`,
  ),
})
const identityOf = async (by: User) => {
  const { $metadata, ...identity } = await stsOf(by).send(new GetCallerIdentityCommand({}))
  return identity
}

describe('AssumeRole', () => {
  test('gives credentials of the session, for an hour', async () => {
    const by = await user()
    const { arn, record } = await role([trusting(by.arn)])
    const before = Date.now()
    const answer = await attempt(by, arn)
    expect(answer.AssumedRoleUser).toEqual({
      AssumedRoleId: `${record.principalId}:alice`,
      Arn: `arn:aws:sts::${account}:assumed-role/${record.name}/alice`,
    })
    expect(answer.Credentials).toEqual({
      AccessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      SecretAccessKey: expect.stringMatching(/^[A-Za-z0-9+/]{40}$/),
      SessionToken: expect.any(String),
      Expiration: expect.any(Date),
    })
    const lasts = Number(answer.Credentials?.Expiration) - before
    expect(Math.abs(lasts - 3_600_000)).toBeLessThan(5000)
    expect(answer.PackedPolicySize).toBeUndefined()
    expect(answer.SourceIdentity).toBeUndefined()
  })

  test('makes a caller that GetCallerIdentity knows', async () => {
    const by = await user()
    const { arn, record } = await role([trusting(by.arn)])
    expect(await identityOf(await assumed(by, arn))).toEqual({
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/${record.name}/alice`,
      UserId: `${record.principalId}:alice`,
    })
  })

  test('asks for no more than to be named, within an account', async () => {
    const by = await user()
    expect((await attempt(by, (await role([trusting(by.arn)])).arn)).Credentials).toBeDefined()
  })

  test('asks for an identity policy where the account is trusted as a whole', async () => {
    const root = trusting(`arn:aws:iam::${account}:root`)
    const named = await role([root])
    const [with_, without] = [await user(allowing('sts:AssumeRole', named.arn)), await user()]
    expect((await attempt(with_, named.arn)).Credentials).toBeDefined()
    expect(await refused(without, named)).toEqual(denied(without, named))
  })

  test('asks for both sides across accounts', async () => {
    const [with_, without] = [
      await stack.user(other.account, 'with', {
        Version: '2012-10-17',
        Statement: [allowing('sts:AssumeRole')],
      }),
      await stack.user(other.account, 'without'),
    ]
    const both = await role([trusting(with_.arn), trusting(without.arn)])
    expect((await attempt(with_, both.arn)).Credentials).toBeDefined()
    expect(await refused(without, both)).toEqual(denied(without, both))
    const neither = await role([trusting(admin.arn)])
    expect(await refused(with_, neither)).toEqual(denied(with_, neither))
  })

  test('obeys a Deny of either side', async () => {
    const by = await user({ Effect: 'Deny', Action: 'sts:AssumeRole', Resource: '*' })
    const trusted = await role([trusting(by.arn)])
    expect(await refused(by, trusted)).toEqual(denied(by, trusted))
    const denying = await role([
      trusting(admin.arn),
      { Effect: 'Deny', Principal: { AWS: admin.arn }, Action: 'sts:AssumeRole' },
    ])
    expect(await refused(admin, denying)).toEqual(denied(admin, denying))
  })

  test('says the same of a role that is not there, of another path, and of another tenant', async () => {
    const named = await role([trusting(other.arn)])
    const trustsNobody = await role([trusting(other.arn)])
    const missing = { arn: `arn:aws:iam::${account}:role/missing` }
    const otherPath = { arn: named.arn.replace('role/', 'role/path/') }
    const elsewhere = { arn: 'arn:aws:iam::999988887777:role/missing' }
    for (const by of [admin, other]) {
      const roles = by === admin ? [trustsNobody, missing] : [missing, otherPath, elsewhere]
      const answers = await Promise.all(roles.map((each) => refused(by, each)))
      const told = answers.map(({ message }, i) => message?.replace(roles[i]?.arn ?? '', 'ROLE'))
      expect(new Set(told).size).toBe(1)
      expect(answers[0]).toEqual(denied(by, roles[0] as GivenRole))
    }
  })

  test('takes a role of a suspended tenant for one that is not there', async () => {
    const gone = await stack.tenant('777766665555')
    const named = await givenRole(stack, gone.account, 'r', [trusting(admin.arn)])
    expect((await attempt(admin, named.arn)).Credentials).toBeDefined()
    const { tenants } = stack.services.store
    const tenant = await tenants.get(gone.account)
    if (tenant === null) throw new Error('No tenant.')
    await tenants.update({ ...tenant, status: 'Suspended', rev: tenant.rev + 1 }, tenant.rev)
    expect(await refused(admin, named)).toEqual(denied(admin, named))
  })

  test('gives operators roles of their own tenant only, whoever trusts them', async () => {
    const operator = await stack.tenant('222233334444')
    const { tenants } = stack.services.store
    const tenant = await tenants.get(operator.account)
    if (tenant === null) throw new Error('No tenant.')
    await tenants.update({ ...tenant, kind: 'operator', rev: tenant.rev + 1 }, tenant.rev)
    const own = await givenRole(stack, operator.account, 'own', [trusting(operator.arn)])
    expect((await attempt(operator, own.arn)).Credentials).toBeDefined()
    const trusted = await role([trusting(operator.arn), trusting(own.arn)])
    expect(await refused(operator, trusted)).toEqual(denied(operator, trusted))
    const session = await assumed(operator, own.arn)
    expect(await refused(session, trusted)).toEqual(denied(session, trusted))
  })

  test('wants the external id that the role asks for', async () => {
    const condition = { StringEquals: { 'sts:ExternalId': 'secret-42' } }
    const named = await role([trusting(admin.arn, 'sts:AssumeRole', condition)])
    expect(await refused(admin, named)).toEqual(denied(admin, named))
    expect(await refused(admin, named, { ExternalId: 'other' })).toEqual(denied(admin, named))
    expect((await attempt(admin, named.arn, { ExternalId: 'secret-42' })).Credentials).toBeDefined()
  })

  test('lets a role say how its sessions are called', async () => {
    const condition = { StringEquals: { 'sts:RoleSessionName': 'ci' } }
    const named = await role([trusting(admin.arn, 'sts:AssumeRole', condition)])
    expect(await refused(admin, named)).toEqual(denied(admin, named))
    expect((await attempt(admin, named.arn, { RoleSessionName: 'ci' })).Credentials).toBeDefined()
  })

  test.for([
    [
      'RoleSessionName',
      { RoleSessionName: 'a b' },
      "Value 'a b' at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]*",
    ],
    [
      'a short name',
      { RoleSessionName: 'a' },
      "Value 'a' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      'DurationSeconds',
      { DurationSeconds: 899 },
      "Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900",
    ],
    [
      'a long duration',
      { DurationSeconds: 43_201 },
      "Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200",
    ],
    [
      'ExternalId',
      { ExternalId: 'a' },
      "Value 'a' at 'externalId' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      'a tag',
      { Tags: [{ Key: '', Value: 'x' }] },
      "Value '' at 'tags.1.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
  ] as const)('words what is wrong with %s as AWS does', async ([, differs, sentence]) => {
    const { message, ...refusal } = await refused(admin, await role([trusting(admin.arn)]), differs)
    expect(refusal).toEqual({ name: 'ValidationError', status: 400 })
    expect(message).toContain(sentence)
  })

  test('takes nothing for a role but the ARN of one', async () => {
    for (const arn of [admin.arn, `arn:aws:kms:us-east-1:${account}:role/x`, 'x'.repeat(20)])
      expect(await refused(admin, { arn })).toMatchObject({
        name: 'ValidationError',
        message: `${arn} is invalid`,
      })
  })

  test('gives no longer a session than the role has', async () => {
    const named = await role([trusting(admin.arn)], [], { maxSessionSeconds: 7200 })
    expect((await attempt(admin, named.arn, { DurationSeconds: 7200 })).Credentials).toBeDefined()
    expect(await refused(admin, named, { DurationSeconds: 7201 })).toEqual({
      name: 'ValidationError',
      status: 400,
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    })
  })

  test('has no devices for a second factor', async () => {
    const second = { SerialNumber: `arn:aws:iam::${account}:mfa/x`, TokenCode: '123456' }
    const refusal = await refused(admin, await role([trusting(admin.arn)]), second)
    expect(refusal).toMatchObject({ name: 'AccessDenied', status: 403 })
  })
})

describe('Policies of a session', () => {
  test.for([
    ['{', 'MalformedPolicyDocument'],
    [policyOf(trusting(admin.arn)), 'MalformedPolicyDocument'],
    [policyOf({ Effect: 'Allow', Action: 'kms:*' }), 'MalformedPolicyDocument'],
  ] as const)('must be policies: %s', async ([Policy, name]) => {
    const named = await role([trusting(admin.arn)])
    const refusal = await refused(admin, named, { Policy })
    expect(refusal).toMatchObject({ name: `${name}Exception`, status: 400 })
  })

  test('have 2048 characters at most', async () => {
    const named = await role([trusting(admin.arn)])
    const statement = allowing('kms:*', `arn:aws:kms:*:*:key/${'x'.repeat(4000)}`)
    expect(await refused(admin, named, { Policy: policyOf(statement) })).toMatchObject({
      name: 'PackedPolicyTooLargeException',
      message: expect.stringMatching(/^Packed policy consumes 2\d\d% of allotted space/),
    })
  })

  test('are told by their share of a token', async () => {
    const named = await role([trusting(admin.arn)])
    const answer = await attempt(admin, named.arn, { Policy: policyOf(allowing('kms:*')) })
    expect(answer.PackedPolicySize).toBeGreaterThan(0)
    expect(answer.PackedPolicySize).toBeLessThan(20)
  })

  test('by ARN must be there', async () => {
    const named = await role([trusting(admin.arn)])
    const PolicyArns = [{ arn: `arn:aws:iam::${account}:policy/missing` }]
    expect(await refused(admin, named, { PolicyArns })).toMatchObject({
      name: 'MalformedPolicyDocumentException',
      message: `Policy arn:aws:iam::${account}:policy/missing does not exist or is not attachable.`,
    })
    expect(
      await refused(admin, named, { PolicyArns: Array(11).fill(PolicyArns[0]) }),
    ).toMatchObject({ name: 'ValidationError' })
  })
})

describe('Tags of a session', () => {
  const Tags = [{ Key: 'project', Value: 'lattice' }]

  test('need sts:TagSession', async () => {
    const without = await role([trusting(admin.arn)])
    expect(await refused(admin, without, { Tags })).toEqual(
      denied(admin, without, 'sts:TagSession'),
    )
    const with_ = await role([trusting(admin.arn, ['sts:AssumeRole', 'sts:TagSession'])])
    expect((await attempt(admin, with_.arn, { Tags })).PackedPolicySize).toBeGreaterThan(0)
  })

  test('can be what the role asks for', async () => {
    const condition = { StringEquals: { 'aws:RequestTag/project': 'lattice' } }
    const actions = ['sts:AssumeRole', 'sts:TagSession']
    const named = await role([trusting(admin.arn, actions, condition)])
    expect((await attempt(admin, named.arn, { Tags })).Credentials).toBeDefined()
    const Others = [{ Key: 'project', Value: 'other' }]
    expect(await refused(admin, named, { Tags: Others })).toEqual(denied(admin, named))
  })

  test.for([
    ['twice', { Tags: [...Tags, { Key: 'PROJECT', Value: '' }] }],
    ['of AWS', { Tags: [{ Key: 'aws:project', Value: '' }] }],
    ['that goes on but is not there', { Tags, TransitiveTagKeys: ['other'] }],
  ] as const)('are refused: a key %s', async ([, differs]) => {
    const named = await role([trusting(admin.arn, ['sts:AssumeRole', 'sts:TagSession'])])
    expect(await refused(admin, named, differs)).toMatchObject({
      name: 'InvalidParameterValue',
      status: 400,
    })
  })

  test('have only so much room', async () => {
    const named = await role([trusting(admin.arn, ['sts:AssumeRole', 'sts:TagSession'])])
    const random = () => Math.random().toString(36).slice(2)
    const Value = () => Array.from({ length: 24 }, random).join('').slice(0, 250)
    const many = Array.from({ length: 40 }, (_, i) => ({ Key: `k${i}`, Value: Value() }))
    expect(await refused(admin, named, { Tags: many })).toMatchObject({
      name: 'PackedPolicyTooLargeException',
      message: expect.stringMatching(
        /^Packed size of session tags consumes \d+% of allotted space\.$/,
      ),
    })
  })
})

describe('A source identity', () => {
  test('needs sts:SetSourceIdentity, and is told', async () => {
    const without = await role([trusting(admin.arn)])
    const SourceIdentity = 'ann'
    expect(await refused(admin, without, { SourceIdentity })).toEqual(
      denied(admin, without, 'sts:SetSourceIdentity'),
    )
    const with_ = await role([trusting(admin.arn, ['sts:AssumeRole', 'sts:SetSourceIdentity'])])
    const answer = await attempt(admin, with_.arn, { SourceIdentity })
    expect(answer.SourceIdentity).toBe('ann')
  })
})

describe('A chain of roles', () => {
  let first: GivenRole
  let second: GivenRole
  beforeAll(async () => {
    const all = ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity']
    first = await role([trusting(admin.arn, all)])
    second = await role([trusting(first.arn, all)], [], { maxSessionSeconds: 43_200 })
  })

  test('works: a session of the first has a session of the second', async () => {
    const session = await assumed(await assumed(admin, first.arn), second.arn)
    expect((await identityOf(session)).Arn).toContain(`assumed-role/${second.record.name}/alice`)
    expect(await refused(admin, second)).toEqual(denied(admin, second))
  })

  test('gives an hour at most', async () => {
    const session = await assumed(admin, first.arn)
    expect(await refused(session, second, { DurationSeconds: 3601 })).toEqual({
      name: 'ValidationError',
      status: 400,
      message:
        'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.',
    })
  })

  test('hands on the tags that are to go on, which then cannot be others', async () => {
    const Tags = [
      { Key: 'project', Value: 'lattice' },
      { Key: 'here', Value: 'only' },
    ]
    const session = await assumed(admin, first.arn, { Tags, TransitiveTagKeys: ['project'] })
    const withTag = { StringEquals: { 'aws:PrincipalTag/project': 'lattice' } }
    const actions = ['sts:AssumeRole', 'sts:TagSession']
    const third = await role([trusting(second.arn, actions, withTag)])
    const fourth = await role([
      trusting(second.arn, actions, { StringEquals: { 'aws:PrincipalTag/here': 'only' } }),
    ])
    const chained = await assumed(session, second.arn)
    expect((await attempt(chained, third.arn)).Credentials).toBeDefined()
    expect(await refused(chained, fourth)).toEqual(denied(chained, fourth))
    const again = { Tags: [{ Key: 'Project', Value: 'other' }] }
    expect(await refused(chained, third, again)).toMatchObject({ name: 'InvalidParameterValue' })
  })

  test('hands on tags only where sts:TagSession is allowed', async () => {
    const Tags = [{ Key: 'project', Value: 'lattice' }]
    const session = await assumed(admin, first.arn, { Tags, TransitiveTagKeys: ['project'] })
    const untagged = await role([trusting(first.arn)])
    expect(await refused(session, untagged)).toEqual(denied(session, untagged, 'sts:TagSession'))
  })

  test('keeps its source identity, wherever it goes', async () => {
    const session = await assumed(admin, first.arn, { SourceIdentity: 'ann' })
    const answer = await attempt(session, second.arn)
    expect(answer.SourceIdentity).toBe('ann')
    expect(await refused(session, second, { SourceIdentity: 'bob' })).toEqual(
      denied(session, second, 'sts:SetSourceIdentity'),
    )
  })
})

describe('The record', () => {
  test('shows role, session and when it ends, and neither secret nor token', async () => {
    const named = await role([trusting(admin.arn)])
    const answer = await attempt(admin, named.arn, {
      RoleSessionName: 'recorded',
      DurationSeconds: 900,
    })
    const records = await recordsOf(stack.services, account)
    const record = records.find(
      ({ requestParameters }) => requestParameters?.roleSessionName === 'recorded',
    )
    expect(record).toMatchObject({
      eventSource: 'sts.amazonaws.com',
      eventName: 'AssumeRole',
      readOnly: true,
      userIdentity: { type: 'IAMUser', arn: admin.arn },
      resources: [{ accountId: account, type: 'AWS::IAM::Role', ARN: named.arn }],
    })
    expect(record?.requestParameters).toEqual({
      roleArn: named.arn,
      roleSessionName: 'recorded',
      durationSeconds: 900,
    })
    const expiration = expect.stringMatching(/^[A-Z][a-z]{2} \d+, \d{4}, \d+:\d\d:\d\d [AP]M$/)
    expect(record?.responseElements).toEqual({
      credentials: { accessKeyId: answer.Credentials?.AccessKeyId, expiration },
      assumedRoleUser: {
        assumedRoleId: `${named.record.principalId}:recorded`,
        arn: `arn:aws:sts::${account}:assumed-role/${named.record.name}/recorded`,
      },
    })
    const { SecretAccessKey = '', SessionToken = '' } = answer.Credentials ?? {}
    const text = JSON.stringify(records)
    for (const secret of [SecretAccessKey, SessionToken]) expect(text).not.toContain(secret)
  })

  test('of a role of another tenant is in the trails of both, and of a refusal in the caller’s', async () => {
    const by = await stack.tenant('888877776666')
    const named = await role([trusting(by.arn)])
    const RoleSessionName = 'shared'
    const { Credentials } = await attempt(by, named.arn, { RoleSessionName })
    const refusedRole = await role([trusting(admin.arn)])
    await refused(by, refusedRole)
    const [own, owners] = await Promise.all(
      [by.account, account].map((each) => recordsOf(stack.services, each)),
    )
    const isShared = ({ requestParameters }: CallRecord) =>
      requestParameters?.roleSessionName === RoleSessionName
    const [mine, theirs] = [own?.find(isShared), owners?.find(isShared)]
    expect(mine).toMatchObject({ userIdentity: { arn: by.arn }, recipientAccountId: by.account })
    expect(theirs).toMatchObject({
      userIdentity: { type: 'AWSAccount', accountId: by.account },
      recipientAccountId: account,
      responseElements: { credentials: { accessKeyId: Credentials?.AccessKeyId } },
    })
    expect(mine?.sharedEventID).toBe(theirs?.sharedEventID)
    const ofRefusal = ({ requestParameters }: CallRecord) =>
      requestParameters?.roleArn === refusedRole.arn
    expect([own?.some(ofRefusal), owners?.some(ofRefusal)]).toEqual([true, false])
  })

  test('is there for a refusal too', async () => {
    const missing = { arn: `arn:aws:iam::${account}:role/recorded-refusal` }
    await refused(admin, missing)
    const record = (await recordsOf(stack.services, account)).find(
      ({ requestParameters }) => requestParameters?.roleArn === missing.arn,
    )
    expect(record).toMatchObject({ errorCode: 'AccessDenied', responseElements: null })
  })

  test('of what a session does names its role', async () => {
    const named = await role([trusting(admin.arn)])
    const session = await assumed(admin, named.arn, { RoleSessionName: 'acting' })
    await identityOf(session)
    const record = (await recordsOf(stack.services, account)).find(
      ({ userIdentity }) => userIdentity.arn === session.arn,
    )
    expect(record?.userIdentity).toEqual({
      type: 'AssumedRole',
      principalId: `${named.record.principalId}:acting`,
      arn: session.arn,
      accountId: account,
      accessKeyId: session.credentials.accessKeyId,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: named.record.principalId,
          arn: named.arn,
          accountId: account,
          userName: named.record.name,
        },
        attributes: {
          creationDate: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          mfaAuthenticated: 'false',
        },
      },
    })
  })

  test('is there for an operation that does not exist', async () => {
    const raw = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetFederationToken&Version=2011-06-15',
    }
    await send(admin.endpoint, { ...raw, headers: await signed(admin, raw, { service: 'sts' }) })
    const record = (await recordsOf(stack.services, account)).find(
      ({ eventName }) => eventName === 'UnknownOperation',
    )
    expect(record).toMatchObject({
      eventSource: 'sts.amazonaws.com',
      errorCode: 'InvalidAction',
      userIdentity: { arn: admin.arn },
    })
  })
})
