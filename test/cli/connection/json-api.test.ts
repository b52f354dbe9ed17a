import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Connection } from '../../../cli/connection/connection.ts'
import { callJson, KEYHOLD, pagesOf } from '../../../cli/connection/json-api.ts'
import { openKms } from '../../../cli/connection/kms.ts'
import { callSts } from '../../../cli/connection/query-api.ts'
import { Failure, Refusal } from '../../../cli/problem.ts'

interface Reply {
  readonly status?: number
  readonly body: string
  readonly headers?: Readonly<Record<string, string>>
}

const asked: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = []
let replies: Reply[] = []
const server = createServer(async (request, response) => {
  asked.push({ headers: request.headers, body: await text(request) })
  const { status = 200, body, headers = {} } = replies.shift() ?? { status: 500, body: '' }
  response.writeHead(status, { 'x-amzn-requestid': 'the-id', ...headers }).end(body)
})
let connection: Connection

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  connection = {
    endpoint: `http://127.0.0.1:${port}`,
    region: 'eu-west-1',
    credentials: { accessKeyId: 'AKIAEXAMPLE', secretAccessKey: 's', sessionToken: 'the-token' },
    source: 'test',
  }
})
afterAll(() => server.close())

const replying = (...next: readonly Reply[]): void => {
  replies = [...next]
  asked.length = 0
}
const call = (operation: string, input: object) =>
  callJson<Readonly<Record<string, unknown>>>(connection, KEYHOLD, operation, input)

test('A call names its operation, is signed, and carries dates as seconds', async () => {
  replying({ body: '{}' })
  await call('ExplainRequest', { RequestId: 'x', Since: new Date(1500), EventId: undefined })
  const [request] = asked
  expect(request?.headers).toMatchObject({
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'Keyhold.ExplainRequest',
    'x-amz-security-token': 'the-token',
    authorization: expect.stringMatching(/Credential=AKIAEXAMPLE\/\d{8}\/eu-west-1\/keyhold\//),
  })
  expect(JSON.parse(request?.body ?? '')).toEqual({ RequestId: 'x', Since: 1.5 })
})

test('Seconds come back as dates, by the names of the members', async () => {
  replying({ body: '{"User":{"CreateDate":1.5,"MaxSessionDuration":3600},"Expiration":0}' })
  expect(await call('GetUser', {})).toEqual({
    User: { CreateDate: new Date(1500), MaxSessionDuration: 3600 },
    Expiration: new Date(0),
  })
})

test.each([
  [
    '{"__type":"NoSuchEntityException","message":"Not here."}',
    'NoSuchEntityException',
    'Not here.',
  ],
  ['{"__type":"com.amazonaws#Throttling","Message":"Slow."}', 'Throttling', 'Slow.'],
  ['{}', 'HTTP 400', ''],
])('A refusal %s has its code, its message and the request id', async (body, code, message) => {
  replying({ status: 400, body })
  const refusal = await call('GetUser', {}).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refusal)
  expect(refusal).toMatchObject({ code, message, requestId: 'the-id' })
})

test.each(['<html>', '', 'null', '7'])(
  'What is not of the service is said to be that: %j',
  async (body) => {
    replying({ status: 502, body }, { status: 502, body })
    await expect(call('GetUser', {})).rejects.toThrow(body === '' ? Refusal : /not Keyhold.*502/)
    await expect(callSts(connection, 'GetCallerIdentity', {})).rejects.toThrow(/not Keyhold.*502/)
  },
)

test('STS answers text, and refuses with its own form of error', async () => {
  const result =
    '<GetCallerIdentityResult><Account>000000000001</Account></GetCallerIdentityResult>'
  const error = '<Error><Code>AccessDenied</Code><Message>No &amp; no.</Message></Error>'
  replying(
    { body: `<GetCallerIdentityResponse>${result}</GetCallerIdentityResponse>` },
    { status: 403, body: `<ErrorResponse>${error}</ErrorResponse>` },
  )
  expect(await callSts(connection, 'GetCallerIdentity', {})).toEqual({ Account: '000000000001' })
  expect(new URLSearchParams(asked[0]?.body).get('Action')).toBe('GetCallerIdentity')
  await expect(callSts(connection, 'AssumeRole', { RoleArn: 'a' })).rejects.toMatchObject({
    code: 'AccessDenied',
    message: 'No & no.',
    requestId: 'the-id',
  })
})

test('All pages of a list are asked for, each by the marker of the one before', async () => {
  replying(
    { body: '{"Users":[1,2],"IsTruncated":true,"Marker":"m1"}' },
    { body: '{"Users":[],"IsTruncated":true,"Marker":"m2"}' },
    { body: '{"Users":[3],"IsTruncated":false}' },
  )
  const ask = (input: object) => call('ListUsers', input)
  const pages = await Array.fromAsync(pagesOf<number>(ask, 'Users', { PathPrefix: '/a/' }))
  expect(pages).toEqual([[1, 2], [], [3]])
  expect(asked.map(({ body }) => JSON.parse(body))).toEqual([
    { PathPrefix: '/a/' },
    { PathPrefix: '/a/', Marker: 'm1' },
    { PathPrefix: '/a/', Marker: 'm2' },
  ])
})

test('Lists with tokens go on as long as there is one', async () => {
  replying({ body: '{"Events":[1],"NextToken":"t"}' }, { body: '{"Events":[2]}' })
  const pages = await Array.fromAsync(pagesOf((input) => call('LookupEvents', input), 'Events', {}))
  expect(pages).toEqual([[1], [2]])
  expect(JSON.parse(asked[1]?.body ?? '')).toEqual({ NextToken: 't' })
})

test('The client of KMS gives the same errors as all others', async () => {
  replying({ status: 400, body: '{"__type":"NotFoundException","message":"No such key."}' })
  const { client, sdk } = await openKms(connection)
  const refusal = await client.send(new sdk.ListKeysCommand({})).catch((error: unknown) => error)
  expect(refusal).toBeInstanceOf(Refusal)
  expect(refusal).toMatchObject({
    code: 'NotFoundException',
    message: 'No such key.',
    requestId: 'the-id',
  })
  const nowhere = await openKms({ ...connection, endpoint: 'http://127.0.0.1:9' })
  const failure = await nowhere.client
    .send(new sdk.ListKeysCommand({}))
    .catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(Failure)
  expect(failure).not.toBeInstanceOf(Refusal)
})
