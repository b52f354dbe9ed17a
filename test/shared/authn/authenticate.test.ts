import { createHash, createHmac } from 'node:crypto'
import { describe, expect, test, vi } from 'vitest'
import type { Authentication, Authenticator } from '../../../shared/authn/authenticate.ts'
import type { AuthenticationFailure } from '../../../shared/authn/failure.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import type { Service } from '../../../shared/authn/service-rules.ts'
import { SigningKeys } from '../../../shared/authn/signing-key.ts'
import { givenTenants } from '../../support/memory-tenants.ts'
import {
  ACCOUNT,
  given,
  givenAuthenticator,
  NOW,
  presigned,
  REGION,
  received,
  region,
  type Signing,
  signed,
  type Unsigned,
  withHeaders,
} from './given.ts'

const BODY = Buffer.from('{"KeyId":"alias/payments"}')
const ENCRYPT = {
  headers: {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'TrentService.Encrypt',
    'content-length': String(BODY.length),
  },
  body: BODY,
}
const GET_OBJECT = { method: 'GET', path: '/bucket/key' }
const PUT_OBJECT = { method: 'PUT', path: '/bucket/key' }
const EMPTY_SHA256 = createHash('sha256').digest('hex')

/** An authenticator and one way to ask it: `attempt` signs, lets the test change the request, and asks. */
async function givenService(
  service: Service,
  options: Parameters<typeof givenAuthenticator>[0] = {},
) {
  const stack = await givenAuthenticator(options)
  const ask = (request: SignedRequest, body: Buffer | null = service === 's3' ? null : BODY) =>
    stack.authenticator.authenticate(request, { service, body })
  const attempt = async (
    change: (request: SignedRequest) => SignedRequest = (request) => request,
    unsigned: Unsigned = service === 's3' ? s3Of('UNSIGNED-PAYLOAD') : ENCRYPT,
    signing: Partial<Signing> = {},
  ) => ask(change(await signed(unsigned, { credentials: stack.credentials, service, ...signing })))
  return { ...stack, ask, attempt }
}

const s3Of = (payload: string, unsigned: Unsigned = PUT_OBJECT): Unsigned => ({
  ...unsigned,
  headers: { ...unsigned.headers, 'x-amz-content-sha256': payload },
})

function failureOf(answer: Authentication): AuthenticationFailure {
  if (answer.ok) throw new Error('The request was taken.')
  return answer.failure
}

const changeAuthorization =
  (from: string | RegExp, to: string) =>
  (request: SignedRequest): SignedRequest => {
    const [authorization] = given(request.headers.get('authorization'))
    const changed = given(authorization).replace(from, to)
    if (changed === authorization) throw new Error('The test changes nothing.')
    return withHeaders(request, { authorization: changed })
  }

const changeQuery =
  (from: string | RegExp, to: string) =>
  (request: SignedRequest): SignedRequest => {
    const query = request.query.replace(from, to)
    if (query === request.query) throw new Error('The test changes nothing.')
    return { ...request, query }
  }

describe('a signed request', () => {
  test('is taken, and gives the caller that the access key stands for', async () => {
    const { attempt, administrator } = await givenService('kms')
    expect(await attempt()).toEqual({
      ok: true,
      caller: {
        account: ACCOUNT,
        kind: 'User',
        arn: 'arn:aws:iam::111122223333:user/admin',
        principalArn: 'arn:aws:iam::111122223333:user/admin',
        principalId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
        userId: administrator.principalId,
        userName: 'admin',
        accessKeyId: administrator.accessKeyId,
        policies: [expect.objectContaining({ name: 'AdministratorAccess' })],
        boundary: null,
        sessionPolicies: null,
        tags: [],
        operator: false,
        quotas: {},
        session: null,
      },
      region: REGION,
      payload: { kind: 'hash', sha256: createHash('sha256').update(BODY).digest('hex') },
      presigned: false,
    })
  })

  test('is taken in each Region that is served, and gives that Region', async () => {
    const paris = region('eu-west-3')
    const { attempt } = await givenService('kms', { regions: [REGION, paris] })
    const answer = await attempt(undefined, undefined, { region: paris })
    expect(answer).toMatchObject({ ok: true, region: paris })
  })

  test('is taken with a Date header in place of X-Amz-Date', async () => {
    const { ask, credentials } = await givenService('kms')
    const date = new Date(NOW).toUTCString()
    const body = createHash('sha256').update(BODY).digest('hex')
    const canonical = `POST\n/\n\ndate:${date}\nhost:kms.example.com\n\ndate;host\n${body}`
    const scope = '20261123/eu-central-1/kms/aws4_request'
    const hash = createHash('sha256').update(canonical).digest('hex')
    const hmac = (key: string | Buffer, text: string) =>
      createHmac('sha256', key).update(text).digest()
    const key = scope.split('/').reduce(hmac, Buffer.from(`AWS4${credentials.secretAccessKey}`))
    const text = `AWS4-HMAC-SHA256\n20261123T101500Z\n${scope}\n${hash}`
    const authorization =
      `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope},` +
      `SignedHeaders=date;host,Signature=${hmac(key, text).toString('hex')}`
    const headers = { date, host: 'kms.example.com', authorization }
    const request = received({ method: 'POST', path: '/', query: {}, headers })
    expect((await ask(request)).ok).toBe(true)
    const later = new Date(NOW + 1000).toUTCString()
    expect(failureOf(await ask(withHeaders(request, { date: later }))).kind).toBe('mismatch')
  })

  test('is taken with headers that were added on the way', async () => {
    const { attempt } = await givenService('kms')
    const added = { 'x-amz-cf-id': 'abc', 'x-amzn-trace-id': 'Root=1', 'x-forwarded-for': '::1' }
    expect((await attempt((request) => withHeaders(request, added))).ok).toBe(true)
  })

  test('is taken whatever Content-Type was added after signing', async () => {
    const { attempt } = await givenService('s3')
    const added = { 'content-type': 'text/plain' }
    expect((await attempt((request) => withHeaders(request, added))).ok).toBe(true)
  })
})

describe('a request that is not authentic is refused', () => {
  test('without any signature', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt((request) => withHeaders(request, { authorization: null }))
    expect(failureOf(answer)).toEqual({ kind: 'missing' })
  })

  test.each(['AWS AKIAIOSFODNN7EXAMPLE:c2lnbmF0dXJl', 'Bearer token', 'Basic dXNlcjpwYXNz', ''])(
    'with the Authorization header "%s"',
    async (authorization) => {
      const { attempt } = await givenService('kms')
      const answer = await attempt((request) => withHeaders(request, { authorization }))
      expect(failureOf(answer)).toEqual({ kind: 'unsupported-mechanism' })
    },
  )

  test('with parts of the Authorization header missing, all of which are named', async () => {
    const { attempt } = await givenService('kms')
    const headers = { authorization: 'AWS4-HMAC-SHA256 Credential=', 'x-amz-date': null }
    expect(failureOf(await attempt((request) => withHeaders(request, headers)))).toEqual({
      kind: 'incomplete',
      via: 'header',
      missing: ['Credential', 'Signature', 'SignedHeaders', 'Date'],
    })
  })

  test.each([
    '2026-11-23T10:15:00Z',
    '20261123T101500',
    '20261123T101500.000Z',
    '20261131T101500Z',
    '20261123T101560Z',
    'x',
  ])('with the date %s', async (date) => {
    const { attempt } = await givenService('kms')
    const answer = await attempt((request) => withHeaders(request, { 'x-amz-date': date }))
    expect(failureOf(answer)).toEqual({ kind: 'bad-date', via: 'header', given: date })
  })

  test('with another algorithm', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(changeAuthorization('AWS4-HMAC-SHA256', 'AWS4-HMAC-SHA1'))
    expect(failureOf(answer)).toEqual({
      kind: 'bad-algorithm',
      via: 'header',
      given: 'AWS4-HMAC-SHA1',
    })
  })

  test.each(['/kms', '/aws4_request', '/eu-central-1'])(
    'with a credential that lacks %s',
    async (part) => {
      const { attempt } = await givenService('kms')
      const answer = await attempt(changeAuthorization(part, ''))
      expect(failureOf(answer).kind).toBe('malformed-credential')
    },
  )

  test('with a credential of six parts', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(changeAuthorization('/kms/', '/kms/kms/'))
    expect(failureOf(answer).kind).toBe('malformed-credential')
  })

  test('with a scope that is wrong in every part, each of which is named', async () => {
    const { attempt } = await givenService('kms')
    const scope = '/20261122/us-east-1/execute-api/aws4'
    const answer = await attempt(changeAuthorization(/\/20261123[^,]*/, scope))
    expect(failureOf(answer)).toEqual({
      kind: 'wrong-scope',
      via: 'header',
      faults: [
        { part: 'region', given: 'us-east-1', expected: 'eu-central-1' },
        { part: 'service', given: 'execute-api', expected: 'kms' },
        { part: 'terminator', given: 'aws4' },
        { part: 'day', given: '20261122', expected: '20261123', date: '20261123T101500Z' },
      ],
    })
  })

  test('with a scope in other capitals', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(changeAuthorization('/kms/', '/KMS/'))
    expect(failureOf(answer).kind).toBe('wrong-scope')
  })

  test('with a signature under another secret', async () => {
    const { attempt, credentials } = await givenService('kms')
    const wrong = { ...credentials, secretAccessKey: `${credentials.secretAccessKey}x` }
    const answer = await attempt(undefined, undefined, { credentials: wrong })
    const { accessKeyId } = credentials
    expect(failureOf(answer)).toEqual({ kind: 'mismatch', accessKeyId })
  })

  test.each([
    ['cut', /.$/, ''],
    ['longer', /$/, '0'],
    ['not hex', /.$/, 'g'],
    ['in capitals', /Signature=.*/, `Signature=${'AB'.repeat(32)}`],
    ['all zero', /Signature=.*/, `Signature=${'00'.repeat(32)}`],
  ])('with a signature that is %s', async (_name, from, to) => {
    const { attempt } = await givenService('kms')
    expect(failureOf(await attempt(changeAuthorization(from, to))).kind).toBe('mismatch')
  })

  test('with a signed header that did not come along', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt((request) => withHeaders(request, { 'content-type': null }))
    expect(failureOf(answer).kind).toBe('mismatch')
  })

  test('with another body than the one that was signed', async () => {
    const { ask, credentials } = await givenService('kms')
    const request = await signed(ENCRYPT, { credentials })
    const answer = await ask(request, Buffer.from('{"KeyId":"alias/salaries"}'))
    expect(failureOf(answer).kind).toBe('mismatch')
  })

  test.each([
    'UNSIGNED-PAYLOAD',
    'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    EMPTY_SHA256,
    '',
  ])('by a service that signs the body, with x-amz-content-sha256 "%s"', async (payload) => {
    const { attempt } = await givenService('kms')
    const headers = { ...ENCRYPT.headers, 'x-amz-content-sha256': payload }
    const answer = await attempt(undefined, { ...ENCRYPT, headers })
    expect(failureOf(answer)).toEqual({ kind: 'body-hash' })
  })

  test('with a session token, which a long-term access key has not', async () => {
    const { attempt, credentials } = await givenService('kms')
    const temporary = { ...credentials, sessionToken: 'token' }
    const answer = await attempt(undefined, undefined, { credentials: temporary })
    expect(failureOf(answer)).toEqual({ kind: 'bad-session-token' })
  })

  test('with the host of another service', async () => {
    const { attempt } = await givenService('kms', { hosts: ['keys.example.com'] })
    expect(failureOf(await attempt())).toEqual({ kind: 'wrong-host' })
  })

  test('with a presigned URL at a service that takes none', async () => {
    const { ask, credentials } = await givenService('kms')
    const request = await presigned({ method: 'GET' }, { credentials, service: 'kms' })
    expect(failureOf(await ask(request))).toEqual({ kind: 'missing' })
  })
})

test.each([
  ['kms.example.com', true],
  ['KMS.EXAMPLE.COM', true],
  ['*.example.com', true],
  ['*.kms.example.com', false],
  ['example.com', false],
  ['*.ample.com', false],
])('a request to kms.example.com at %s is taken: %s', async (host, ok) => {
  const { attempt } = await givenService('kms', { hosts: ['other.example.com', host] })
  expect((await attempt()).ok).toBe(ok)
})

// Threat: a signature bypass by a payload mode that nobody handles.
describe('S3 payload modes', () => {
  const sha256 = createHash('sha256').update('data').digest('hex')
  const modes = [
    [sha256, 'hash'],
    ['UNSIGNED-PAYLOAD', 'unsigned'],
    ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'unsigned-trailer'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'signed-chunks'],
    ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'signed-chunks-trailer'],
  ] as const

  test.each(modes)('%s is told apart as %s', async (payload, kind) => {
    const { attempt } = await givenService('s3')
    const answer = await attempt(undefined, s3Of(payload))
    expect(answer).toMatchObject({ ok: true, payload: { kind } })
  })

  test.each(modes)('%s is refused when the signature of the request is bad', async (payload) => {
    const { attempt } = await givenService('s3')
    const answer = await attempt(changeAuthorization(/.$/, 'x'), s3Of(payload))
    expect(failureOf(answer).kind).toBe('mismatch')
  })

  test.each(modes)('%s is refused without a signature', async (payload) => {
    const { attempt } = await givenService('s3')
    const remove = (request: SignedRequest) => withHeaders(request, { authorization: null })
    expect(failureOf(await attempt(remove, s3Of(payload)))).toEqual({ kind: 'missing' })
  })

  test.each(modes)('%s is refused when it stood for another mode at signing', async (payload) => {
    const { attempt } = await givenService('s3')
    for (const [other] of modes.filter(([mode]) => mode !== payload)) {
      const change = (request: SignedRequest) =>
        withHeaders(request, { 'x-amz-content-sha256': other })
      expect(failureOf(await attempt(change, s3Of(payload))).kind).toBe('mismatch')
    }
  })

  test.each([
    ['STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD', 'unsupported-payload'],
    ['STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER', 'unsupported-payload'],
    ['STREAMING-AWS4-HMAC-SHA256-EVENTS', 'bad-payload-hash'],
    ['unsigned-payload', 'bad-payload-hash'],
    [sha256.toUpperCase(), 'bad-payload-hash'],
    [sha256.slice(1), 'bad-payload-hash'],
    ['constructor', 'bad-payload-hash'],
    ['', 'bad-payload-hash'],
  ])('%s is refused', async (payload, kind) => {
    const { attempt } = await givenService('s3')
    expect(failureOf(await attempt(undefined, s3Of(payload))).kind).toBe(kind)
  })

  test('none at all is refused', async () => {
    const { attempt } = await givenService('s3')
    const remove = (request: SignedRequest) =>
      withHeaders(changeAuthorization(';x-amz-content-sha256', '')(request), {
        'x-amz-content-sha256': null,
      })
    expect(failureOf(await attempt(remove))).toEqual({ kind: 'missing-payload-hash' })
  })
})

// Threat: credentials read from one place, the signature from another.
describe('authentication in two places is refused', () => {
  test('header and presigned URL at once', async () => {
    const { ask, credentials } = await givenService('s3')
    const signing = { credentials, service: 's3' }
    const inHeader = await signed(s3Of('UNSIGNED-PAYLOAD', GET_OBJECT), signing)
    const inQuery = await presigned(GET_OBJECT, signing)
    const both = { ...inHeader, query: inQuery.query }
    expect(failureOf(await ask(both))).toEqual({ kind: 'both-header-and-query' })
  })

  test.each([
    'X-Amz-Credential=x',
    'x-amz-signature=x',
    'X-AMZ-SECURITY-TOKEN=x',
    'X%2DAmz%2DAlgorithm=x',
  ])('a signed header and %s in the query', async (query) => {
    const { attempt } = await givenService('s3')
    const answer = await attempt((request) => ({ ...request, query }))
    expect(failureOf(answer)).toEqual({ kind: 'both-header-and-query' })
  })

  test('two Authorization headers', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt((request) => {
      const [one = ''] = given(request.headers.get('authorization'))
      return withHeaders(request, { authorization: [one, one] })
    })
    expect(failureOf(answer)).toEqual({ kind: 'duplicate-parameter', name: 'authorization' })
  })

  test.each(['Credential', 'Signature', 'SignedHeaders'])(
    'two of %s in one Authorization header',
    async (name) => {
      const { attempt } = await givenService('kms')
      const answer = await attempt(changeAuthorization(/$/, `, ${name}=x`))
      expect(failureOf(answer)).toEqual({ kind: 'duplicate-parameter', name: 'authorization' })
    },
  )

  test.each(['host', 'x-amz-date', 'x-amz-target', 'x-amz-content-sha256'])(
    'two headers %s',
    async (name) => {
      const { attempt } = await givenService('kms')
      const answer = await attempt((request) => {
        const [one = 'x'] = request.headers.get(name) ?? []
        return withHeaders(request, { [name]: [one, one] })
      })
      expect(failureOf(answer)).toEqual({ kind: 'duplicate-parameter', name })
    },
  )

  test.each([
    'X-Amz-Credential',
    'x-amz-credential',
    'X-AMZ-SIGNATURE',
    'X-Amz-Expires',
    'X-Amz%2DDate',
    'X-Amz-Content-Sha256',
  ])('a second %s in a presigned URL', async (name) => {
    const { ask, credentials } = await givenService('s3')
    const request = await presigned(GET_OBJECT, { credentials, service: 's3' })
    const answer = await ask({ ...request, query: `${request.query}&${name}=1` })
    expect(failureOf(answer).kind).toBe('duplicate-parameter')
  })
})

// Threat: a header that changes what the request means is added or changed after signing.
describe('headers', () => {
  test('a changed x-amz-target is refused', async () => {
    const { attempt } = await givenService('kms')
    const target = 'TrentService.ScheduleKeyDeletion'
    const answer = await attempt((request) => withHeaders(request, { 'x-amz-target': target }))
    expect(failureOf(answer).kind).toBe('mismatch')
  })

  test('an x-amz-target that was not signed is refused', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(changeAuthorization(';x-amz-target', ''))
    expect(failureOf(answer)).toEqual({ kind: 'unsigned-headers', names: ['x-amz-target'] })
  })

  test('a host that was not signed is refused', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(changeAuthorization(';host', ''))
    expect(failureOf(answer)).toEqual({ kind: 'unsigned-headers', names: ['host'] })
  })

  test('x-amz- headers added to a presigned URL are refused, and named', async () => {
    const { ask, credentials } = await givenService('s3')
    const request = await presigned(PUT_OBJECT, { credentials, service: 's3' })
    const added = { 'x-amz-acl': 'public-read', 'x-amz-server-side-encryption': 'AES256' }
    expect(failureOf(await ask(withHeaders(request, added)))).toEqual({
      kind: 'unsigned-headers',
      names: ['x-amz-acl', 'x-amz-server-side-encryption'],
    })
  })
})

// Threat: replay.
describe('the time of signing', () => {
  const MINUTE = 60_000

  test.each([
    ['kms', 5],
    ['cloudtrail', 5],
    ['sts', 5],
    ['s3', 15],
  ] as const)('of %s may be %i minutes away, and not a second more', async (service, minutes) => {
    const { attempt, time } = await givenService(service)
    const windowMs = minutes * MINUTE
    for (const offset of [windowMs, -windowMs]) {
      time.now = NOW + offset
      expect((await attempt()).ok).toBe(true)
    }
    time.now = NOW + windowMs + 1000
    const late = { via: 'header', signedAt: NOW, now: time.now, windowMs }
    expect(failureOf(await attempt())).toEqual({ kind: 'expired', ...late })
    time.now = NOW - windowMs - 1000
    const early = { via: 'header', signedAt: NOW, now: time.now, windowMs }
    expect(failureOf(await attempt())).toEqual({ kind: 'not-yet', ...early })
  })

  test('bounds the replay of a captured request to 5 minutes', async () => {
    const { ask, credentials, time } = await givenService('kms')
    const captured = await signed(ENCRYPT, { credentials })
    expect((await ask(captured)).ok).toBe(true)
    time.now = NOW + 5 * MINUTE + 1000
    expect(failureOf(await ask(captured)).kind).toBe('expired')
  })
})

describe('a presigned URL', () => {
  const givenUrl = async (unsigned: Unsigned = GET_OBJECT, expiresIn = 60) => {
    const stack = await givenService('s3')
    const signing = { credentials: stack.credentials, service: 's3' }
    return { ...stack, request: await presigned(unsigned, signing, expiresIn) }
  }

  test('is taken, with a payload that is not signed', async () => {
    const { ask, request } = await givenUrl()
    expect(await ask(request)).toMatchObject({
      ok: true,
      presigned: true,
      payload: { kind: 'unsigned' },
    })
  })

  test('is taken by STS, for the tools that prove an identity by it', async () => {
    const { ask, credentials } = await givenService('sts')
    const request = await presigned(
      {
        method: 'GET',
        query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
        headers: { 'x-k8s-aws-id': 'cluster' },
      },
      { credentials, service: 'sts' },
    )
    expect(await ask(request, Buffer.alloc(0))).toMatchObject({ ok: true, presigned: true })
  })

  test('can bind a hash of the body', async () => {
    const headers = { 'X-Amz-Content-Sha256': EMPTY_SHA256 }
    const { ask, request } = await givenUrl({ ...PUT_OBJECT, headers })
    expect(await ask(request)).toMatchObject({
      ok: true,
      payload: { kind: 'hash', sha256: EMPTY_SHA256 },
    })
    const loosened = changeQuery(EMPTY_SHA256, 'UNSIGNED-PAYLOAD')(request)
    expect(failureOf(await ask(loosened)).kind).toBe('mismatch')
  })

  test.each(['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD', ''])(
    'never has the payload "%s"',
    async (payload) => {
      const headers = { 'X-Amz-Content-Sha256': payload }
      const { ask, request } = await givenUrl({ ...PUT_OBJECT, headers })
      expect(failureOf(await ask(request))).toEqual({ kind: 'bad-payload-hash', given: payload })
    },
  )

  test('for GET does not allow PUT', async () => {
    const { ask, request } = await givenUrl()
    expect(failureOf(await ask({ ...request, method: 'PUT' })).kind).toBe('mismatch')
  })

  test('is good until it expires, and not a second longer', async () => {
    const { ask, request, time } = await givenUrl()
    time.now = NOW + 60_000
    expect((await ask(request)).ok).toBe(true)
    time.now = NOW + 61_000
    expect(failureOf(await ask(request))).toEqual({
      kind: 'presigned-expired',
      signedAt: NOW,
      now: time.now,
      expiresSeconds: 60,
    })
  })

  test('is not good before it was signed, but for what clocks may differ', async () => {
    const { ask, request, time } = await givenUrl()
    time.now = NOW - 15 * 60_000
    expect((await ask(request)).ok).toBe(true)
    time.now -= 1000
    expect(failureOf(await ask(request))).toMatchObject({ kind: 'not-yet', via: 'query' })
  })

  test.each([
    ['604801', 'too-long'],
    ['0', 'negative'],
    ['-1', 'negative'],
    ['1.5', 'not-a-number'],
    ['1e3', 'not-a-number'],
    ['x', 'not-a-number'],
  ])('for %s seconds is refused', async (expires, fault) => {
    const { ask, request } = await givenUrl()
    const answer = await ask(changeQuery('X-Amz-Expires=60', `X-Amz-Expires=${expires}`)(request))
    expect(failureOf(answer)).toEqual({ kind: 'bad-expires', fault })
  })

  test('that lacks parameters is refused, and all are named', async () => {
    const { ask, request } = await givenUrl()
    const missing = ['X-Amz-Signature', 'X-Amz-Date', 'X-Amz-Expires']
    const query = request.query
      .split('&')
      .filter((part) => !missing.includes(part.split('=')[0] ?? ''))
      .join('&')
    const answer = await ask({ ...request, query })
    expect(failureOf(answer)).toEqual({ kind: 'incomplete', via: 'query', missing })
  })

  test('takes no date in the form of HTTP', async () => {
    const { ask, request } = await givenUrl()
    const date = encodeURIComponent(new Date(NOW).toUTCString())
    const answer = await ask(changeQuery(/X-Amz-Date=[^&]*/, `X-Amz-Date=${date}`)(request))
    expect(failureOf(answer)).toMatchObject({ kind: 'bad-date', via: 'query' })
  })
})

// Threat: finding out which access keys exist.
describe('an unknown access key', () => {
  const unknown = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' }

  test('is refused under its own name', async () => {
    const { attempt } = await givenService('kms')
    const answer = await attempt(undefined, undefined, { credentials: unknown })
    const { accessKeyId } = unknown
    expect(failureOf(answer)).toEqual({ kind: 'unknown-access-key', accessKeyId })
  })

  test('is refused whatever its form', async () => {
    const { attempt } = await givenService('kms')
    for (const accessKeyId of ['short', '../../etc', 'akia'.repeat(5)]) {
      const credentials = { accessKeyId, secretAccessKey: 'x' }
      const answer = await attempt(undefined, undefined, { credentials })
      expect(failureOf(answer).kind).toMatch(/unknown-access-key|malformed-credential/)
    }
  })

  test('costs the same steps as a known one with a wrong signature', async () => {
    const { attempt } = await givenService('kms')
    const ofNobody = vi.spyOn(SigningKeys.prototype, 'ofNobody')
    await attempt(undefined, undefined, { credentials: unknown })
    expect(ofNobody).toHaveBeenCalledOnce()
    ofNobody.mockRestore()
  })

  test('is read from the store once, not for every guess', async () => {
    const tenants = givenTenants()
    const { attempt } = await givenService('kms', { tenants, cacheMs: 5000 })
    const reads = vi.spyOn(tenants, 'accessKey')
    await attempt(undefined, undefined, { credentials: unknown })
    await attempt(undefined, undefined, { credentials: unknown })
    expect(reads).toHaveBeenCalledOnce()
  })

  test('has no secret that anyone could know', async () => {
    const { attempt } = await givenService('kms')
    for (const secretAccessKey of ['', 'x', '\0'.repeat(40)]) {
      const credentials = { ...unknown, secretAccessKey }
      const answer = await attempt(undefined, undefined, { credentials })
      expect(failureOf(answer).kind).toBe('unknown-access-key')
    }
  })
})

describe('an access key that changes', () => {
  const put = async (
    { tenants, accessKeys, administrator }: Awaited<ReturnType<typeof givenAuthenticator>>,
    change: { readonly status: 'Inactive' },
  ) => {
    const record = given(await tenants.accessKey(administrator.accessKeyId))
    await tenants.putAccessKey({ ...record, ...change, rev: record.rev + 1 })
    accessKeys.forget(record.accessKeyId)
  }

  test('is refused as soon as it is inactive', async () => {
    const stack = await givenService('kms', { cacheMs: 5000 })
    expect((await stack.attempt()).ok).toBe(true)
    await put(stack, { status: 'Inactive' })
    expect(failureOf(await stack.attempt()).kind).toBe('unknown-access-key')
  })

  test('is verified with its new secret at once, and with the old one no more', async () => {
    const stack = await givenService('kms', { cacheMs: 5000 })
    expect((await stack.attempt()).ok).toBe(true)
    const { accessKeyId } = stack.administrator
    const caller = given((await stack.accessKeys.find(accessKeyId))?.principal)
    const secret = 'a new secret'
    await stack.accessKeys.issue(ACCOUNT, caller.principalId, { accessKeyId, secret })
    expect(failureOf(await stack.attempt()).kind).toBe('mismatch')
    const credentials = { accessKeyId, secretAccessKey: secret }
    expect((await stack.attempt(undefined, undefined, { credentials })).ok).toBe(true)
  })
})

test('a body must be given to a service that signs it', async () => {
  const { authenticator, credentials }: { authenticator: Authenticator } & Signing =
    await givenAuthenticator()
  const request = await signed(ENCRYPT, { credentials })
  const attempt = authenticator.authenticate(request, { service: 'kms', body: null })
  await expect(attempt).rejects.toThrow(TypeError)
})
