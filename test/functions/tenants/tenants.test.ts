import { createPublicKey, verify } from 'node:crypto'
import {
  CreateKeyCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListKeysCommand,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteDueTenants } from '../../../functions/schedule/delete-due-tenants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { bytes, kmsClient } from '../../support/kms.ts'
import type { User } from '../../support/tenants-stack.ts'
import { DAY, givenTimedStack, type TimedStack } from '../../support/timed-stack.ts'

let stack: TimedStack
let next = 200_000_000_000
beforeAll(async () => {
  stack = await givenTimedStack()
})
afterAll(() => stack.close())

const operate = (operation: string, input: object = {}, as: User = stack.operator) =>
  callKeyhold(as, operation, input)

interface Made extends User {
  readonly answer: Readonly<Record<string, unknown>>
}

/** A new tenant, as its administrator. */
async function givenTenant(): Promise<Made> {
  const account = String(++next)
  const { status, body } = await operate('CreateTenant', { Name: 'team', AccountId: account })
  expect(status).toBe(200)
  const { Arn, AccessKeyId, SecretAccessKey } = body.Administrator as Record<string, string>
  return {
    endpoint: stack.operator.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: AccessKeyId ?? '', secretAccessKey: SecretAccessKey ?? '' },
    account: account as User['account'],
    arn: Arn ?? '',
    answer: body,
  }
}

const namesOf = (call: Promise<unknown>): Promise<string> =>
  call.then(
    () => 'no refusal',
    ({ name }: Error) => name,
  )

async function givenKeyOf(user: User): Promise<string> {
  const { KeyMetadata } = await kmsClient(user).send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

const identityOf = ({ endpoint, credentials }: User) =>
  new STSClient({ endpoint, region: 'us-east-1', credentials }).send(
    new GetCallerIdentityCommand({}),
  )

describe('CreateTenant', () => {
  test('makes a tenant whose administrator can work at once', async () => {
    const team = await givenTenant()
    expect(team.answer.Tenant).toMatchObject({
      AccountId: team.account,
      Name: 'team',
      Kind: 'team',
      Status: 'Active',
    })
    expect(await identityOf(team)).toMatchObject({ Account: team.account, Arn: team.arn })
    expect(await givenKeyOf(team)).toContain(`:${team.account}:key/`)
  })

  test('takes an account id of its own when none is wanted', async () => {
    const { body } = await operate('CreateTenant', { Name: 'any', AdministratorName: 'root-user' })
    expect(body.Tenant).toMatchObject({ AccountId: expect.stringMatching(/^[1-9]\d{11}$/) })
    expect(body.Administrator).toMatchObject({ Arn: expect.stringMatching(/:user\/root-user$/) })
  })

  test('refuses the account id of a tenant that is, or was', async () => {
    const { account } = await givenTenant()
    expect((await operate('CreateTenant', { Name: 'again', AccountId: account })).body).toEqual({
      __type: 'EntityAlreadyExistsException',
      message: `There is a tenant ${account}, or was one.`,
    })
  })

  test('tells the secret in its answer, and nowhere else', async () => {
    const team = await givenTenant()
    const described = await operate('DescribeTenant', { AccountId: team.account })
    const listed = await operate('ListTenants')
    const told = JSON.stringify([described, listed])
    expect(told).toContain(team.account)
    expect(told).not.toContain(team.credentials.secretAccessKey)
  })
})

describe('operators', () => {
  const OPERATIONS = [
    ['CreateTenant', { Name: 'x' }],
    ['ListTenants', {}],
    ['DescribeTenant', { AccountId: '111122223333' }],
    ['SuspendTenant', { AccountId: '111122223333' }],
    ['ResumeTenant', { AccountId: '111122223333' }],
    ['DeleteTenant', { AccountId: '111122223333' }],
    ['CancelTenantDeletion', { AccountId: '111122223333' }],
  ] as const

  test.each(OPERATIONS)('alone may call %s', async (operation, input) => {
    const { body } = await operate(operation, input, stack.admin)
    expect(body).toEqual({
      __type: 'AccessDeniedException',
      message: `User: ${stack.admin.arn} is not authorized to perform: keyhold:${operation} because only principals of the operator tenant are`,
    })
  })

  test('have no way to the keys of a tenant, whatever its policies say', async () => {
    const team = await givenTenant()
    const KeyId = await givenKeyOf(team)
    const operator = kmsClient(stack.operator)
    for (const command of [
      new EncryptCommand({ KeyId, Plaintext: bytes('x') }),
      new DescribeKeyCommand({ KeyId }),
      new CreateKeyCommand({}),
      new ListKeysCommand({}),
    ]) {
      expect(await namesOf(operator.send(command as ListKeysCommand))).toBe('AccessDeniedException')
    }
  })

  test('leave their own tenant as it is', async () => {
    const AccountId = stack.operator.account
    for (const operation of ['SuspendTenant', 'DeleteTenant']) {
      expect((await operate(operation, { AccountId })).body).toMatchObject({
        __type: 'UnmodifiableEntityException',
      })
    }
  })

  test('learn that a tenant does not exist', async () => {
    for (const operation of ['DescribeTenant', 'SuspendTenant', 'ResumeTenant', 'DeleteTenant']) {
      expect((await operate(operation, { AccountId: '999900001111' })).body).toEqual({
        __type: 'NoSuchEntityException',
        message: 'There is no tenant 999900001111.',
      })
    }
  })
})

describe('a suspended tenant', () => {
  test('lets nobody sign in, and goes on as it was when it is resumed', async () => {
    const team = await givenTenant()
    const KeyId = await givenKeyOf(team)
    const kms = kmsClient(team)
    const { body } = await operate('SuspendTenant', { AccountId: team.account })
    expect(body.Tenant).toMatchObject({ Status: 'Suspended' })
    expect(await namesOf(kms.send(new DescribeKeyCommand({ KeyId })))).toBe(
      'UnrecognizedClientException',
    )
    await operate('ResumeTenant', { AccountId: team.account })
    expect(await namesOf(kms.send(new DescribeKeyCommand({ KeyId })))).toBe('no refusal')
  })

  test('lets nobody else use its keys', async () => {
    const team = await givenTenant()
    const { KeyMetadata } = await kmsClient(team).send(
      new CreateKeyCommand({
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Principal: '*', Action: 'kms:*', Resource: '*' }],
        }),
      }),
    )
    const KeyId = KeyMetadata?.Arn ?? ''
    const encrypt = () =>
      kmsClient(stack.admin).send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))
    expect(await namesOf(encrypt())).toBe('no refusal')
    await operate('SuspendTenant', { AccountId: team.account })
    expect(await namesOf(encrypt())).toBe('AccessDeniedException')
  })
})

describe('a deleted tenant', () => {
  test('is suspended while it waits, and can be kept', async () => {
    const team = await givenTenant()
    const { body } = await operate('DeleteTenant', {
      AccountId: team.account,
      PendingWindowInDays: 7,
    })
    expect(body.Tenant).toMatchObject({
      Status: 'PendingDeletion',
      DeletionDate: expect.closeTo((stack.now() + 7 * DAY) / 1000, -1),
    })
    expect(await namesOf(identityOf(team))).toBe('InvalidClientTokenId')
    expect(await deleteDueTenants(stack.services)).toBe(0)
    await operate('CancelTenantDeletion', { AccountId: team.account })
    await operate('ResumeTenant', { AccountId: team.account })
    expect(await namesOf(identityOf(team))).toBe('no refusal')
    expect((await operate('CancelTenantDeletion', { AccountId: team.account })).body).toEqual({
      __type: 'InvalidInputException',
      message: `Tenant ${team.account} is not pending deletion.`,
    })
  })

  test('has no key any more, and a signed statement says what was destroyed', async () => {
    const team = await givenTenant()
    const AccountId = team.account
    const [version] = await stack.services.store.tenants.keys(team.account)
    await operate('DeleteTenant', { AccountId, PendingWindowInDays: 7 })
    await stack.advance(7 * DAY + 1000)
    expect(await deleteDueTenants(stack.services)).toBe(1)
    expect(await deleteDueTenants(stack.services)).toBe(0)
    expect(await stack.services.store.tenants.keys(team.account)).toEqual([])
    const tenant = (await operate('DescribeTenant', { AccountId })).body.Tenant as {
      Status: string
      Destruction: { Statement: string; Signature: string }
    }
    expect(tenant.Status).toBe('Deleted')
    const { Statement, Signature } = tenant.Destruction
    expect(JSON.parse(Statement)).toMatchObject({
      Version: 1,
      AccountId,
      Name: 'team',
      TenantKeys: [{ Version: 1, RootKeyId: version?.rootKeyId }],
    })
    const { PublicKey } = (await operate('GetSigningKey', {}, stack.admin)).body as {
      PublicKey: string
    }
    const isSigned = (text: string) =>
      verify(null, Buffer.from(text), createPublicKey(PublicKey), Buffer.from(Signature, 'base64'))
    expect(isSigned(Statement)).toBe(true)
    expect(isSigned(Statement.replace('team', 'hoax'))).toBe(false)
    for (const operation of [
      'ResumeTenant',
      'CancelTenantDeletion',
      'SuspendTenant',
      'DeleteTenant',
    ]) {
      expect((await operate(operation, { AccountId })).body).toMatchObject({
        __type: 'UnmodifiableEntityException',
      })
    }
    expect((await operate('CreateTenant', { Name: 'team', AccountId })).body).toMatchObject({
      __type: 'EntityAlreadyExistsException',
    })
  })

  test('is destroyed to the end by the next run when one was cut short', async () => {
    const team = await givenTenant()
    const { tenants } = stack.services.store
    await operate('DeleteTenant', { AccountId: team.account, PendingWindowInDays: 7 })
    await stack.advance(7 * DAY + 1000)
    const cut = {
      ...stack.services.store,
      tenants: { ...tenants, destroyKey: () => Promise.reject(new Error('cut')) },
    }
    expect(await deleteDueTenants({ ...stack.services, store: cut })).toBe(0)
    expect((await operate('CancelTenantDeletion', { AccountId: team.account })).body).toMatchObject(
      {
        __type: 'InvalidInputException',
      },
    )
    expect(await deleteDueTenants(stack.services)).toBe(1)
    const deleted = await tenants.get(team.account)
    expect(deleted?.status).toBe('Deleted')
    expect(deleted?.destruction).toContain('SealedSha256')
  })
})
