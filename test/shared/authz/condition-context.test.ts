import { describe, expect, test } from 'vitest'
import type { Caller } from '../../../shared/authn/caller.ts'
import {
  callerEntries,
  conditionContext,
  globalEntries,
  type KmsFacts,
  kmsEntries,
  type RequestFacts,
  requestContext,
} from '../../../shared/authz/condition-context.ts'
import { ACCOUNT, ALICE, ALICE_ID, givenCaller, givenSession, ROLE, ROLE_ID } from './given.ts'

const request: RequestFacts = {
  caller: givenCaller(),
  region: 'us-east-1',
  sourceIp: '203.0.113.7',
  userAgent: 'aws-cli/2',
  secure: true,
  now: Date.UTC(2026, 10, 23, 20, 18, 0, 999),
  via: null,
}

const kms = (facts: KmsFacts, difference: Partial<RequestFacts> = {}) =>
  Object.fromEntries(conditionContext(kmsEntries({ ...request, ...difference }, facts)))

describe('a context', () => {
  test('has the names of keys in lower case, and the values as they are', () => {
    const context = conditionContext([['kms:EncryptionContext:AppName', 'Ledger']])
    expect([...context]).toEqual([['kms:encryptioncontext:appname', 'Ledger']])
  })

  test('leaves out what has no value, and keeps the empty text', () => {
    const context = conditionContext([
      ['my:undefined', undefined],
      ['my:nothing', []],
      ['my:empty', ''],
    ])
    expect([...context]).toEqual([['my:empty', '']])
  })

  test('lists the values of names that differ in case only', () => {
    const context = conditionContext([
      ['my:Key', 'a'],
      ['my:key', ['b', 'c']],
      ['MY:KEY', 'd'],
    ])
    expect([...context]).toEqual([['my:key', ['a', 'b', 'c', 'd']]])
  })

  test('does not take a look-alike for a letter that a policy can spell', () => {
    const context = conditionContext([
      ['my:k', 'ascii'],
      ['my:\u212a', 'Kelvin sign'],
    ])
    expect(context.get('my:k')).toBe('ascii')
  })

  test('takes names that mean something to JavaScript for names', () => {
    const pairs = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>
    const context = conditionContext(kmsEntries(request, { encryptionContext: pairs }))
    expect(context.get('kms:encryptioncontext:__proto__')).toBe('a')
    expect(context.get('kms:encryptioncontextkeys')).toEqual(['__proto__', 'constructor'])
  })
})

describe('the global keys', () => {
  test('describe the caller, the peer and the time', () => {
    expect(Object.fromEntries(globalEntries(request))).toEqual({
      'aws:PrincipalIsAWSService': 'false',
      'aws:PrincipalArn': ALICE,
      'aws:PrincipalAccount': ACCOUNT,
      'aws:PrincipalType': 'User',
      'aws:userid': ALICE_ID,
      'aws:username': 'alice',
      'aws:SecureTransport': 'true',
      'aws:SourceIp': '203.0.113.7',
      'aws:CurrentTime': '2026-11-23T20:18:00.999Z',
      'aws:EpochTime': '1795465080',
      'aws:RequestedRegion': 'us-east-1',
      'aws:UserAgent': 'aws-cli/2',
      'aws:ViaAWSService': 'false',
    })
  })

  test('say what is not known by being absent', () => {
    const context = conditionContext(
      globalEntries({ ...request, sourceIp: null, userAgent: null, secure: false, via: 's3' }),
    )
    expect(context.has('aws:sourceip')).toBe(false)
    expect(context.has('aws:useragent')).toBe(false)
    expect(context.get('aws:securetransport')).toBe('false')
    expect(context.get('aws:viaawsservice')).toBe('true')
    expect(context.get('aws:calledvia')).toEqual(['s3.amazonaws.com'])
    expect(context.get('aws:calledviafirst')).toBe('s3.amazonaws.com')
    expect(context.get('aws:calledvialast')).toBe('s3.amazonaws.com')
  })
})

describe('the keys of who calls', () => {
  const of = (caller: Caller) => Object.fromEntries(conditionContext(callerEntries(caller)))

  test('of a session say whose role it is, and that there was no second factor', () => {
    const tags = [
      { TagKey: 'Team', TagValue: 'blue' },
      { TagKey: 'cost', TagValue: '' },
    ]
    expect(of(givenSession([], { tags }))).toEqual({
      'aws:principalarn': ROLE,
      'aws:principalaccount': ACCOUNT,
      'aws:principaltype': 'AssumedRole',
      'aws:principalisawsservice': 'false',
      'aws:userid': `${ROLE_ID}:ci`,
      'aws:principaltag/team': 'blue',
      'aws:principaltag/cost': '',
      'aws:tokenissuetime': '2026-11-23T20:00:00.000Z',
      'aws:multifactorauthpresent': 'false',
    })
  })

  test('of a web identity say what the provider vouched for', () => {
    const { session } = givenSession()
    const federated = {
      provider: 'OIDC.example.com/team',
      subject: 'repo:acme/app',
      audience: 'sts.amazonaws.com',
    }
    const said = of(givenSession([], { session: { ...session, sourceIdentity: 'bob', federated } }))
    expect(said['aws:sourceidentity']).toBe('bob')
    expect(said['aws:federatedprovider']).toBe(
      'arn:aws:iam::111122223333:oidc-provider/OIDC.example.com/team',
    )
    expect(said['oidc.example.com/team:sub']).toBe('repo:acme/app')
    expect(said['oidc.example.com/team:aud']).toBe('sts.amazonaws.com')
  })

  test('of long-term credentials say nothing of factors and sessions', () => {
    const said = of(givenCaller())
    for (const key of ['multifactorauthpresent', 'multifactorauthage', 'tokenissuetime']) {
      expect(said).not.toHaveProperty(`aws:${key}`)
    }
  })

  test('of a user with temporary credentials say both', () => {
    const said = of(givenCaller([], { session: givenSession().session }))
    expect(said['aws:username']).toBe('alice')
    expect(said['aws:multifactorauthpresent']).toBe('false')
    expect(said['aws:tokenissuetime']).toBe('2026-11-23T20:00:00.000Z')
  })
})

describe('the keys of KMS', () => {
  test('are those of the caller when nothing else is known', () => {
    expect(kms({})).toEqual({ 'kms:calleraccount': ACCOUNT })
  })

  test('name the service that calls for the caller, in the Region of the call', () => {
    expect(kms({}, { via: 's3' })['kms:viaservice']).toBe('s3.us-east-1.amazonaws.com')
  })

  test('describe the key and the request', () => {
    const facts = {
      resourceAccount: ACCOUNT,
      encryptionContext: { App: 'Ledger', tier: '' },
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      keyOrigin: 'AWS_KMS',
      multiRegion: false,
      requestAlias: 'alias/app',
      resourceTags: [{ TagKey: 'Team', TagValue: 'blue' }],
      requestTags: [
        { TagKey: 'Team', TagValue: 'red' },
        { TagKey: 'Cost', TagValue: '' },
      ],
    }
    expect(kms(facts)).toEqual({
      'kms:calleraccount': ACCOUNT,
      'kms:encryptionalgorithm': 'SYMMETRIC_DEFAULT',
      'kms:requestalias': 'alias/app',
      'aws:resourceaccount': ACCOUNT,
      'kms:keyspec': 'SYMMETRIC_DEFAULT',
      'kms:customermasterkeyspec': 'SYMMETRIC_DEFAULT',
      'kms:keyusage': 'ENCRYPT_DECRYPT',
      'kms:customermasterkeyusage': 'ENCRYPT_DECRYPT',
      'kms:keyorigin': 'AWS_KMS',
      'kms:multiregion': 'false',
      'kms:encryptioncontext:app': 'Ledger',
      'kms:encryptioncontext:tier': '',
      'kms:encryptioncontextkeys': ['App', 'tier'],
      'aws:resourcetag/team': 'blue',
      'aws:requesttag/team': 'red',
      'aws:requesttag/cost': '',
      'aws:tagkeys': ['Team', 'Cost'],
    })
  })

  test('have the tag keys of a request that gives no values', () => {
    expect(kms({ tagKeys: ['Team'] })['aws:tagkeys']).toEqual(['Team'])
  })
})

test('the context of a request is built when it is asked for, and once', () => {
  let asked = 0
  const context = requestContext(request, () => {
    asked += 1
    return [['s3:prefix', 'a/']]
  })
  expect(asked).toBe(0)
  expect(context().get('s3:prefix')).toBe('a/')
  expect(context().get('aws:username')).toBe('alice')
  expect(context()).toBe(context())
  expect(asked).toBe(1)
})
