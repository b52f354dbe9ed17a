/** What users of one account may do: identity policies, key policies, and what refusals give away. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { bytes, givenAlias, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const key = await givenKey(kms)
const alias = await givenAlias(kms, key.keyId)
const aliasArn = key.arn.replace(/key\/.*/, alias)

const statement = (Effect: string, Action: unknown, more: object = {}) => ({
  Version: '2012-10-17',
  Statement: [{ Effect, Action, Resource: '*', ...more }],
})
const allow = (Action: unknown, more: object = {}) => statement('Allow', Action, more)

const denied = ({ arn }: User, action: string, rest: string) =>
  refused('AccessDeniedException', `User: ${arn} is not authorized to perform: ${action} ${rest}`)
const describe_ = (by: User, KeyId: string) =>
  refusalOf(kmsClient(by).send(new DescribeKeyCommand({ KeyId })))

describe('Within an account', () => {
  test('a user without permission is told so, by the policy that lacks it', async () => {
    const user = await stack.user(admin.account, 'nobody')
    expect(await describe_(user, key.keyId)).toEqual(
      denied(
        user,
        'kms:DescribeKey',
        `on resource: ${key.arn} because no identity-based policy allows the kms:DescribeKey action`,
      ),
    )
    const list = kmsClient(user).send(new ListKeysCommand({}))
    expect(await refusalOf(list)).toEqual(
      denied(
        user,
        'kms:ListKeys',
        'on resource: * because no identity-based policy allows the kms:ListKeys action',
      ),
    )
  })

  test('the key policy must leave the key to the account', async () => {
    const user = await stack.user(admin.account, 'user-of-none', allow('kms:*'))
    const closed = await givenKey(kms)
    await kms.send(
      new PutKeyPolicyCommand({
        KeyId: closed.keyId,
        Policy: JSON.stringify({
          Statement: [{ Effect: 'Allow', Principal: { AWS: admin.arn }, Action: 'kms:*' }],
        }),
        BypassPolicyLockoutSafetyCheck: true,
      }),
    )
    expect(await describe_(user, closed.keyId)).toEqual(
      denied(
        user,
        'kms:DescribeKey',
        `on resource: ${closed.arn} because no resource-based policy allows the kms:DescribeKey action`,
      ),
    )
  })

  test('a key policy can allow a user by itself, and a deny wins over it', async () => {
    const user = await stack.user(admin.account, 'named')
    const named = await givenKey(kms)
    const policyWith = (Effect: string) =>
      new PutKeyPolicyCommand({
        KeyId: named.keyId,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            {
              Effect: 'Allow',
              Principal: { AWS: [admin.arn, user.arn] },
              Action: 'kms:*',
              Resource: '*',
            },
            { Effect, Principal: { AWS: user.arn }, Action: 'kms:DescribeKey', Resource: '*' },
          ],
        }),
      })
    await kms.send(policyWith('Allow'))
    const { KeyMetadata } = await kmsClient(user).send(
      new DescribeKeyCommand({ KeyId: named.keyId }),
    )
    expect(KeyMetadata?.Arn).toBe(named.arn)
    await kms.send(policyWith('Deny'))
    expect(await describe_(user, named.keyId)).toEqual(
      denied(
        user,
        'kms:DescribeKey',
        `on resource: ${named.arn} with an explicit deny in a resource-based policy`,
      ),
    )
  })

  test('whoever may not use a key does not learn its state', async () => {
    const user = await stack.user(admin.account, 'curious')
    const disabled = await givenKey(kms)
    const encrypt = () =>
      kmsClient(user).send(new EncryptCommand({ KeyId: disabled.keyId, Plaintext: bytes('x') }))
    const before = await refusalOf(encrypt())
    await kms.send(new DisableKeyCommand({ KeyId: disabled.keyId }))
    expect(before.name).toBe('AccessDeniedException')
    expect(await refusalOf(encrypt())).toEqual(before)
  })

  test('whoever may not use keys does not learn which exist', async () => {
    const user = await stack.user(admin.account, 'searching')
    const absent = '00000000-0000-0000-0000-000000000000'
    const existing = await describe_(user, key.keyId)
    const missing = await describe_(user, absent)
    expect(missing).toEqual({
      ...existing,
      message: existing.message?.replace(key.keyId, absent),
    })
    expect((await describe_(user, 'alias/absent')).name).toBe('AccessDeniedException')
  })

  test('the encryption context can decide', async () => {
    const Condition = { StringEquals: { 'kms:EncryptionContext:team': 'payments' } }
    const user = await stack.user(admin.account, 'team', allow('kms:Encrypt', { Condition }))
    const encrypt = (EncryptionContext: Record<string, string>) =>
      kmsClient(user).send(
        new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x'), EncryptionContext }),
      )
    await encrypt({ team: 'payments' })
    expect((await refusalOf(encrypt({ team: 'ledger' }))).name).toBe('AccessDeniedException')
    expect((await refusalOf(encrypt({}))).name).toBe('AccessDeniedException')
  })

  test('the alias in the request can decide', async () => {
    const Condition = { StringEquals: { 'kms:RequestAlias': alias } }
    const user = await stack.user(admin.account, 'by-alias', allow('kms:Encrypt', { Condition }))
    const encrypt = (KeyId: string) =>
      kmsClient(user).send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))
    await encrypt(alias)
    await encrypt(aliasArn)
    expect((await refusalOf(encrypt(key.keyId))).name).toBe('AccessDeniedException')
  })

  test('whoever may use an alias learns that there is no key behind it', async () => {
    const Condition = { StringEquals: { 'kms:RequestAlias': 'alias/to-come' } }
    const user = await stack.user(admin.account, 'to-come', allow('kms:*', { Condition }))
    expect((await describe_(user, 'alias/to-come')).name).toBe('NotFoundException')
    expect((await describe_(user, 'alias/another')).name).toBe('AccessDeniedException')
  })

  test('the tags of the key can decide', async () => {
    const Condition = { StringEquals: { 'aws:ResourceTag/team': 'payments' } }
    const user = await stack.user(admin.account, 'by-tag', allow('kms:*', { Condition }))
    const tagged = await givenKey(kms)
    expect((await describe_(user, tagged.keyId)).name).toBe('AccessDeniedException')
    const Tags = [{ TagKey: 'team', TagValue: 'payments' }]
    await kms.send(new TagResourceCommand({ KeyId: tagged.keyId, Tags }))
    await kmsClient(user).send(new DescribeKeyCommand({ KeyId: tagged.keyId }))
  })

  test('tags at creation are a permission of their own', async () => {
    const user = await stack.user(admin.account, 'creator', allow('kms:CreateKey'))
    const create = (input: object) => kmsClient(user).send(new CreateKeyCommand(input))
    await create({})
    expect(await refusalOf(create({ Tags: [{ TagKey: 'a', TagValue: '' }] }))).toEqual(
      denied(
        user,
        'kms:TagResource',
        'on resource: * because no identity-based policy allows the kms:TagResource action',
      ),
    )
  })

  test('an alias takes permission on the alias and on the key', async () => {
    const name = newAliasName()
    const nameArn = aliasArn.replace(alias, name)
    const create = (user: User) =>
      refusalOf(
        kmsClient(user).send(new CreateAliasCommand({ AliasName: name, TargetKeyId: key.keyId })),
      )
    const withKey = await stack.user(
      admin.account,
      'with-key',
      allow('kms:CreateAlias', { Resource: key.arn }),
    )
    const withAlias = await stack.user(
      admin.account,
      'with-alias',
      allow('kms:CreateAlias', { Resource: nameArn }),
    )
    const because = 'because no identity-based policy allows the kms:CreateAlias action'
    expect(await create(withKey)).toEqual(
      denied(withKey, 'kms:CreateAlias', `on resource: ${nameArn} ${because}`),
    )
    expect(await create(withAlias)).toEqual(
      denied(withAlias, 'kms:CreateAlias', `on resource: ${key.arn} ${because}`),
    )
  })
})
