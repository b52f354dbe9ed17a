import { describe, expect, test } from 'vitest'
import type { Authentication } from '../../../shared/authn/authenticate.ts'
import type { SignedRequest } from '../../../shared/authn/request.ts'
import { acceptingUnsigned, UNSIGNED_ACCESS_KEY_ID } from '../../../shared/authn/unsigned.ts'
import { principalIdOf } from '../../../shared/ids.ts'
import type { PrincipalRecord, TenantRecord } from '../../../shared/store/records.ts'
import { freshTenant, freshUser } from '../../../shared/tenants/principal.ts'
import { ACCOUNT, REGION } from '../../support/audit-records.ts'

const MISSING: Authentication = { ok: false, failure: { kind: 'missing' } }

const TENANT = freshTenant({ account: ACCOUNT, name: 'default', createdAt: 0 })
const USER = freshUser({
  account: ACCOUNT,
  principalId: principalIdOf('AIDAEXAMPLEEXAMPLE00'),
  name: 'tester',
  policies: [{ name: 'p', document: '{}' }],
  createdAt: 0,
})

interface Given {
  readonly signed?: Authentication
  readonly tenant?: TenantRecord | null
  readonly user?: PrincipalRecord | null
}

const givenAuthenticator = ({ signed = MISSING, tenant = TENANT, user = USER }: Given = {}) =>
  acceptingUnsigned(
    { authenticate: async () => signed, authenticateForm: async () => signed },
    {
      account: ACCOUNT,
      userName: 'tester',
      tenants: {
        get: async () => tenant,
        principalByName: async (_, name) => (name === 'tester' ? user : null),
      },
      regions: [REGION],
    },
  )

const givenRequest = (headers: Record<string, string> = {}, query = ''): SignedRequest => ({
  method: 'POST',
  path: '/',
  query,
  headers: new Map(
    Object.entries({ host: 'localhost:4566', ...headers }).map(([name, value]) => [name, [value]]),
  ),
})

const answerTo = (request: SignedRequest, given?: Given) =>
  givenAuthenticator(given).authenticate(request, { service: 's3', body: null })

test('Who brings no signature is the user, in the first Region', async () => {
  expect(await answerTo(givenRequest())).toEqual({
    ok: true,
    caller: {
      account: ACCOUNT,
      kind: 'User',
      arn: `arn:aws:iam::${ACCOUNT}:user/tester`,
      principalArn: `arn:aws:iam::${ACCOUNT}:user/tester`,
      principalId: USER.principalId,
      userId: USER.principalId,
      userName: 'tester',
      accessKeyId: UNSIGNED_ACCESS_KEY_ID,
      policies: USER.policies,
      boundary: null,
      sessionPolicies: null,
      tags: [],
      operator: false,
      quotas: {},
      session: null,
    },
    region: REGION,
    payload: { kind: 'unsigned' },
    presigned: false,
  })
})

describe('What is said of the body counts', () => {
  const sha256 = '0'.repeat(64)
  test.each([
    [{ 'x-amz-content-sha256': sha256 }, { kind: 'hash', sha256 }],
    [{ 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' }, { kind: 'unsigned' }],
    [
      { 'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER' },
      { kind: 'unsigned-trailer' },
    ],
    [{ 'x-amz-trailer': 'x-amz-checksum-crc32' }, { kind: 'unsigned-trailer' }],
  ])('%j', async (headers, payload) => {
    expect(await answerTo(givenRequest(headers as Record<string, string>))).toMatchObject({
      payload,
    })
  })

  test.each([
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
    'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
    'x',
  ])('but %s cannot be said without a signature', async (declared) => {
    expect(await answerTo(givenRequest({ 'x-amz-content-sha256': declared }))).toEqual({
      ok: false,
      failure: { kind: 'bad-payload-hash', given: declared },
    })
  })
})

describe('It stays as it was answered', () => {
  test.each<[string, SignedRequest]>([
    ['with an Authorization header', givenRequest({ authorization: 'Basic x' })],
    ['with a session token', givenRequest({ 'x-amz-security-token': 'x' })],
    ['presigned', givenRequest({}, 'X-Amz-Signature=00')],
    ['presigned in other letters', givenRequest({}, 'x-amz-credential=a')],
    ['presigned by Signature Version 2', givenRequest({}, 'AWSAccessKeyId=a&Signature=b')],
    ['from a page', givenRequest({ origin: 'https://example.com' })],
    ['through a proxy', givenRequest({ via: '1.1 proxy' })],
    ['with another host', givenRequest({ host: 'keyhold.internal' })],
  ])('%s', async (_, request) => {
    expect(await answerTo(request)).toBe(MISSING)
  })

  test('when it was refused for another reason', async () => {
    const signed: Authentication = {
      ok: false,
      failure: { kind: 'mismatch', accessKeyId: 'AKIAEXAMPLEEXAMPLE00' },
    }
    expect(await answerTo(givenRequest(), { signed })).toBe(signed)
  })

  test.each<[string, Given]>([
    ['the user is gone', { user: null }],
    ['the tenant is gone', { tenant: null }],
    ['the tenant is suspended', { tenant: { ...TENANT, status: 'Suspended' } }],
  ])('when %s', async (_, given) => {
    expect(await answerTo(givenRequest(), given)).toBe(MISSING)
  })
})
