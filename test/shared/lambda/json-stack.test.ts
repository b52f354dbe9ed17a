/** What the stacks answer when something other than the caller is at fault. */
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { handler as lookupEvents } from '../../../functions/cloudtrail/lookup-events.ts'
import { handler as encrypt } from '../../../functions/kms/encrypt.ts'
import { handler as sts } from '../../../functions/sts/sts.ts'
import type { Handler } from '../../../shared/lambda/middlewares.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

const event = (headers: Record<string, string> = {}): APIGatewayProxyEventV2 =>
  ({
    version: '2.0',
    routeKey: 'POST /kms/Encrypt',
    rawPath: '/kms/Encrypt',
    rawQueryString: '',
    headers: { 'x-keyhold-path': '/', ...headers },
    requestContext: { http: { method: 'POST', sourceIp: '198.51.100.7' } },
    body: '{"Plaintext":"c2VjcmV0"}',
    isBase64Encoded: false,
  }) as unknown as APIGatewayProxyEventV2

const call = (handler: Handler) => handler(event(), {} as Context)

beforeEach(() => {
  vi.stubEnv('KEYHOLD_HSM', 'nothing-that-is-known:/secret-path')
  vi.stubEnv('KEYHOLD_LOG_LEVEL', 'silent')
})
afterEach(() => {
  vi.unstubAllEnvs()
})

test('An environment that cannot be opened is an error of KMS that says nothing', async () => {
  const { statusCode, headers, body } = await call(encrypt)
  expect(statusCode).toBe(500)
  expect(JSON.parse(body ?? '')).toEqual({ __type: 'KMSInternalException' })
  expect(headers?.['x-amzn-requestid']).toMatch(UUID)
  expect(headers?.['content-type']).toBe('application/x-amz-json-1.1')
})

test('For CloudTrail it has another name', async () => {
  const { statusCode, body } = await call(lookupEvents)
  expect([statusCode, JSON.parse(body ?? '')]).toEqual([500, { __type: 'InternalFailure' }])
})

test('For STS it is XML', async () => {
  const { statusCode, headers, body } = await call(sts)
  expect([statusCode, headers?.['content-type']]).toEqual([500, 'text/xml'])
  expect(body).toContain('<Type>Receiver</Type><Code>InternalFailure</Code><Message></Message>')
})
