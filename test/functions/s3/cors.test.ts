import {
  type CORSRule,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()

let Bucket: string
let url: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
  url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }))
})

const set = (...CORSRules: CORSRule[]) =>
  s3.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules } }))
const rule = (more: Partial<CORSRule> = {}): CORSRule => ({
  AllowedOrigins: ['https://app.example.com', 'https://*.test.example.com'],
  AllowedMethods: ['GET', 'PUT'],
  AllowedHeaders: ['x-amz-*', 'content-type'],
  ExposeHeaders: ['ETag', 'x-amz-server-side-encryption'],
  MaxAgeSeconds: 600,
  ...more,
})
const ask = (origin: string, method: string, headers = '', of = url) =>
  fetch(of, {
    method: 'OPTIONS',
    headers: {
      origin,
      'access-control-request-method': method,
      ...(headers === '' ? {} : { 'access-control-request-headers': headers }),
    },
  })
const allowed = (answer: Response) =>
  Object.fromEntries(
    [...answer.headers].filter(([name]) => name.startsWith('access-control') || name === 'vary'),
  )

describe('a browser that asks ahead of a presigned request', () => {
  test('is told what the first rule that fits allows', async () => {
    await set(rule({ AllowedMethods: ['DELETE'] }), rule())
    const answer = await ask('https://app.example.com', 'PUT', 'Content-Type, x-amz-date')
    expect(answer.status).toBe(200)
    expect(allowed(answer)).toEqual({
      'access-control-allow-origin': 'https://app.example.com',
      'access-control-allow-methods': 'GET, PUT',
      'access-control-allow-headers': 'Content-Type, x-amz-date',
      'access-control-expose-headers': 'ETag, x-amz-server-side-encryption',
      'access-control-max-age': '600',
      'access-control-allow-credentials': 'true',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    })
  })

  test.each<[string, string, string, boolean]>([
    ['https://one.test.example.com', 'GET', '', true],
    ['https://test.example.com', 'GET', '', false],
    ['https://app.example.com.evil.org', 'GET', '', false],
    ['http://app.example.com', 'GET', '', false],
    ['https://app.example.com', 'DELETE', '', false],
    ['https://app.example.com', 'GET', 'authorization', false],
    ['https://app.example.com', 'GET', 'X-AMZ-META-A', true],
  ])('from %s for %s with the headers "%s": %s', async (origin, method, headers, is) => {
    await set(rule())
    expect((await ask(origin, method, headers)).status).toBe(is ? 200 : 403)
  })

  test('is told of every origin as one, without credentials', async () => {
    await set(rule({ AllowedOrigins: ['*'] }))
    const headers = allowed(await ask('https://anybody.example', 'GET'))
    expect(headers['access-control-allow-origin']).toBe('*')
    expect(headers['access-control-allow-credentials']).toBeUndefined()
  })

  test('learns of no bucket without a key of its tenant, whether there is one or not', async () => {
    await set(rule({ AllowedOrigins: ['*'] }))
    const bodies = await Promise.all(
      [`/${Bucket}/k`, '/no-such-bucket/k', `/${Bucket}/k?X-Amz-Credential=AKIAUNKNOWN/x`].map(
        async (path) => {
          const answer = await ask('https://a.example', 'GET', '', stack.endpoint + path)
          return [
            answer.status,
            (await answer.text()).replace(/<(RequestId|HostId)>.*?<\/\1>/g, ''),
          ]
        },
      ),
    )
    expect(new Set(bodies.map(String)).size).toBe(1)
    expect(bodies[0]?.[0]).toBe(403)
  })
})

describe('a request of a page', () => {
  test('is answered with what the page may see, and a refusal too', async () => {
    await set(rule())
    const headers = { origin: 'https://app.example.com' }
    const read = await fetch(url, { headers })
    expect(allowed(read)['access-control-allow-origin']).toBe('https://app.example.com')
    const missing = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'none' }))
    const refused = await fetch(missing, { headers })
    expect(refused.status).toBe(404)
    expect(allowed(refused)['access-control-allow-origin']).toBe('https://app.example.com')
    const other = await fetch(url, { headers: { origin: 'https://other.example' } })
    expect([other.status, allowed(other)]).toEqual([200, {}])
    expect(allowed(await fetch(url))).toEqual({})
  })
})

describe('the configuration', () => {
  test('is given back until it is deleted', async () => {
    const rules = [rule({ ID: 'one' }), { AllowedOrigins: ['*'], AllowedMethods: ['GET'] }]
    await set(...rules)
    expect((await s3.send(new GetBucketCorsCommand({ Bucket }))).CORSRules).toEqual(rules)
    await s3.send(new DeleteBucketCorsCommand({ Bucket }))
    await expect(s3.send(new GetBucketCorsCommand({ Bucket }))).rejects.toMatchObject({
      name: 'NoSuchCORSConfiguration',
      message: 'The CORS configuration does not exist',
    })
    expect((await ask('https://app.example.com', 'GET')).status).toBe(403)
  })

  test.each<[string, string, Partial<CORSRule>]>([
    [
      'InvalidRequest',
      'Found unsupported HTTP method in CORS config. Unsupported method is PATCH',
      { AllowedMethods: ['PATCH'] },
    ],
    [
      'InvalidRequest',
      'AllowedOrigin "*.*" can not have more than one wildcard.',
      { AllowedOrigins: ['*.*'] },
    ],
    [
      'InvalidRequest',
      'AllowedHeader "*x*" can not have more than one wildcard.',
      { AllowedHeaders: ['*x*'] },
    ],
    [
      'InvalidRequest',
      'ExposeHeader "x-*" contains wildcard. We currently do not support wildcard for ExposeHeader.',
      { ExposeHeaders: ['x-*'] },
    ],
    [
      'InvalidRequest',
      'The ID of a CORS rule cannot be longer than 255 characters.',
      { ID: 'x'.repeat(256) },
    ],
    [
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
      { AllowedOrigins: [] },
    ],
    [
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
      { MaxAgeSeconds: -1 },
    ],
  ])('is refused: %s, %s', async (name, message, more) => {
    await expect(set(rule(more))).rejects.toMatchObject({ name, message })
  })

  test('has a rule at least, and 100 at most', async () => {
    await expect(set()).rejects.toMatchObject({ name: 'MalformedXML' })
    await set(...Array.from({ length: 100 }, () => rule()))
    const many = Array.from({ length: 101 }, () => rule())
    await expect(set(...many)).rejects.toMatchObject({ name: 'MalformedXML' })
  })

  test('needs a digest of its body', async () => {
    const answer = await sendRaw(stack, { method: 'PUT', path: `/${Bucket}`, query: { cors: '' } })
    expect(answer.status).toBe(400)
  })
})
