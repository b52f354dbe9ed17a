import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { afterAll, describe, expect, test } from 'vitest'
import { type Answer, type RawRequest, send, signed } from '../../support/raw-call.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin } = stack
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const identityOf = async ({ endpoint, region, credentials }: User) => {
  const client = new STSClient({ endpoint, region, credentials })
  const { $metadata, ...identity } = await client.send(new GetCallerIdentityCommand({}))
  return identity
}

const form = (text: string): RawRequest => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded' },
  body: text,
})
const call = async (raw: RawRequest, by: User = admin): Promise<Answer> =>
  send(by.endpoint, { ...raw, headers: await signed(by, raw, { service: 'sts' }) })
const VERSION = 'Version=2011-06-15'

test('GetCallerIdentity tells account, ARN and stable id', async () => {
  expect(await identityOf(admin)).toEqual({
    Account: admin.account,
    Arn: admin.arn,
    UserId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
  })
})

test('GetCallerIdentity cannot be denied, and tells tenants apart', async () => {
  const other = await stack.tenant('444455556666')
  const user = await stack.user(other.account, 'nobody', {
    Version: '2012-10-17',
    Statement: [{ Effect: 'Deny', Action: '*', Resource: '*' }],
  })
  expect(await identityOf(user)).toMatchObject({
    Account: '444455556666',
    Arn: 'arn:aws:iam::444455556666:user/nobody',
  })
})

test('The answer is XML as the Query protocol has it', async () => {
  const { status, headers, body } = await call(form(`Action=GetCallerIdentity&${VERSION}`))
  expect(status).toBe(200)
  expect(headers['content-type']).toBe('text/xml')
  const id = headers['x-amzn-requestid']
  expect(id).toMatch(UUID)
  expect(body.replace(/<UserId>\w+</, '<UserId><')).toBe(
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">' +
      `<GetCallerIdentityResult><Arn>${admin.arn}</Arn><UserId></UserId><Account>${admin.account}</Account></GetCallerIdentityResult>` +
      `<ResponseMetadata><RequestId>${id}</RequestId></ResponseMetadata></GetCallerIdentityResponse>`,
  )
})

test('It can be asked by GET too', async () => {
  const path = `/?Action=GetCallerIdentity&${VERSION}`
  const { status, body } = await call({ method: 'GET', path })
  expect([status, body]).toEqual([200, expect.stringContaining(`<Arn>${admin.arn}</Arn>`)])
})

describe('A refusal is XML too:', () => {
  const told = ({ status, body }: Answer) => ({
    status,
    type: /<Type>(\w*)</.exec(body)?.[1],
    code: /<Code>(\w*)</.exec(body)?.[1],
    message: /<Message>([^<]*)</.exec(body)?.[1],
  })
  const identity = form(`Action=GetCallerIdentity&${VERSION}`)

  test('without a signature', async () => {
    expect(told(await send(admin.endpoint, identity))).toEqual({
      status: 403,
      type: 'Sender',
      code: 'MissingAuthenticationToken',
      message: 'Missing Authentication Token',
    })
  })

  test('with an unknown access key', async () => {
    const credentials = { ...admin.credentials, accessKeyId: 'AKIAUNKNOWNUNKNOWN00' }
    expect(told(await call(identity, { ...admin, credentials }))).toEqual({
      status: 403,
      type: 'Sender',
      code: 'InvalidClientTokenId',
      message: 'The security token included in the request is invalid.',
    })
  })

  test('with a wrong signature', async () => {
    const credentials = { ...admin.credentials, secretAccessKey: 'wrong' }
    expect(told(await call(identity, { ...admin, credentials }))).toMatchObject({
      status: 403,
      code: 'SignatureDoesNotMatch',
    })
  })

  test.for([
    [
      `Action=AssumeRoleWithSAML&${VERSION}`,
      'Could not find operation AssumeRoleWithSAML for version 2011-06-15',
    ],
    ['Action=None', 'Could not find operation None for version NO_VERSION_SPECIFIED'],
    ['', 'Could not find operation  for version NO_VERSION_SPECIFIED'],
    [
      'Action=%3Cscript%3E',
      'Could not find operation &lt;script&gt; for version NO_VERSION_SPECIFIED',
    ],
    ['Action=constructor', 'Could not find operation constructor for version NO_VERSION_SPECIFIED'],
  ] as const)('of %s', async ([body, message]) => {
    expect(told(await call(form(body)))).toEqual({
      status: 400,
      type: 'Sender',
      code: 'InvalidAction',
      message,
    })
  })

  test('tells the id of the request and nothing of the inside', async () => {
    const { headers, body } = await call(form('Action=None'))
    expect(body).toContain(`<RequestId>${headers['x-amzn-requestid']}</RequestId>`)
    expect(body).not.toMatch(/\.ts\b|node_modules/)
  })
})
