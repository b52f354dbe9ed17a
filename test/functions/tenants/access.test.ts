import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow, givenGrant } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { kmsClient } from '../../support/kms.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let reader: User
let writer: User
let nobody: User
let KeyId = ''
beforeAll(async () => {
  stack = await givenTenantsStack()
  const { account } = stack.admin
  reader = await stack.user(account, 'reader', allow('kms:Decrypt'))
  writer = await stack.user(
    account,
    'writer',
    allow('kms:Encrypt', { Condition: { StringEquals: { 'kms:EncryptionContext:App': 'a' } } }),
  )
  nobody = await stack.user(account, 'nobody')
  await stack.tenant('444455556666')
  const { KeyMetadata } = await kmsClient(stack.admin).send(new CreateKeyCommand({}))
  KeyId = KeyMetadata?.Arn ?? ''
})
afterAll(() => stack.close())

const listAccess = (Action: string, as: User = stack.admin) =>
  callKeyhold(as, 'ListAccess', { KeyId, Action })

const accessesOf = async (Action: string) => {
  const { body } = await listAccess(Action)
  const principals = body.Principals as { PrincipalArn: string; Access: string }[]
  return Object.fromEntries(principals.map(({ PrincipalArn, Access }) => [PrincipalArn, Access]))
}

const compare = (Policy: object, as: User = stack.admin) =>
  callKeyhold(as, 'CompareKeyPolicies', {
    KeyId,
    Policy: JSON.stringify(Policy),
    Actions: ['kms:Decrypt', 'kms:PutKeyPolicy'],
  })

describe('ListAccess', () => {
  test('tells who may, always or under conditions, and nobody else', async () => {
    expect(await accessesOf('kms:Decrypt')).toEqual({
      [stack.admin.arn]: 'Allowed',
      [reader.arn]: 'Allowed',
    })
    expect(await accessesOf('kms:Encrypt')).toEqual({
      [stack.admin.arn]: 'Allowed',
      [writer.arn]: 'Conditional',
    })
  })

  test('tells by which path, and what the conditions want', async () => {
    const { body } = await listAccess('kms:Encrypt')
    expect(body.Principals).toContainEqual({
      PrincipalArn: writer.arn,
      Access: 'Conditional',
      Statements: [
        {
          PolicyType: 'KeyPolicy',
          StatementIndex: 0,
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
        },
        {
          PolicyType: 'IdentityPolicy',
          PolicyName: 'policy0',
          StatementIndex: 0,
          Effect: 'Allow',
          Conditions: [
            { Operator: 'StringEquals', Key: 'kms:EncryptionContext:App', Wanted: ['a'] },
          ],
        },
      ],
      Grants: [],
    })
  })

  test('tells of grants', async () => {
    const { grantId } = await givenGrant(kmsClient(stack.admin), KeyId, nobody, {
      Operations: ['GenerateDataKey'],
      Constraints: { EncryptionContextSubset: { App: 'a' } },
    })
    const { body } = await listAccess('kms:GenerateDataKey')
    expect(body.Principals).toContainEqual(
      expect.objectContaining({
        PrincipalArn: nobody.arn,
        Access: 'Conditional',
        Grants: [{ GrantId: grantId, Constrained: true }],
      }),
    )
  })

  test('is for whoever may read the key policy', async () => {
    expect((await listAccess('kms:Decrypt', reader)).body).toMatchObject({
      __type: 'AccessDeniedException',
    })
  })
})

describe('CompareKeyPolicies', () => {
  const only = (...principals: readonly string[]) => ({
    Version: '2012-10-17',
    Statement: principals.map((AWS) => ({
      Effect: 'Allow',
      Principal: { AWS },
      Action: 'kms:*',
      Resource: '*',
    })),
  })

  test('tells who could do what otherwise than now', async () => {
    const { status, body } = await compare(only(stack.admin.arn, writer.arn, '444455556666'))
    expect(status).toBe(200)
    expect(body).toEqual({
      KeyId,
      Changes: [
        { PrincipalArn: reader.arn, Action: 'kms:Decrypt', Before: 'Allowed', After: 'Denied' },
        { PrincipalArn: writer.arn, Action: 'kms:Decrypt', Before: 'Denied', After: 'Allowed' },
        {
          PrincipalArn: writer.arn,
          Action: 'kms:PutKeyPolicy',
          Before: 'Denied',
          After: 'Allowed',
        },
      ],
      OutsideAdded: ['arn:aws:iam::444455556666:root'],
      OutsideRemoved: [],
      LocksOut: false,
    })
  })

  test('tells that a policy would lock its author out', async () => {
    expect((await compare(only(writer.arn))).body).toMatchObject({ LocksOut: true })
  })

  test('refuses what PutKeyPolicy refuses', async () => {
    const nobodyAtAll = `arn:aws:iam::${stack.admin.account}:user/gone`
    expect((await compare(only(nobodyAtAll))).body).toEqual({
      __type: 'MalformedPolicyDocumentException',
      message: 'Policy contains a statement with one or more invalid principals.',
    })
  })

  test('changes nothing', async () => {
    await compare(only(writer.arn))
    expect(await accessesOf('kms:Decrypt')).toHaveProperty([reader.arn])
  })
})
