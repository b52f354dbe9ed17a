import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda'
import { afterAll, expect, test } from 'vitest'
import { handler } from '../../../functions/sts/exchange.ts'
import { recordsOf } from '../../support/ledger-records.ts'
import { send } from '../../support/raw-call.ts'
import { givenRole, stsOf, trusting } from '../../support/sessions.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

process.env.KEYHOLD_CACHE_SECONDS = '0'
process.env.KEYHOLD_LOG_LEVEL = 'silent'
const roleArn = (name: string) => `arn:aws:iam::111122223333:role/${name}`
const CI = 'arn:aws:iam::999988887777:role/path/ci'
process.env.KEYHOLD_AWS_CALLERS = JSON.stringify([
  { aws: CI, role: roleArn('First') },
  { aws: CI, role: roleArn('Second') },
  { aws: CI, role: roleArn('Missing') },
  { aws: 'arn:aws:iam::999988887777:user/ann', role: roleArn('First') },
  { aws: 'arn:aws:iam::111122223333:user/admin', role: roleArn('Wary') },
])
const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin } = stack
const { account } = admin
const Federated = `arn:aws:iam::${account}:oidc-provider/sts.amazonaws.com`
const trustingAws = (sub: string) =>
  trusting({ Federated }, 'sts:AssumeRoleWithWebIdentity', {
    StringEquals: { 'sts.amazonaws.com:sub': sub, 'sts.amazonaws.com:aud': '999988887777' },
  })
const ci = trustingAws('arn:aws:iam::999988887777:role/ci')
const first = await givenRole(stack, account, 'First', [ci])
await givenRole(stack, account, 'Second', [ci])
// An account of AWS is no tenant, whatever its number.
await givenRole(stack, account, 'Wary', [
  trusting(`arn:aws:iam::${account}:root`),
  trusting(admin.arn),
])

const SESSION = 'arn:aws:sts::999988887777:assumed-role/ci/build-7'

/** The event that API Gateway builds behind its IAM authorizer. */
const eventOf = (iam: object | null, body?: object): APIGatewayProxyEventV2 =>
  ({
    version: '2.0',
    rawPath: '/sts/exchange',
    headers: { 'user-agent': 'curl' },
    requestContext: {
      http: { method: 'POST', path: '/sts/exchange', sourceIp: '203.0.113.9', userAgent: 'curl' },
      ...(iam === null ? {} : { authorizer: { iam } }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
    isBase64Encoded: false,
  }) as unknown as APIGatewayProxyEventV2

async function exchange(userArn: string | null, body?: object, accountId = '999988887777') {
  const iam = userArn === null ? null : { userArn, accountId, userId: 'AROA:x', callerId: 'x' }
  const { statusCode, body: text } = await handler(eventOf(iam, body), {} as Context)
  return { status: statusCode, json: JSON.parse(text ?? '') as Record<string, string> }
}
const REFUSED = {
  status: 403,
  json: { __type: 'AccessDenied', message: expect.stringContaining('No AWS identity came') },
}

test('A session of a role of AWS gets credentials of the role that it is mapped to', async () => {
  const { status, json } = await exchange(SESSION)
  expect([status, json]).toEqual([
    200,
    {
      Version: 1,
      AccessKeyId: expect.stringMatching(/^ASIA/),
      SecretAccessKey: expect.any(String),
      SessionToken: expect.any(String),
      Expiration: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/),
      AssumedRoleUser: {
        AssumedRoleId: `${first.record.principalId}:build-7`,
        Arn: `arn:aws:sts::${account}:assumed-role/First/build-7`,
      },
    },
  ])
  const credentials = {
    accessKeyId: json.AccessKeyId ?? '',
    secretAccessKey: json.SecretAccessKey ?? '',
    sessionToken: json.SessionToken ?? '',
  }
  const identity = await stsOf({ ...admin, credentials }).send(new GetCallerIdentityCommand({}))
  expect(identity.Arn).toBe(`arn:aws:sts::${account}:assumed-role/First/build-7`)
  const records = await recordsOf(stack.services, account)
  expect(records.find(({ eventName }) => eventName === 'ExchangeCredentials')).toMatchObject({
    sourceIPAddress: '203.0.113.9',
    userIdentity: {
      type: 'WebIdentityUser',
      identityProvider: 'sts.amazonaws.com',
      userName: 'arn:aws:iam::999988887777:role/ci',
    },
    requestParameters: { roleArn: first.arn },
  })
})

test('A caller with several roles may say which', async () => {
  const { json } = await exchange(SESSION, { RoleArn: roleArn('Second'), DurationSeconds: 900 })
  expect(json.AssumedRoleUser).toMatchObject({ Arn: expect.stringContaining('/Second/') })
  expect(Math.abs(Date.parse(json.Expiration ?? '') - Date.now() - 900_000)).toBeLessThan(5000)
})

test.for([
  ['nobody', null],
  ['a role of another name', 'arn:aws:sts::999988887777:assumed-role/ci2/build'],
  ['a role whose name ends so', 'arn:aws:sts::999988887777:assumed-role/xci/build'],
  ['a user of the role’s name', 'arn:aws:iam::999988887777:user/ci'],
  ['a session that is named as the role', 'arn:aws:sts::999988887777:assumed-role/x/ci'],
  ['the root of the account', 'arn:aws:iam::999988887777:root'],
] as const)('%s is mapped to nothing', async ([, arn]) => {
  expect(await exchange(arn)).toEqual(REFUSED)
})

test('the same role of another account is mapped to nothing', async () => {
  const arn = 'arn:aws:sts::111122223333:assumed-role/ci/build'
  expect(await exchange(arn, undefined, '111122223333')).toEqual(REFUSED)
  expect(await exchange(arn)).toEqual(REFUSED)
})

test('no caller gets a role that it is not mapped to', async () => {
  expect(await exchange(SESSION, { RoleArn: roleArn('Wary') })).toEqual(REFUSED)
})

test('the role must trust the caller, and must be there', async () => {
  const denied = {
    status: 403,
    json: {
      __type: 'AccessDenied',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    },
  }
  expect(await exchange('arn:aws:iam::999988887777:user/ann')).toEqual(denied)
  expect(await exchange(SESSION, { RoleArn: roleArn('Missing') })).toEqual(denied)
  const admins = 'arn:aws:iam::111122223333:user/admin'
  expect(await exchange(admins, undefined, account)).toEqual(denied)
})

test('a longer session than the role has is refused in JSON', async () => {
  expect(await exchange(SESSION, { DurationSeconds: 7200 })).toMatchObject({
    status: 400,
    json: { __type: 'ValidationError' },
  })
  expect(await exchange(SESSION, { DurationSeconds: 1 })).toMatchObject({ status: 400 })
})

test('On a local stack nobody vouches for callers, whatever they send', async () => {
  const authorizer = JSON.stringify({ iam: { userArn: SESSION, accountId: '999988887777' } })
  const { status, body } = await send(admin.endpoint, {
    path: '/sts/exchange',
    headers: { 'content-type': 'application/json', 'x-keyhold-authorizer': authorizer },
    body: `{"requestContext":{"authorizer":${authorizer}}}`,
  })
  expect({ status, json: JSON.parse(body) }).toEqual(REFUSED)
})
