import { CreateKeyCommand, DescribeKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { bytes, kmsClient } from '../../support/kms.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
beforeAll(async () => {
  stack = await givenTenantsStack()
})
afterAll(() => stack.close())

const operate = (operation: string, input: object = {}, as: User = stack.operator) =>
  callKeyhold(as, operation, input)

const setRate = (team: User, QuotaName: string, Value?: number) =>
  operate('PutTenantQuota', { AccountId: team.account, QuotaName, Value })

describe('PutTenantQuota', () => {
  test('limits what all principals of a tenant ask for together, and nobody else', async () => {
    const team = await stack.tenant('333344445555')
    const bob = await stack.user(team.account, 'bob', {
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Action: 'kms:*', Resource: '*' }],
    })
    const { KeyMetadata } = await kmsClient(team).send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.Arn
    expect((await setRate(team, 'kms:Symmetric', 0)).body).toEqual({
      Quota: { QuotaName: 'kms:Symmetric', Value: 0, Adjusted: true },
    })
    const Plaintext = bytes('text')
    for (const user of [team, bob]) {
      await expect(
        kmsClient(user).send(new EncryptCommand({ KeyId, Plaintext })),
      ).rejects.toMatchObject({
        name: 'ThrottlingException',
        message:
          'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
        $metadata: { httpStatusCode: 400, attempts: 1 },
      })
      await kmsClient(user).send(new DescribeKeyCommand({ KeyId }))
    }
    const own = await kmsClient(stack.admin).send(new CreateKeyCommand({}))
    await kmsClient(stack.admin).send(
      new EncryptCommand({ KeyId: own.KeyMetadata?.KeyId, Plaintext }),
    )
    expect((await setRate(team, 'kms:Symmetric')).body).toEqual({
      Quota: { QuotaName: 'kms:Symmetric', Adjusted: false },
    })
    await kmsClient(bob).send(new EncryptCommand({ KeyId, Plaintext }))
  })

  test('is charged before anything is looked up, so that refusals tell nothing', async () => {
    const team = await stack.tenant('333344445556')
    await setRate(team, 'kms:DescribeKey', 0)
    for (const KeyId of ['alias/none', 'not a key']) {
      await expect(kmsClient(team).send(new DescribeKeyCommand({ KeyId }))).rejects.toMatchObject({
        name: 'ThrottlingException',
      })
    }
  })

  test.each([
    [{ QuotaName: 'kms:Nothing' }, 'enum value set'],
    [{ QuotaName: 'kms:CreateKey', Value: -1 }, 'greater than or equal to 0'],
    [{ QuotaName: 'kms:CreateKey', Value: 1_000_001 }, 'less than or equal to 1000000'],
    [{}, 'quotaName'],
  ])('refuses %j', async (input, text) => {
    const team = stack.admin.account
    const { status, body } = await operate('PutTenantQuota', { AccountId: team, ...input })
    expect([status, body.__type]).toEqual([400, 'ValidationException'])
    expect(String(body.message)).toContain(text)
  })

  test('is for operators, and about teams', async () => {
    const input = { AccountId: stack.admin.account, QuotaName: 'kms:CreateKey', Value: 1 }
    for (const operation of ['PutTenantQuota', 'ListTenantQuotas']) {
      const { body } = await operate(operation, input, stack.admin)
      expect(body.__type).toBe('AccessDeniedException')
    }
    const own = { ...input, AccountId: stack.operator.account }
    expect((await operate('PutTenantQuota', own)).body.__type).toBe('UnmodifiableEntityException')
    const none = { ...input, AccountId: '999999999999' }
    for (const operation of ['PutTenantQuota', 'ListTenantQuotas']) {
      expect((await operate(operation, none)).body.__type).toBe('NoSuchEntityException')
    }
  })
})

test('ListTenantQuotas shows what is set and what is not limited', async () => {
  const team = await stack.tenant('333344445557')
  await setRate(team, 'kms:CreateKey', 20)
  const { body } = await operate('ListTenantQuotas', { AccountId: team.account })
  expect(body.Quotas).toContainEqual({ QuotaName: 'kms:CreateKey', Value: 20, Adjusted: true })
  expect(body.Quotas).toContainEqual({ QuotaName: 'kms:RSA', Adjusted: false })
})
