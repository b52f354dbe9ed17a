import { hash } from 'node:crypto'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readOrigin, readOriginHead, UntrustedOrigin } from '../../../shared/lambda/origin.ts'

const SECRET = 'of the edge'
const SECRET_HASH = hash('sha256', SECRET, 'buffer')

function givenEvent(
  headers: Record<string, string> = {},
  rest: Partial<APIGatewayProxyEventV2> = {},
): APIGatewayProxyEventV2 {
  const http = {
    method: 'PUT',
    path: '/s3/PutObject',
    protocol: 'HTTP/1.1',
    sourceIp: '192.0.2.1',
    userAgent: '',
  }
  return {
    version: '2.0',
    routeKey: 'PUT /s3/PutObject',
    rawPath: '/s3/PutObject',
    rawQueryString: '',
    headers,
    requestContext: { http } as APIGatewayProxyEventV2['requestContext'],
    isBase64Encoded: false,
    ...rest,
  }
}

test('The request is put together again as the client signed it', () => {
  const event = givenEvent({
    host: 'abc.execute-api.us-east-1.amazonaws.com',
    authorization: 'of somebody between',
    'user-agent': 'aws-cli/2',
    'x-amz-date': '20261123T201800Z',
    'x-amz-cf-id': 'added by CloudFront',
    'x-forwarded-proto': 'https',
    'x-keyhold-authorization': 'AWS4-HMAC-SHA256 …',
    'x-keyhold-host': 'keyhold.example',
    'x-keyhold-path': '/b//a%2F',
    'x-keyhold-query': 'partNumber=1',
    'x-keyhold-source-ip': '203.0.113.9',
    'x-keyhold-origin-secret': SECRET,
  })
  const { request, ...origin } = readOriginHead(event, SECRET_HASH)
  expect(request).toEqual({
    method: 'PUT',
    path: '/b//a%2F',
    query: 'partNumber=1',
    headers: new Map([
      ['user-agent', ['aws-cli/2']],
      ['x-amz-date', ['20261123T201800Z']],
      ['x-forwarded-proto', ['https']],
      ['host', ['keyhold.example']],
      ['authorization', ['AWS4-HMAC-SHA256 …']],
    ]),
  })
  expect(origin).toEqual({
    sourceIp: '203.0.113.9',
    userAgent: 'aws-cli/2',
    secure: true,
    operation: null,
    bucket: '',
  })
})

test('Headers of those between are not taken for the client’s', () => {
  const { request } = readOriginHead(givenEvent({ host: 'api', authorization: 'theirs' }), null)
  expect([...request.headers.keys()]).toEqual([])
})

test('An operation without a function keeps the name that the edge gave it', () => {
  const event = givenEvent({ 'x-keyhold-operation': 'GetBucketPolicy' })
  expect(readOriginHead(event, null).operation).toBe('GetBucketPolicy')
})

describe('The body', () => {
  test('is the exact bytes, as text or as base64', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        const body = Buffer.from(bytes).toString('base64')
        const event = givenEvent({}, { body, isBase64Encoded: true })
        expect(readOrigin(event, null).body).toEqual(Buffer.from(bytes))
      }),
    )
    const text = '\ufeff{"é":"𝔘"}'
    expect(readOrigin(givenEvent({}, { body: text }), null).body).toEqual(Buffer.from(text))
  })

  test('is empty when there is none', () => {
    expect(readOrigin(givenEvent(), null).body).toEqual(Buffer.alloc(0))
  })
})

describe('An event is refused', () => {
  test.each([
    ['without a secret', {}],
    ['with another secret', { 'x-keyhold-origin-secret': 'guessed' }],
    ['with the hash for a secret', { 'x-keyhold-origin-secret': SECRET_HASH.toString('hex') }],
    ['with the secret in another header', { 'x-origin-secret': SECRET }],
  ])('%s', (_, headers) => {
    expect(() => readOrigin(givenEvent(headers), SECRET_HASH)).toThrow(UntrustedOrigin)
    expect(() => readOriginHead(givenEvent(headers), SECRET_HASH)).toThrow(UntrustedOrigin)
  })
})
