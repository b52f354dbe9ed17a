/** Tokens of an identity provider: at STS, and in the place of a signature. */

import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleWithWebIdentityCommand,
  GetCallerIdentityCommand,
  STSClient,
} from '@aws-sdk/client-sts'
import type { JWTPayload } from 'jose'
import { afterAll, describe, expect, test } from 'vitest'
import { parseIssuers } from '../../../shared/authn/oidc-issuers.ts'
import { kmsClient } from '../../support/kms.ts'
import { recordsOf } from '../../support/ledger-records.ts'
import { claimsOf, forged, givenIssuer, givenSigningKey, tokenOf } from '../../support/oidc.ts'
import { type Answer, send, signed } from '../../support/raw-call.ts'
import { refusalOf } from '../../support/refusal.ts'
import { allowing, givenRole, policyOf, stsOf, trusting } from '../../support/sessions.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const issuer = await givenIssuer()
const [key] = issuer.keys
if (key === undefined) throw new Error('The issuer has no key.')
const ACCOUNT = '111122223333'
const bearerRole = (name: string, account = ACCOUNT) => `arn:aws:iam::${account}:role/${name}`
process.env.KEYHOLD_CACHE_SECONDS = '0'
process.env.KEYHOLD_LOG_LEVEL = 'silent'
process.env.KEYHOLD_OIDC_ISSUERS = JSON.stringify([
  {
    issuer: issuer.url,
    audiences: ['keyhold', 'api'],
    algorithms: ['RS256'],
    jwksUrl: issuer.jwksUrl,
    roles: [
      { role: bearerRole('Bearer'), claims: { team: 'red', aud: 'api' } },
      { role: bearerRole('Scoped'), claims: { scope: 'kms:write' } },
      { role: bearerRole('Grouped'), claims: { groups: ['ops', 'dev'] } },
      { role: bearerRole('Wary'), claims: { team: 'wary' } },
      { role: bearerRole('Missing'), claims: { team: 'missing' } },
      { role: bearerRole('Elsewhere', '999988887777'), claims: { team: 'elsewhere' } },
      { role: bearerRole('Revoked'), claims: { team: 'revoked' } },
    ],
  },
])
const [{ provider } = { provider: '' }] = parseIssuers(process.env.KEYHOLD_OIDC_ISSUERS)
const stack = await givenTenantsStack()
afterAll(async () => {
  await stack.close()
  await issuer.close()
})
const { admin } = stack
const { account } = admin
const Federated = `arn:aws:iam::${account}:oidc-provider/${provider}`
const WEB = 'sts:AssumeRoleWithWebIdentity'
const SUB = 'repo:acme/api:ref:refs/heads/main'
const trustingProvider = (condition?: object, action: string | readonly string[] = WEB) =>
  trusting({ Federated }, action, condition)

let count = 0
const role = (...trust: readonly object[]) => givenRole(stack, account, `web-${++count}`, trust)
/** Signs nothing. */
const anonymous = new STSClient({
  endpoint: admin.endpoint,
  region: 'us-east-1',
  credentials: { accessKeyId: '', secretAccessKey: '' },
  maxAttempts: 1,
})
const attempt = async (RoleArn: string, token?: string, differs = {}) =>
  anonymous.send(
    new AssumeRoleWithWebIdentityCommand({
      RoleArn,
      RoleSessionName: 'build',
      WebIdentityToken: token ?? (await tokenOf(key, claimsOf(issuer.url))),
      ...differs,
    }),
  )
const refused = (arn: string, token?: string, differs = {}) =>
  refusalOf(attempt(arn, token, differs))
const NOT_AUTHORIZED = {
  name: 'AccessDenied',
  status: 403,
  message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
}

describe('AssumeRoleWithWebIdentity', () => {
  test('gives credentials of a role that trusts the provider, to who signs nothing', async () => {
    const { arn, record } = await role(trustingProvider())
    const { $metadata, Credentials, ...answer } = await attempt(arn)
    expect(answer).toEqual({
      AssumedRoleUser: {
        AssumedRoleId: `${record.principalId}:build`,
        Arn: `arn:aws:sts::${account}:assumed-role/${record.name}/build`,
      },
      SubjectFromWebIdentityToken: SUB,
      Provider: issuer.url,
      Audience: 'keyhold',
    })
    const session = {
      ...admin,
      credentials: {
        accessKeyId: Credentials?.AccessKeyId ?? '',
        secretAccessKey: Credentials?.SecretAccessKey ?? '',
        sessionToken: Credentials?.SessionToken ?? '',
      },
    }
    const { Arn } = await stsOf(session).send(new GetCallerIdentityCommand({}))
    expect(Arn).toBe(answer.AssumedRoleUser?.Arn)
    const records = await recordsOf(stack.services, account)
    const began = records.find(({ userIdentity }) => userIdentity.type === 'WebIdentityUser')
    expect(began).toMatchObject({
      eventName: 'AssumeRoleWithWebIdentity',
      userIdentity: {
        principalId: `${provider}:keyhold:${SUB}`,
        userName: SUB,
        identityProvider: provider,
      },
      requestParameters: { roleArn: arn, roleSessionName: 'build' },
      responseElements: { subjectFromWebIdentityToken: SUB, audience: 'keyhold' },
      recipientAccountId: account,
    })
    const acted = records.find(({ userIdentity }) => userIdentity.arn === Arn)
    expect(acted?.userIdentity.sessionContext?.webIdFederationData).toEqual({
      federatedProvider: Federated,
      attributes: {},
    })
    const text = JSON.stringify(records)
    for (const secret of [Credentials?.SecretAccessKey, Credentials?.SessionToken, 'eyJ'])
      expect(text).not.toContain(secret)
  })

  test('decides by the claims that the role asks for', async () => {
    const by = (condition: object) => role(trustingProvider(condition))
    const [sub, aud] = [`${provider}:sub`, `${provider}:aud`]
    const good = await by({
      StringLike: { [sub]: 'repo:acme/*' },
      StringEquals: { [aud]: 'keyhold' },
    })
    expect((await attempt(good.arn)).Credentials).toBeDefined()
    for (const condition of [
      { StringEquals: { [sub]: 'repo:other/api' } },
      { StringEquals: { [aud]: 'api' } },
    ])
      expect(await refused((await by(condition)).arn)).toEqual(NOT_AUTHORIZED)
  })

  test('refuses alike where a role trusts another, does not exist or is of another tenant', async () => {
    const other = await stack.tenant('444455556666')
    const foreign = await givenRole(stack, other.account, 'web', [
      trusting({ Federated: `arn:aws:iam::${other.account}:oidc-provider/other.example` }, WEB),
    ])
    const roles = [
      (await role(trusting(admin.arn, WEB))).arn,
      (await role(trusting({ Federated: `${Federated}/x` }, WEB))).arn,
      (await role(trusting('*', WEB))).arn,
      bearerRole('none'),
      bearerRole('none', '999988887777'),
      foreign.arn,
    ]
    for (const arn of roles) expect(await refused(arn)).toEqual(NOT_AUTHORIZED)
  })

  test('a refusal is recorded for the role’s tenant', async () => {
    const { arn } = await role(trusting(admin.arn, WEB))
    await refused(arn)
    const record = (await recordsOf(stack.services, account)).find(
      ({ requestParameters }) => requestParameters?.roleArn === arn,
    )
    expect(record).toMatchObject({ errorCode: 'AccessDenied', responseElements: null })
  })

  test.for([
    [
      'expired',
      { exp: 1000 },
      'ExpiredTokenException',
      400,
      /^Token expired: current date\/time \d+ must be before the expiration date\/time 1000$/,
    ],
    [
      'for somebody else',
      { aud: 'x' },
      'InvalidIdentityTokenException',
      400,
      /^Incorrect token audience$/,
    ],
    [
      'without a subject',
      { sub: undefined },
      'InvalidIdentityTokenException',
      400,
      /^Missing a required claim: sub$/,
    ],
    [
      'of another issuer',
      { iss: 'https://x.example' },
      'InvalidIdentityTokenException',
      400,
      /^No OpenIDConnect provider found in your account for https:\/\/x\.example$/,
    ],
    ['not good yet', { nbf: 1e11 }, 'IDPRejectedClaimException', 403, /nbf/],
  ] as const)('a token that is %s is refused', async ([, differs, name, status, message]) => {
    const { arn } = await role(trustingProvider())
    const token = await tokenOf(key, claimsOf(issuer.url, differs as JWTPayload))
    expect(await refused(arn, token)).toEqual({
      name,
      status,
      message: expect.stringMatching(message),
    })
  })

  test('a token without a signature, or with a wrong one, is refused', async () => {
    const { arn } = await role(trustingProvider())
    const none = forged({ alg: 'none' }, claimsOf(issuer.url))
    const stranger = await tokenOf(await givenSigningKey('one'), claimsOf(issuer.url))
    for (const token of [none, stranger, 'token', `${stranger}x`])
      expect(await refused(arn, token)).toMatchObject({
        name: 'InvalidIdentityTokenException',
        status: 400,
      })
  })

  test('session tags of the token need sts:TagSession, and are the session’s', async () => {
    const tags = { principal_tags: { project: ['lattice'] }, transitive_tag_keys: ['project'] }
    const token = await tokenOf(
      key,
      claimsOf(issuer.url, {
        'https://aws.amazon.com/tags': tags,
        'https://aws.amazon.com/source_identity': 'ann',
      }),
    )
    const without = await role(trustingProvider())
    expect(await refused(without.arn, token)).toMatchObject({
      name: 'AccessDenied',
      message: 'Not authorized to perform sts:TagSession',
    })
    const all = [WEB, 'sts:TagSession', 'sts:SetSourceIdentity']
    const condition = { StringEquals: { 'aws:RequestTag/project': 'lattice' } }
    const with_ = await role(trustingProvider(condition, all))
    const answer = await attempt(with_.arn, token)
    expect(answer.SourceIdentity).toBe('ann')
    expect(answer.PackedPolicySize).toBeGreaterThan(0)
  })

  test('tags that are none are refused', async () => {
    const { arn } = await role(trustingProvider())
    for (const tags of ['x', { principal_tags: 'x' }, { principal_tags: { a: [1] } }]) {
      const token = await tokenOf(
        key,
        claimsOf(issuer.url, { 'https://aws.amazon.com/tags': tags }),
      )
      expect(await refused(arn, token)).toMatchObject({ name: 'IDPRejectedClaimException' })
    }
  })

  test('what is wrong with the request is told before the token is looked at', async () => {
    const refusal = await refused('arn:aws:iam::111122223333:role/x', 'token', {
      RoleSessionName: 'a b',
    })
    expect(refusal).toMatchObject({ name: 'ValidationError', status: 400 })
  })

  test('a longer session than the role has is refused', async () => {
    const { arn } = await role(trustingProvider())
    expect(await refused(arn, undefined, { DurationSeconds: 7200 })).toMatchObject({
      name: 'ValidationError',
      message: 'The requested DurationSeconds exceeds the MaxSessionDuration set for this role.',
    })
  })
})

describe('A bearer token', async () => {
  const kms = kmsClient(admin)
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.KeyId ?? ''
  const encrypts = [allowing('kms:Encrypt')]
  for (const name of ['Bearer', 'Scoped', 'Grouped'])
    await givenRole(stack, account, name, [trustingProvider()], encrypts)
  await givenRole(stack, account, 'Wary', [trusting(admin.arn, WEB)], encrypts)
  await givenRole(stack, account, 'Revoked', [trustingProvider()], encrypts, {
    sessionsValidFrom: Date.now() + 60_000,
  })

  const call = async (
    token: string | null,
    path = '/kms/Encrypt',
    input: object = { KeyId, Plaintext: 'aGVsbG8=' },
  ): Promise<{ status: number; json: Record<string, unknown> }> => {
    const authorization = token === null ? {} : { authorization: `Bearer ${token}` }
    const headers = { 'content-type': 'application/json', ...authorization }
    const { status, body }: Answer = await send(admin.endpoint, {
      path,
      headers,
      body: JSON.stringify(input),
    })
    return { status, json: JSON.parse(body) }
  }
  const token = (claims: object) => tokenOf(key, claimsOf(issuer.url, claims as JWTPayload))
  const DENIED = {
    status: 400,
    json: {
      __type: 'AccessDeniedException',
      message: 'Not authorized to perform sts:AssumeRoleWithWebIdentity',
    },
  }

  test('stands for the role that its claims are mapped to', async () => {
    const answer = await call(await token({ team: 'red', aud: 'api' }))
    expect(answer).toMatchObject({ status: 200, json: { KeyId: KeyMetadata?.Arn } })
    const records = await recordsOf(stack.services, account)
    const record = records.find(
      ({ eventName, userIdentity }) =>
        eventName === 'Encrypt' && userIdentity.type === 'AssumedRole',
    )
    expect(record?.userIdentity).toMatchObject({
      arn: expect.stringMatching(/:assumed-role\/Bearer\/sub-[0-9a-f]{40}$/),
      accessKeyId: expect.stringMatching(/^ASIA[A-Z2-7]{16}$/),
      sessionContext: {
        sessionIssuer: { arn: bearerRole('Bearer') },
        webIdFederationData: { federatedProvider: Federated },
      },
    })
  })

  test('may do what the role may, and no more', async () => {
    const text = await token({ team: 'red', aud: 'api', sub: 'ann' })
    expect(await call(text, '/kms/ListKeys', {})).toMatchObject({
      status: 400,
      json: {
        __type: 'AccessDeniedException',
        message: expect.stringContaining(
          `User: arn:aws:sts::${account}:assumed-role/Bearer/ann is not authorized to perform: kms:ListKeys`,
        ),
      },
    })
  })

  test('is mapped by words of its scope and by members of its lists', async () => {
    for (const claims of [{ scope: 'openid kms:write' }, { groups: ['other', 'dev'] }])
      expect((await call(await token(claims))).status).toBe(200)
    for (const claims of [{ scope: 'kms:write2' }, { groups: ['devs'] }, { groups: 'x,dev' }])
      expect(await call(await token(claims))).toEqual(DENIED)
  })

  test.for([
    ['no claim that is mapped', {}],
    ['some of the claims only', { team: 'red' }],
    ['a tenant that nobody mapped', { account: '444455556666', tenant: 'x', role: 'Bearer' }],
    ['claims of a role that trusts somebody else', { team: 'wary' }],
    ['claims of a role that is not there', { team: 'missing' }],
    ['claims of a role of a tenant that is not there', { team: 'elsewhere' }],
    ['claims of a role whose sessions were voided', { team: 'revoked' }],
  ] as const)('with %s is nobody', async ([, claims]) => {
    expect(await call(await token(claims))).toEqual(DENIED)
  })

  test.for([
    ['that is expired', { exp: 1000 }, 'ExpiredTokenException'],
    ['for somebody else', { aud: 'x' }, 'UnrecognizedClientException'],
    ['of another issuer', { iss: 'https://x.example' }, 'UnrecognizedClientException'],
  ] as const)('%s is refused in JSON', async ([, claims, __type]) => {
    const { status, json } = await call(await token({ team: 'red', ...claims }))
    expect([status, json.__type]).toEqual([400, __type])
    expect(json.message).toMatch(
      /^The security token included in the request is (invalid\.|expired)$/,
    )
  })

  test('without a signature is refused, and so is what is no token', async () => {
    const none = forged({ alg: 'none' }, claimsOf(issuer.url, { team: 'red', aud: 'api' }))
    for (const text of [none, 'x', 'a.b.c'])
      expect((await call(text)).json.__type).toBe('UnrecognizedClientException')
  })

  test('is what such a path asks for', async () => {
    expect(await call(null)).toEqual({
      status: 400,
      json: {
        __type: 'MissingAuthenticationTokenException',
        message: 'Missing Authentication Token',
      },
    })
  })

  test('is taken once, not twice', async () => {
    const text = await token({ team: 'red', aud: 'api' })
    expect((await call(`${text}, Bearer ${text}`)).json.__type).toBe(
      'MissingAuthenticationTokenException',
    )
  })

  test('works for operations that do not exist, for CloudTrail and for tenants', async () => {
    const text = await token({ team: 'red', aud: 'api' })
    expect((await call(text, '/kms/NotThere', {})).json.__type).toBe('UnknownOperationException')
    for (const path of ['/cloudtrail/LookupEvents', '/tenants/ListTenants'])
      expect((await call(text, path, {})).json.__type).toBe('AccessDeniedException')
  })

  test('is nothing to STS and to S3', async () => {
    const text = await token({ team: 'red', aud: 'api' })
    const form = await send(admin.endpoint, {
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Bearer ${text}`,
      },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    })
    expect(form.body).toContain('<Code>MissingAuthenticationToken</Code>')
    const object = await send(admin.endpoint, {
      method: 'GET',
      path: '/bucket/key',
      headers: { authorization: `Bearer ${text}` },
    })
    expect(object.status).toBe(400)
    expect(object.body).toContain('<Code>InvalidRequest</Code>')
  })

  test('is not needed: the same path may be signed', async () => {
    const raw = {
      path: '/kms/Encrypt',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ KeyId, Plaintext: 'aGVsbG8=' }),
    }
    const answer = await send(admin.endpoint, { ...raw, headers: await signed(admin, raw) })
    expect(answer.status).toBe(200)
  })
})

test('policies of the session narrow what the role may', async () => {
  const { arn } = await givenRole(
    stack,
    account,
    'narrowed',
    [trustingProvider()],
    [allowing('kms:*')],
  )
  const { Credentials } = await attempt(arn, undefined, {
    Policy: policyOf(allowing('kms:DescribeKey')),
  })
  const narrowed = kmsClient({
    ...admin,
    credentials: {
      accessKeyId: Credentials?.AccessKeyId ?? '',
      secretAccessKey: Credentials?.SecretAccessKey ?? '',
      sessionToken: Credentials?.SessionToken ?? '',
    } as never,
  })
  expect(await refusalOf(narrowed.send(new CreateKeyCommand({})))).toMatchObject({
    name: 'AccessDeniedException',
    message: expect.stringContaining('because no session policy allows the kms:CreateKey action'),
  })
})
