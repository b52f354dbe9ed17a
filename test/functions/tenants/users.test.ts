import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow, deny } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

const ADMINISTRATOR = 'arn:aws:iam::aws:policy/AdministratorAccess'

let stack: TenantsStack
beforeAll(async () => {
  stack = await givenTenantsStack()
})
afterAll(() => stack.close())

async function done(operation: string, input: object = {}, as: User = stack.admin) {
  const { status, body } = await callKeyhold(as, operation, input)
  expect({ status, body }).toMatchObject({ status: 200 })
  return body
}

const refusal = async (operation: string, input: object = {}, as: User = stack.admin) => {
  const { body } = await callKeyhold(as, operation, input)
  return `${body.__type}: ${body.message}`
}

let names = 0
const fresh = (word: string): string => `${word}-${++names}`

async function givenUser(more: object = {}): Promise<string> {
  const UserName = fresh('user')
  await done('CreateUser', { UserName, ...more })
  return UserName
}

/** Somebody who runs the account, but for these. */
const givenDelegate = (...denied: readonly object[]): Promise<User> =>
  stack.user(stack.admin.account, fresh('delegate'), allow('iam:*'), ...denied)

async function givenPolicy(): Promise<string> {
  const { Policy } = await done('CreatePolicy', {
    PolicyName: fresh('policy'),
    PolicyDocument: JSON.stringify(allow('kms:Decrypt')),
  })
  return (Policy as { Arn: string }).Arn
}

const tag = (Key: string, Value = '1') => ({ Key, Value })
const tags = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) => tag(`key${from + index}`))

describe('what a request must be', () => {
  test.each([
    [{}, "Value null at 'userName' failed to satisfy constraint: Member must not be null"],
    [{ UserName: 'a b' }, 'regular expression pattern: [\\w+=,.@-]+'],
    [{ UserName: 'x'.repeat(65) }, 'length less than or equal to 64'],
    [{ UserName: 'x', Path: 'team' }, "at 'path' failed"],
    [{ UserName: 'x', Path: `/${'x'.repeat(511)}/` }, 'length less than or equal to 512'],
    [
      { UserName: 'x', PermissionsBoundary: 'arn:aws:iam::none:policy/x' },
      "at 'permissionsBoundary'",
    ],
    [{ UserName: 'x', Tags: tags(51) }, 'length less than or equal to 50'],
    [{ UserName: 'x', Tags: [tag('a*')] }, "at 'tags.1.member.key'"],
  ])('%j is no user to create', async (input, message) => {
    const told = await refusal('CreateUser', input)
    expect(told).toMatch(/^ValidationException: 1 validation error detected: /)
    expect(told).toContain(message)
  })

  test('a boundary that is not there makes no user', async () => {
    const UserName = fresh('user')
    const PermissionsBoundary = `arn:aws:iam::${stack.admin.account}:policy/nothing`
    expect(await refusal('CreateUser', { UserName, PermissionsBoundary })).toBe(
      `NoSuchEntityException: Policy ${PermissionsBoundary} does not exist or is not attachable.`,
    )
    expect(await refusal('GetUser', { UserName })).toMatch(/^NoSuchEntityException/)
  })

  test.each([
    'DeleteUser',
    'ListUserPolicies',
    'ListAttachedUserPolicies',
    'ListUserTags',
    'DeleteUserPermissionsBoundary',
    'RevokeUserSessions',
  ])('%s wants a user that is there', async (operation) => {
    expect(await refusal(operation, { UserName: 'nobody' })).toBe(
      'NoSuchEntityException: The user with name nobody cannot be found.',
    )
  })
})

describe('ListUsers', () => {
  test('gives pages by name, and those under a path', async () => {
    const account = await stack.tenant('666677778888')
    for (const [UserName, Path] of [
      ['bob', '/team/a/'],
      ['Cid', '/team/b/'],
      ['Dan', '/'],
    ]) {
      await done('CreateUser', { UserName, Path }, account)
    }
    const seen: unknown[] = []
    for (let Marker: unknown; ; ) {
      const page = await done('ListUsers', { MaxItems: 1, Marker }, account)
      seen.push(...(page.Users as { UserName: string }[]).map(({ UserName }) => UserName))
      Marker = page.Marker
      expect(page.IsTruncated).toBe(Marker !== undefined)
      if (Marker === undefined) break
    }
    expect(seen).toEqual(['admin', 'bob', 'Cid', 'Dan'])
    const { Users } = await done('ListUsers', { PathPrefix: '/team/' }, account)
    expect(Users).toMatchObject([{ UserName: 'bob' }, { UserName: 'Cid' }])
  })

  test.each([0, 1001])('refuses pages of %d', async (MaxItems) => {
    expect(await refusal('ListUsers', { MaxItems })).toMatch(/^ValidationException/)
  })
})

describe('tags', () => {
  test('have keys that differ in more than case', async () => {
    const UserName = await givenUser({ Tags: [tag('Team', 'a')] })
    for (const operation of ['CreateUser', 'TagUser']) {
      const input = { UserName: operation === 'TagUser' ? UserName : fresh('user') }
      expect(await refusal(operation, { ...input, Tags: [tag('a'), tag('A')] })).toBe(
        'InvalidInputException: Duplicate tag keys found. Please note that Tag keys are case insensitive.',
      )
    }
    await done('TagUser', { UserName, Tags: [tag('TEAM', 'b')] })
    expect(await done('ListUserTags', { UserName })).toEqual({
      Tags: [tag('TEAM', 'b')],
      IsTruncated: false,
    })
    await done('UntagUser', { UserName, TagKeys: ['team'] })
    expect((await done('ListUserTags', { UserName })).Tags).toEqual([])
  })

  test('do not begin with aws:', async () => {
    const UserName = await givenUser()
    expect(await refusal('TagUser', { UserName, Tags: [tag('AWS:x')] })).toBe(
      'InvalidInputException: Tag keys that begin with aws: are reserved.',
    )
  })

  test('are fifty at most', async () => {
    const UserName = await givenUser({ Tags: tags(50) })
    expect(await refusal('TagUser', { UserName, Tags: tags(1, 50) })).toBe(
      'LimitExceededException: The number of tags has reached the maximum limit: 50',
    )
    await done('TagUser', { UserName, Tags: tags(1) })
  })
})

describe('policies that are attached', () => {
  test('are ten at most', async () => {
    const UserName = await givenUser()
    for (let count = 0; count < 10; count++) {
      await done('AttachUserPolicy', { UserName, PolicyArn: await givenPolicy() })
    }
    expect(await refusal('AttachUserPolicy', { UserName, PolicyArn: ADMINISTRATOR })).toBe(
      'LimitExceededException: Cannot exceed quota for PoliciesPerUser: 10',
    )
  })

  test('are detached once', async () => {
    const UserName = await givenUser()
    const input = { UserName, PolicyArn: ADMINISTRATOR }
    await done('AttachUserPolicy', input)
    await done('AttachUserPolicy', input)
    await done('DetachUserPolicy', input)
    expect(await refusal('DetachUserPolicy', input)).toBe(
      `NoSuchEntityException: Policy ${ADMINISTRATOR} was not found.`,
    )
  })
})

describe('who runs an account can be kept', () => {
  test('from giving a certain policy', async () => {
    const delegate = await givenDelegate(
      deny('iam:AttachUserPolicy', {
        Condition: { ArnEquals: { 'iam:PolicyARN': ADMINISTRATOR } },
      }),
    )
    const UserName = await givenUser()
    expect(
      await refusal('AttachUserPolicy', { UserName, PolicyArn: ADMINISTRATOR }, delegate),
    ).toMatch(/^AccessDeniedException: .* with an explicit deny in an identity-based policy$/)
    await done('AttachUserPolicy', { UserName, PolicyArn: await givenPolicy() }, delegate)
  })

  test('from whoever has not a certain boundary', async () => {
    const boundary = await givenPolicy()
    const delegate = await givenDelegate(
      deny(['iam:CreateUser', 'iam:Put*', 'iam:Attach*', 'iam:Delete*'], {
        Condition: { StringNotEquals: { 'iam:PermissionsBoundary': boundary } },
      }),
    )
    const UserName = fresh('user')
    expect(await refusal('CreateUser', { UserName }, delegate)).toMatch(/^AccessDenied/)
    await done('CreateUser', { UserName, PermissionsBoundary: boundary }, delegate)
    await done('AttachUserPolicy', { UserName, PolicyArn: ADMINISTRATOR }, delegate)
    const wider = { UserName, PermissionsBoundary: ADMINISTRATOR }
    expect(await refusal('PutUserPermissionsBoundary', wider, delegate)).toMatch(/^AccessDenied/)
    const free = { UserName: await givenUser(), PolicyArn: ADMINISTRATOR }
    expect(await refusal('AttachUserPolicy', free, delegate)).toMatch(/^AccessDenied/)
  })

  test('from users with a certain tag, and from giving it', async () => {
    const delegate = await givenDelegate(
      deny('iam:*', { Condition: { StringEquals: { 'aws:ResourceTag/Team': 'root' } } }),
      deny('iam:*', { Condition: { StringEquals: { 'aws:RequestTag/Team': 'root' } } }),
      deny('iam:UntagUser', {
        Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'Team' } },
      }),
    )
    const Tags = [tag('Team', 'root')]
    const UserName = await givenUser({ Tags })
    const plain = await givenUser()
    for (const [operation, input] of [
      ['CreateAccessKey', { UserName }],
      ['DeleteUser', { UserName }],
      ['CreateUser', { UserName: fresh('user'), Tags }],
      ['TagUser', { UserName: plain, Tags }],
      ['UntagUser', { UserName: plain, TagKeys: ['Team'] }],
    ] as const) {
      expect(await refusal(operation, input, delegate)).toMatch(/^AccessDeniedException/)
    }
    await done('TagUser', { UserName: plain, Tags: [tag('Team', 'a')] }, delegate)
    await done('DeleteUser', { UserName: plain }, delegate)
  })

  test('to users under a path', async () => {
    const account = stack.admin.account
    const limited = await stack.user(
      account,
      fresh('limited'),
      allow('iam:*', { Resource: `arn:aws:iam::${account}:user/team/*` }),
    )
    const UserName = fresh('user')
    await done('CreateUser', { UserName, Path: '/team/' }, limited)
    await done('GetUser', { UserName }, limited)
    expect(await refusal('CreateUser', { UserName: fresh('user') }, limited)).toMatch(/^AccessDen/)
    expect(await refusal('GetUser', { UserName: await givenUser() }, limited)).toMatch(/^AccessDen/)
  })
})

test('Nobody reaches a user of another account', async () => {
  const other = await stack.tenant('777788889999')
  const UserName = await givenUser()
  for (const [operation, more] of [
    ['TagUser', { Tags: [tag('a')] }],
    ['PutUserPolicy', { PolicyName: 'p', PolicyDocument: JSON.stringify(allow('*')) }],
    ['AttachUserPolicy', { PolicyArn: ADMINISTRATOR }],
    ['PutUserPermissionsBoundary', { PermissionsBoundary: ADMINISTRATOR }],
    ['RevokeUserSessions', {}],
  ] as const) {
    expect(await refusal(operation, { UserName, ...more }, other)).toBe(
      `NoSuchEntityException: The user with name ${UserName} cannot be found.`,
    )
  }
  await done('CreateUser', { UserName }, other)
})

test('Changes that are made at the same time are all kept', async () => {
  const UserName = await givenUser()
  const PolicyDocument = JSON.stringify(allow('kms:Sign'))
  const changes = ['a', 'b', 'c'].map((PolicyName) =>
    done('PutUserPolicy', { UserName, PolicyName, PolicyDocument }),
  )
  await Promise.all(changes)
  expect((await done('ListUserPolicies', { UserName })).PolicyNames).toEqual(['a', 'b', 'c'])
})
