import { ListKeysCommand } from '@aws-sdk/client-kms'
import {
  GetAccessKeyInfoCommand,
  GetCallerIdentityCommand,
  GetSessionTokenCommand,
} from '@aws-sdk/client-sts'
import { afterAll, expect, test } from 'vitest'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { kmsClient } from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'
import { allowing, assumed, givenRole, stsOf, trusting } from '../../support/sessions.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin } = stack
const user = await stack.user(admin.account, 'lister', {
  Version: '2012-10-17',
  Statement: [allowing('kms:ListKeys')],
})

async function sessionOf(by: User, DurationSeconds?: number) {
  const { Credentials } = await stsOf(by).send(new GetSessionTokenCommand({ DurationSeconds }))
  return {
    ...by,
    expiration: Credentials?.Expiration?.getTime() ?? 0,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    },
  }
}

test('GetSessionToken gives a user credentials that may do what the user may', async () => {
  const session = await sessionOf(user)
  expect(session.credentials.accessKeyId).toMatch(/^ASIA/)
  const { Arn, UserId } = await stsOf(session).send(new GetCallerIdentityCommand({}))
  expect([Arn, UserId]).toEqual([user.arn, expect.stringMatching(/^AIDA/)])
  expect((await kmsClient(session).send(new ListKeysCommand({}))).Keys).toEqual([])
})

test.for([
  [undefined, 43_200],
  [900, 900],
  [129_600, 129_600],
] as const)('with DurationSeconds %s they last %i seconds', async ([asked, lasts]) => {
  const { expiration } = await sessionOf(user, asked)
  expect(Math.abs(expiration - Date.now() - lasts * 1000)).toBeLessThan(5000)
})

test.for([899, 129_601])('DurationSeconds cannot be %i', async (seconds) => {
  const refusal = await refusalOf(sessionOf(user, seconds))
  expect(refusal).toMatchObject({ name: 'ValidationError', status: 400 })
  expect(refusal.message).toMatch(/^1 validation error detected: Value '\d+' at 'durationSeconds'/)
})

test('no session gets another one this way', async () => {
  const role = await givenRole(stack, admin.account, 'r', [trusting(user.arn)])
  for (const session of [await sessionOf(user), await assumed(user, role.arn)])
    expect(await refusalOf(sessionOf(session))).toEqual({
      name: 'AccessDenied',
      status: 403,
      message: 'Cannot call GetSessionToken with session credentials',
    })
})

test('a session of a user does nothing to principals, whatever the user may', async () => {
  const { credentials } = await sessionOf(admin)
  const create = (as: typeof credentials | typeof admin.credentials) =>
    callKeyhold({ ...admin, credentials: as }, 'CreateUser', { UserName: 'made' })
  expect((await create(credentials)).body).toEqual({
    __type: 'AccessDeniedException',
    message: 'Cannot call CreateUser with session credentials',
  })
  expect((await create(admin.credentials)).status).toBe(200)
})

test('what a session of a user begins is a chain', async () => {
  const role = await givenRole(stack, admin.account, 'chained', [trusting(user.arn)], [], {
    maxSessionSeconds: 7200,
  })
  const attempt = assumed(await sessionOf(user), role.arn, { DurationSeconds: 7200 })
  expect(await refusalOf(attempt)).toMatchObject({ name: 'ValidationError' })
})

test('GetAccessKeyInfo tells the account of its own access keys, and nothing of any other', async () => {
  const infoOf = (AccessKeyId: string) =>
    stsOf(admin).send(new GetAccessKeyInfoCommand({ AccessKeyId }))
  expect((await infoOf(user.credentials.accessKeyId)).Account).toBe(admin.account)
  const other = await stack.tenant('444455556666')
  const [foreign, missing] = await Promise.all(
    [other.credentials.accessKeyId, 'AKIAMISSINGMISSING00'].map((id) => refusalOf(infoOf(id))),
  )
  expect(foreign).toMatchObject({ name: 'AccessDenied', status: 403 })
  expect(foreign).toEqual(missing)
})
