import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

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

/** @param sid - as long as the policy is to be large */
const trust = (Sid = ''): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Sid,
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${stack.admin.account}:root` },
        Action: 'sts:AssumeRole',
      },
    ],
  })

let names = 0
const fresh = (): string => `role-${++names}`

async function givenRole(more: object = {}): Promise<string> {
  const RoleName = fresh()
  await done('CreateRole', { RoleName, AssumeRolePolicyDocument: trust(), ...more })
  return RoleName
}

const roleOf = async (RoleName: string) => (await done('GetRole', { RoleName })).Role

describe('a role', () => {
  test('is shown as it was made, listed and deleted', async () => {
    const RoleName = await givenRole({
      Path: '/nightly/',
      Description: 'Copies ledgers',
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    const role = await roleOf(RoleName)
    expect(role).toMatchObject({
      RoleName,
      Path: '/nightly/',
      RoleId: expect.stringMatching(/^AROA[A-Z2-7]{16}$/),
      Arn: `arn:aws:iam::${stack.admin.account}:role/nightly/${RoleName}`,
      AssumeRolePolicyDocument: trust(),
      Description: 'Copies ledgers',
      MaxSessionDuration: 7200,
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    expect((await done('ListRoles', { PathPrefix: '/nightly/' })).Roles).toEqual([role])
    await done('DeleteRole', { RoleName })
    expect(await refusal('GetRole', { RoleName })).toBe(
      `NoSuchEntityException: The role with name ${RoleName} cannot be found.`,
    )
  })

  test('may be called as a user is, but not as another role is', async () => {
    const RoleName = await givenRole()
    await done('CreateUser', { UserName: RoleName })
    const AssumeRolePolicyDocument = trust()
    const name = RoleName.toUpperCase()
    expect(await refusal('CreateRole', { RoleName: name, AssumeRolePolicyDocument })).toBe(
      `EntityAlreadyExistsException: Role with name ${name} already exists.`,
    )
  })

  test('is not deleted while it has policies', async () => {
    const RoleName = await givenRole()
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    const PolicyDocument = JSON.stringify(allow('kms:Sign'))
    await done('PutRolePolicy', { RoleName, PolicyName: 'own', PolicyDocument })
    await done('AttachRolePolicy', { RoleName, PolicyArn })
    expect(await refusal('DeleteRole', { RoleName })).toBe(
      'DeleteConflictException: Cannot delete entity, must delete policies first.',
    )
    await done('DeleteRolePolicy', { RoleName, PolicyName: 'own' })
    expect(await refusal('DeleteRole', { RoleName })).toBe(
      'DeleteConflictException: Cannot delete entity, must detach all policies first.',
    )
    await done('DetachRolePolicy', { RoleName, PolicyArn })
    await done('DeleteRole', { RoleName })
  })

  test('of another account is not there', async () => {
    const RoleName = await givenRole()
    const other = await stack.tenant('888899990000')
    for (const [operation, more] of [
      ['GetRole', {}],
      ['DeleteRole', {}],
      ['UpdateRole', { Description: 'mine' }],
      ['UpdateAssumeRolePolicy', { PolicyDocument: trust() }],
      ['TagRole', { Tags: [] }],
      ['RevokeRoleSessions', {}],
    ] as const) {
      expect(await refusal(operation, { RoleName, ...more }, other)).toBe(
        `NoSuchEntityException: The role with name ${RoleName} cannot be found.`,
      )
    }
    expect((await done('ListRoles', {}, other)).Roles).toEqual([])
  })

  test.each([3599, 43_201])('has no sessions of %d seconds', async (MaxSessionDuration) => {
    const input = { RoleName: fresh(), AssumeRolePolicyDocument: trust(), MaxSessionDuration }
    for (const operation of ['CreateRole', 'UpdateRole']) {
      expect(await refusal(operation, input)).toMatch(/^ValidationException: .*maxSessionDuration/)
    }
  })
})

describe('UpdateRole', () => {
  test('keeps the description that it is not given, and no duration', async () => {
    const RoleName = await givenRole({ Description: 'old', MaxSessionDuration: 7200 })
    await done('UpdateRole', { RoleName, MaxSessionDuration: 10_800 })
    expect(await roleOf(RoleName)).toMatchObject({ Description: 'old', MaxSessionDuration: 10_800 })
    await done('UpdateRole', { RoleName, Description: 'new' })
    expect(await roleOf(RoleName)).toMatchObject({ Description: 'new', MaxSessionDuration: 3600 })
  })
})

describe('policies', () => {
  test('that say who is trusted are as large as IAM takes them', async () => {
    const message = 'LimitExceededException: Cannot exceed quota for ACLSizePerRole: 2048'
    const room = 2048 - trust().length
    const RoleName = await givenRole({ AssumeRolePolicyDocument: trust('a'.repeat(room)) })
    const large = trust('a'.repeat(room + 1))
    expect(
      await refusal('CreateRole', { RoleName: fresh(), AssumeRolePolicyDocument: large }),
    ).toBe(message)
    expect(await refusal('UpdateAssumeRolePolicy', { RoleName, PolicyDocument: large })).toBe(
      message,
    )
  })

  test('of its own are as large together as IAM takes them', async () => {
    const RoleName = await givenRole()
    const own = (Sid: string) => JSON.stringify(allow('kms:Sign', { Sid }))
    const room = 10_240 - own('').length
    const put = { RoleName, PolicyName: 'own' }
    await done('PutRolePolicy', { ...put, PolicyDocument: own('a'.repeat(room)) })
    expect(
      await refusal('PutRolePolicy', { ...put, PolicyDocument: own('a'.repeat(room + 1)) }),
    ).toBe(
      `LimitExceededException: Maximum policy size of 10240 bytes exceeded for role ${RoleName}`,
    )
  })

  test('are JSON of the kind that it has to be', async () => {
    const RoleName = await givenRole()
    const put = { RoleName, PolicyName: 'own' }
    expect(await refusal('PutRolePolicy', { ...put, PolicyDocument: trust() })).toMatch(
      /^MalformedPolicyDocumentException: /,
    )
    const PolicyDocument = JSON.stringify(allow('kms:Sign'))
    expect(await refusal('UpdateAssumeRolePolicy', { RoleName, PolicyDocument })).toMatch(
      /^MalformedPolicyDocumentException: /,
    )
    expect((await done('ListRolePolicies', { RoleName })).PolicyNames).toEqual([])
    expect(await roleOf(RoleName)).toMatchObject({ AssumeRolePolicyDocument: trust() })
  })
})

test('Tags and the boundary of a role come and go', async () => {
  const RoleName = await givenRole()
  await done('TagRole', { RoleName, Tags: [{ Key: 'a', Value: '1' }] })
  expect((await done('ListRoleTags', { RoleName })).Tags).toEqual([{ Key: 'a', Value: '1' }])
  await done('UntagRole', { RoleName, TagKeys: ['A'] })
  expect((await done('ListRoleTags', { RoleName })).Tags).toEqual([])

  const PermissionsBoundary = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await done('PutRolePermissionsBoundary', { RoleName, PermissionsBoundary })
  expect(await roleOf(RoleName)).toMatchObject({
    PermissionsBoundary: { PermissionsBoundaryArn: PermissionsBoundary },
  })
  await done('DeleteRolePermissionsBoundary', { RoleName })
  expect(await roleOf(RoleName)).not.toHaveProperty('PermissionsBoundary')
})
