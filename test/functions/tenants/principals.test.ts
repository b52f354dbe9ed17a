import {
  CreateGrantCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListGrantsCommand,
  ListKeysCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { AssumeRoleCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { bytes, kmsClient } from '../../support/kms.ts'
import type { User } from '../../support/tenants-stack.ts'
import { givenTimedStack, type TimedStack } from '../../support/timed-stack.ts'

let stack: TimedStack
let other: User
let KeyId = ''
beforeAll(async () => {
  stack = await givenTimedStack()
  other = await stack.tenant('444455556666')
  KeyId = (await stack.kms.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
})
afterAll(() => stack.close())

const iam = (operation: string, input: object = {}, as: User = stack.admin) =>
  callKeyhold(as, operation, input)

/** The answer to a call that succeeds. */
async function done(operation: string, input: object = {}, as: User = stack.admin) {
  const { status, body } = await iam(operation, input, as)
  expect(body).not.toHaveProperty('__type')
  expect(status).toBe(200)
  return body
}

const refusal = async (operation: string, input: object = {}, as: User = stack.admin) => {
  const { body } = await iam(operation, input, as)
  return `${body.__type}: ${body.message}`
}

let names = 0
const fresh = (word: string): string => `${word}-${++names}`

async function givenUser(policy?: object): Promise<User & { readonly name: string }> {
  const UserName = fresh('user')
  const { User: made } = await done('CreateUser', { UserName })
  if (policy !== undefined) {
    await done('PutUserPolicy', {
      UserName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify(policy),
    })
  }
  return { ...(await signingAs(UserName)), name: UserName, arn: (made as { Arn: string }).Arn }
}

async function signingAs(UserName: string): Promise<User> {
  const { AccessKey } = await done('CreateAccessKey', { UserName })
  const { AccessKeyId, SecretAccessKey } = AccessKey as Record<string, string>
  return {
    ...stack.admin,
    credentials: { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' },
    arn: `arn:aws:iam::${stack.admin.account}:user/${UserName}`,
  }
}

async function givenPolicy(document: object): Promise<string> {
  const { Policy } = await done('CreatePolicy', {
    PolicyName: fresh('policy'),
    PolicyDocument: JSON.stringify(document),
  })
  return (Policy as { Arn: string }).Arn
}

const encrypt = (as: User) =>
  kmsClient(as)
    .send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))
    .then(
      () => 'allowed',
      ({ name }: Error) => name,
    )

describe('a user', () => {
  test('is made, shown, listed and deleted', async () => {
    const UserName = fresh('ada')
    const input = { UserName, Path: '/team/', Tags: [{ Key: 'team', Value: 'a' }] }
    const { User: made } = await done('CreateUser', input)
    expect(made).toMatchObject({
      UserName,
      Path: '/team/',
      UserId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
      Arn: `arn:aws:iam::${stack.admin.account}:user/team/${UserName}`,
      Tags: [{ Key: 'team', Value: 'a' }],
    })
    expect((await done('GetUser', { UserName })).User).toEqual(made)
    expect((await done('ListUsers', { PathPrefix: '/team/' })).Users).toContainEqual(made)
    await done('DeleteUser', { UserName })
    expect(await refusal('GetUser', { UserName })).toBe(
      `NoSuchEntityException: The user with name ${UserName} cannot be found.`,
    )
  })

  test('has a name that no other has, in whatever case', async () => {
    const { name } = await givenUser()
    const UserName = name.toUpperCase()
    expect(await refusal('CreateUser', { UserName })).toBe(
      `EntityAlreadyExistsException: User with name ${UserName} already exists.`,
    )
  })

  test('is not deleted while it has access keys or policies', async () => {
    const { name: UserName, credentials } = await givenUser(allow('kms:Encrypt'))
    const PolicyArn = await givenPolicy(allow('kms:Encrypt'))
    await done('AttachUserPolicy', { UserName, PolicyArn })
    expect(await refusal('DeleteUser', { UserName })).toBe(
      'DeleteConflictException: Cannot delete entity, must delete access keys first.',
    )
    await done('DeleteAccessKey', { UserName, AccessKeyId: credentials.accessKeyId })
    expect(await refusal('DeleteUser', { UserName })).toBe(
      'DeleteConflictException: Cannot delete entity, must delete policies first.',
    )
    await done('DeleteUserPolicy', { UserName, PolicyName: 'own' })
    expect(await refusal('DeleteUser', { UserName })).toBe(
      'DeleteConflictException: Cannot delete entity, must detach all policies first.',
    )
    await done('DetachUserPolicy', { UserName, PolicyArn })
    await done('DeleteUser', { UserName })
  })

  test('asks for itself without a name', async () => {
    const user = await givenUser(allow('iam:GetUser'))
    expect((await done('GetUser', {}, user)).User).toMatchObject({ UserName: user.name })
  })

  test('of another account is not there', async () => {
    const { name: UserName } = await givenUser()
    for (const operation of ['GetUser', 'DeleteUser', 'ListAccessKeys', 'CreateAccessKey']) {
      expect(await refusal(operation, { UserName }, other)).toMatch(/^NoSuchEntityException/)
    }
    expect(JSON.stringify(await done('ListUsers', {}, other))).not.toContain(UserName)
  })

  test('may do nothing that its policies do not allow', async () => {
    const user = await givenUser()
    expect(await refusal('CreateUser', { UserName: 'x' }, user)).toBe(
      `AccessDeniedException: User: ${user.arn} is not authorized to perform: iam:CreateUser on resource: arn:aws:iam::${stack.admin.account}:user/x because no identity-based policy allows the iam:CreateUser action`,
    )
    expect(await encrypt(user)).toBe('AccessDeniedException')
  })

  test('tags are added, replaced and taken away', async () => {
    const { name: UserName } = await givenUser()
    await done('TagUser', {
      UserName,
      Tags: [
        { Key: 'a', Value: '1' },
        { Key: 'b', Value: '1' },
      ],
    })
    await done('TagUser', { UserName, Tags: [{ Key: 'a', Value: '2' }] })
    await done('UntagUser', { UserName, TagKeys: ['b'] })
    expect((await done('GetUser', { UserName })).User).toMatchObject({
      Tags: [{ Key: 'a', Value: '2' }],
    })
  })
})

describe('policies', () => {
  test('inline: take effect at once, and are given back', async () => {
    const user = await givenUser(allow('kms:Encrypt'))
    const { name: UserName } = user
    expect(await encrypt(user)).toBe('allowed')
    expect(await done('ListUserPolicies', { UserName })).toMatchObject({ PolicyNames: ['own'] })
    expect(await done('GetUserPolicy', { UserName, PolicyName: 'own' })).toEqual({
      UserName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify(allow('kms:Encrypt')),
    })
    await done('DeleteUserPolicy', { UserName, PolicyName: 'own' })
    expect(await encrypt(user)).toBe('AccessDeniedException')
    expect(await refusal('GetUserPolicy', { UserName, PolicyName: 'own' })).toBe(
      'NoSuchEntityException: The user policy with name own cannot be found.',
    )
  })

  test('inline: are no larger together than IAM takes', async () => {
    const { name: UserName } = await givenUser()
    const large = (Sid: string) => JSON.stringify(allow('kms:Encrypt', { Sid: Sid.repeat(1000) }))
    await done('PutUserPolicy', { UserName, PolicyName: 'a', PolicyDocument: large('a') })
    expect(
      await refusal('PutUserPolicy', { UserName, PolicyName: 'b', PolicyDocument: large('b') }),
    ).toBe(
      `LimitExceededException: Maximum policy size of 2048 bytes exceeded for user ${UserName}`,
    )
  })

  test.each([
    ['{', 'Syntax errors in policy.'],
    [
      JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 'kms:*' } }),
      'Policy statement must contain resources.',
    ],
    [
      JSON.stringify(allow('kms:*', { Principal: '*' })),
      'Policy document should not specify a principal.',
    ],
  ])('%s is refused', async (PolicyDocument, message) => {
    expect(await refusal('CreatePolicy', { PolicyName: 'bad', PolicyDocument })).toBe(
      `MalformedPolicyDocumentException: ${message}`,
    )
  })

  test('managed: take effect in their default version while they are attached', async () => {
    const user = await givenUser()
    const { name: UserName } = user
    const PolicyArn = await givenPolicy(allow('kms:Decrypt'))
    await done('AttachUserPolicy', { UserName, PolicyArn })
    expect(await encrypt(user)).toBe('AccessDeniedException')
    await done('CreatePolicyVersion', {
      PolicyArn,
      PolicyDocument: JSON.stringify(allow('kms:Encrypt')),
      SetAsDefault: true,
    })
    expect(await encrypt(user)).toBe('allowed')
    expect((await done('ListPolicyVersions', { PolicyArn })).Versions).toMatchObject([
      { VersionId: 'v2', IsDefaultVersion: true },
      { VersionId: 'v1', IsDefaultVersion: false },
    ])
    await done('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' })
    expect(await encrypt(user)).toBe('AccessDeniedException')
    await done('SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v2' })
    await done('DetachUserPolicy', { UserName, PolicyArn })
    expect(await encrypt(user)).toBe('AccessDeniedException')
  })

  test('managed: are not deleted while they are attached, or have versions', async () => {
    const { name: UserName } = await givenUser()
    const PolicyArn = await givenPolicy(allow('kms:Decrypt'))
    await done('PutUserPermissionsBoundary', { UserName, PermissionsBoundary: PolicyArn })
    expect(await refusal('DeletePolicy', { PolicyArn })).toBe(
      'DeleteConflictException: Cannot delete a policy attached to entities.',
    )
    await done('DeleteUserPermissionsBoundary', { UserName })
    const PolicyDocument = JSON.stringify(allow('kms:Sign'))
    await done('CreatePolicyVersion', { PolicyArn, PolicyDocument })
    expect(await refusal('DeletePolicy', { PolicyArn })).toMatch(
      /^DeleteConflictException: This policy has more/,
    )
    expect(await refusal('DeletePolicyVersion', { PolicyArn, VersionId: 'v1' })).toBe(
      'DeleteConflictException: Cannot delete the default version of a policy.',
    )
    await done('DeletePolicyVersion', { PolicyArn, VersionId: 'v2' })
    await done('DeletePolicy', { PolicyArn })
    expect(await refusal('GetPolicy', { PolicyArn })).toBe(
      `NoSuchEntityException: Policy ${PolicyArn} was not found.`,
    )
  })

  test('managed: of AWS, and those of the own account only', async () => {
    const user = await givenUser()
    const { name: UserName } = user
    const foreign = (
      await done(
        'CreatePolicy',
        { PolicyName: 'theirs', PolicyDocument: JSON.stringify(allow('*')) },
        other,
      )
    ).Policy as { Arn: string }
    expect(await refusal('AttachUserPolicy', { UserName, PolicyArn: foreign.Arn })).toBe(
      `NoSuchEntityException: Policy ${foreign.Arn} does not exist or is not attachable.`,
    )
    const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
    await done('AttachUserPolicy', { UserName, PolicyArn })
    expect(await done('ListAttachedUserPolicies', { UserName })).toMatchObject({
      AttachedPolicies: [{ PolicyName: 'AdministratorAccess', PolicyArn }],
    })
    expect(await encrypt(user)).toBe('allowed')
  })

  test('a boundary limits what policies allow', async () => {
    const user = await givenUser(allow('kms:*'))
    const { name: UserName } = user
    const PermissionsBoundary = await givenPolicy(allow('kms:Describe*'))
    await done('PutUserPermissionsBoundary', { UserName, PermissionsBoundary })
    await expect(
      kmsClient(user).send(new EncryptCommand({ KeyId, Plaintext: bytes('x') })),
    ).rejects.toMatchObject({
      message: expect.stringMatching(
        /because no permissions boundary allows the kms:Encrypt action$/,
      ),
    })
    await kmsClient(user).send(new DescribeKeyCommand({ KeyId }))
    await done('DeleteUserPermissionsBoundary', { UserName })
    expect(await encrypt(user)).toBe('allowed')
  })
})

describe('access keys', () => {
  test('are two for each user, shown without their secrets', async () => {
    const user = await givenUser()
    const { name: UserName } = user
    await done('CreateAccessKey', { UserName })
    expect(await refusal('CreateAccessKey', { UserName })).toBe(
      'LimitExceededException: Cannot exceed quota for AccessKeysPerUser: 2',
    )
    const listed = await done('ListAccessKeys', { UserName })
    expect(listed.AccessKeyMetadata).toHaveLength(2)
    expect(JSON.stringify(listed)).not.toContain(user.credentials.secretAccessKey)
    const trail = JSON.stringify(await stack.records())
    expect(trail).toContain('CreateAccessKey')
    expect(trail).not.toContain(user.credentials.secretAccessKey)
  })

  test('do not sign while they are inactive, nor once they are deleted', async () => {
    const user = await givenUser(allow('kms:GenerateRandom'))
    const of = { UserName: user.name, AccessKeyId: user.credentials.accessKeyId }
    const random = () =>
      kmsClient(user)
        .send(new GenerateRandomCommand({ NumberOfBytes: 1 }))
        .then(
          () => 'allowed',
          ({ name }: Error) => name,
        )
    expect(await random()).toBe('allowed')
    await done('UpdateAccessKey', { ...of, Status: 'Inactive' })
    expect(await random()).toBe('UnrecognizedClientException')
    await done('UpdateAccessKey', { ...of, Status: 'Active' })
    expect(await random()).toBe('allowed')
    await done('DeleteAccessKey', of)
    expect(await random()).toBe('UnrecognizedClientException')
    expect(await refusal('DeleteAccessKey', of)).toBe(
      `NoSuchEntityException: The Access Key with id ${of.AccessKeyId} cannot be found.`,
    )
  })

  test('of somebody else are not there', async () => {
    const [one, another] = [await givenUser(), await givenUser()]
    const of = { UserName: one.name, AccessKeyId: another.credentials.accessKeyId }
    expect(await refusal('DeleteAccessKey', of)).toMatch(/^NoSuchEntityException/)
    expect(await refusal('UpdateAccessKey', { ...of, Status: 'Inactive' })).toMatch(
      /^NoSuchEntityException/,
    )
  })
})

describe('in a key policy', () => {
  const policyOf = (AWS: string): string => {
    const statement = (principal: string) => ({
      Effect: 'Allow',
      Principal: { AWS: principal },
      Action: 'kms:*',
      Resource: '*',
    })
    return JSON.stringify({
      Version: '2012-10-17',
      Statement: [statement(stack.admin.arn), statement(AWS)],
    })
  }
  const givenKeyFor = async (AWS: string): Promise<string> => {
    const { KeyMetadata } = await stack.kms.send(new CreateKeyCommand({ Policy: policyOf(AWS) }))
    return KeyMetadata?.Arn ?? ''
  }
  const describes = (key: string, as: User) =>
    kmsClient(as)
      .send(new DescribeKeyCommand({ KeyId: key }))
      .then(
        () => 'allowed',
        ({ name }: Error) => name,
      )
  const shown = async (key: string) =>
    (await stack.kms.send(new GetKeyPolicyCommand({ KeyId: key }))).Policy ?? ''

  test('a user is shown by its ARN, and one of the same name later regains nothing', async () => {
    const user = await givenUser()
    const { name: UserName } = user
    const key = await givenKeyFor(user.arn)
    expect(await describes(key, user)).toBe('allowed')
    expect(await shown(key)).toContain(user.arn)
    const { User: before } = await done('GetUser', { UserName })
    await done('DeleteAccessKey', { UserName, AccessKeyId: user.credentials.accessKeyId })
    await done('DeleteUser', { UserName })
    await done('CreateUser', { UserName })
    expect(await describes(key, await signingAs(UserName))).toBe('AccessDeniedException')
    expect(await shown(key)).not.toContain(user.arn)
    expect(await shown(key)).toContain((before as { UserId: string }).UserId)
  })

  test('a role is named, and one that does not exist is refused', async () => {
    const RoleName = fresh('reader')
    const AssumeRolePolicyDocument = JSON.stringify({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Principal: { AWS: stack.admin.arn }, Action: 'sts:AssumeRole' },
    })
    const { Role } = await done('CreateRole', { RoleName, AssumeRolePolicyDocument })
    const { Arn } = Role as { Arn: string }
    const key = await givenKeyFor(Arn)
    expect(await shown(key)).toContain(Arn)
    const sts = new STSClient({ ...stack.admin, region: 'us-east-1' })
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn: Arn, RoleSessionName: 'a1' }),
    )
    const credentials = {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    }
    expect(await describes(key, { ...stack.admin, credentials })).toBe('allowed')
    await expect(givenKeyFor(`${Arn}x`)).rejects.toMatchObject({
      name: 'MalformedPolicyDocumentException',
    })
  })
})

describe('a role', () => {
  const trusting = (AWS: string): string =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS }, Action: 'sts:AssumeRole' }],
    })

  const assume = async (RoleArn: string, as: User) => {
    const sts = new STSClient({
      endpoint: as.endpoint,
      region: 'us-east-1',
      credentials: as.credentials,
    })
    const { Credentials } = await sts.send(
      new AssumeRoleCommand({ RoleArn, RoleSessionName: 'night' }),
    )
    const { AccessKeyId = '', SecretAccessKey = '', SessionToken = '' } = Credentials ?? {}
    const credentials = {
      accessKeyId: AccessKeyId,
      secretAccessKey: SecretAccessKey,
      sessionToken: SessionToken,
    }
    return { ...as, credentials }
  }

  test('is assumed by whom it trusts, and may what its policies allow', async () => {
    const RoleName = fresh('deploy')
    const user = await givenUser()
    const made = (
      await done('CreateRole', { RoleName, AssumeRolePolicyDocument: trusting(user.arn) })
    ).Role as { Arn: string }
    expect(made).toMatchObject({ RoleName, MaxSessionDuration: 3600 })
    expect((await done('GetRole', { RoleName })).Role).toEqual(made)
    await done('PutRolePolicy', {
      RoleName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify(allow('kms:Encrypt')),
    })
    const session = await assume(made.Arn, user)
    expect(await encrypt(session)).toBe('allowed')
    await expect(kmsClient(session).send(new ListKeysCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
    })
    await expect(assume(made.Arn, await givenUser())).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await done('UpdateAssumeRolePolicy', { RoleName, PolicyDocument: trusting(stack.admin.arn) })
    await expect(assume(made.Arn, user)).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test('and a session of it can be given a grant', async () => {
    const RoleName = fresh('worker')
    const { Role } = await done('CreateRole', {
      RoleName,
      AssumeRolePolicyDocument: trusting(stack.admin.arn),
    })
    const { Arn } = Role as { Arn: string }
    const session = await assume(Arn, stack.admin)
    const sessionArn = `arn:aws:sts::${stack.admin.account}:assumed-role/${RoleName}/night`
    for (const GranteePrincipal of [Arn, sessionArn]) {
      expect(await encrypt(session)).toBe('AccessDeniedException')
      const { GrantId } = await stack.kms.send(
        new CreateGrantCommand({ KeyId, GranteePrincipal, Operations: ['Encrypt'] }),
      )
      expect(await encrypt(session)).toBe('allowed')
      const { Grants } = await stack.kms.send(new ListGrantsCommand({ KeyId, GrantId }))
      expect(Grants).toMatchObject([{ GranteePrincipal }])
      await stack.kms.send(new RevokeGrantCommand({ KeyId, GrantId }))
    }
  })

  test('loses the sessions that began before they were revoked', async () => {
    const RoleName = fresh('deploy')
    const { Role } = await done('CreateRole', {
      RoleName,
      AssumeRolePolicyDocument: trusting(stack.admin.arn),
    })
    await done('PutRolePolicy', {
      RoleName,
      PolicyName: 'own',
      PolicyDocument: JSON.stringify(allow('kms:Encrypt')),
    })
    const session = await assume((Role as { Arn: string }).Arn, stack.admin)
    expect(await encrypt(session)).toBe('allowed')
    await stack.advance(1000)
    await done('RevokeRoleSessions', { RoleName })
    expect(await encrypt(session)).not.toBe('allowed')
  })

  test.each([
    ['{', 'This policy contains invalid Json'],
    [
      JSON.stringify({
        Version: '2012-10-17',
        Statement: { Effect: 'Allow', Principal: '*', Action: 'sts:AssumeRole', Resource: '*' },
      }),
      'Has prohibited field Resource',
    ],
  ])('that trusts %s is refused', async (AssumeRolePolicyDocument, message) => {
    expect(await refusal('CreateRole', { RoleName: 'bad', AssumeRolePolicyDocument })).toBe(
      `MalformedPolicyDocumentException: ${message}`,
    )
  })
})
