/** What operators configure of identity providers and of callers of AWS. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { awsCallerOf, parseAwsCallers } from '../../../shared/authn/aws-callers.ts'
import { parseIssuers } from '../../../shared/authn/oidc-issuers.ts'
import { splitRoleArn } from '../../../shared/authn/role-arn.ts'
import { sessionNameOf } from '../../../shared/authn/session-name.ts'

const ROLE = 'arn:aws:iam::111122223333:role/ci'
const JWKS = { keys: [{ kty: 'RSA', n: 'AQAB', e: 'AQAB', kid: 'one' }] }
const entry = { issuer: 'https://oidc.example.com/team', audiences: ['keyhold'], jwks: JWKS }
const parse = (...entries: readonly object[]) => parseIssuers(JSON.stringify(entries))

describe('KEYHOLD_OIDC_ISSUERS', () => {
  test('may be empty', () => expect([parseIssuers(''), parseIssuers(' ')]).toEqual([[], []]))

  test('gives issuers, with RS256 where no algorithm is named', () => {
    const roles = [{ role: ROLE, claims: { sub: 'a', groups: ['x', 'y'] } }]
    expect(parse({ ...entry, roles })).toEqual([
      {
        issuer: entry.issuer,
        provider: 'oidc.example.com/team',
        audiences: ['keyhold'],
        algorithms: ['RS256'],
        keys: { kind: 'pinned', jwks: JWKS },
        roles: [{ roleArn: ROLE, claims: { sub: ['a'], groups: ['x', 'y'] } }],
      },
    ])
  })

  test('may name a file', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'keyhold-issuers-'))
    onTestFinished(() => rm(directory, { recursive: true }))
    const path = join(directory, 'issuers.json')
    await writeFile(path, JSON.stringify([entry]))
    expect(parseIssuers(path)).toEqual(parse(entry))
  })

  test.for([
    ['no file', '/nowhere/issuers.json', 'names a file that cannot be read'],
    ['no JSON', '[', 'is not JSON'],
  ] as const)('must not be %s', ([, setting, text]) => {
    expect(() => parseIssuers(setting)).toThrow(`KEYHOLD_OIDC_ISSUERS ${text}`)
  })

  test.for([
    ['an issuer without TLS', { issuer: 'http://oidc.example.com' }, 'no https URL'],
    ['an issuer with a query', { issuer: 'https://o.example.com/?a' }, 'no https URL'],
    ['an issuer with a password', { issuer: 'https://a:b@o.example.com' }, 'no https URL'],
    ['AWS as an issuer', { issuer: 'https://sts.amazonaws.com' }, 'stands for callers of AWS'],
    ['no audience', { audiences: [] }, 'must have texts as audiences'],
    ['none', { algorithms: ['none'] }, 'an algorithm that is never taken: none'],
    ['a secret’s algorithm', { algorithms: ['RS256', 'HS256'] }, 'never taken: HS256'],
    ['no keys', { jwks: undefined }, 'either jwks or jwksUrl'],
    ['keys twice', { jwksUrl: 'https://o.example.com/jwks' }, 'either jwks or jwksUrl'],
    ['secret keys', { jwks: { keys: [{ kty: 'oct', k: 'AA' }] } }, 'no list of public keys'],
    ['private keys', { jwks: { keys: [{ kty: 'RSA', d: 'AA' }] } }, 'no list of public keys'],
    ['keys without TLS', { jwks: undefined, jwksUrl: 'http://o.example.com' }, 'no https URL'],
    ['a role that is none', { roles: [{ role: 'ci', claims: { sub: 'a' } }] }, 'not the ARN'],
    ['a role for everyone', { roles: [{ role: ROLE, claims: {} }] }, 'asks for no claim'],
    ['a misspelt member', { audience: 'x' }, 'a member that is not known: audience'],
  ] as const)('must not have %s', ([, differs, text]) => {
    expect(() => parse({ ...entry, ...differs })).toThrow(text)
  })

  test('must not have an issuer twice', () => {
    expect(() => parse(entry, entry)).toThrow('names an issuer twice')
  })
})

describe('KEYHOLD_AWS_CALLERS', () => {
  test('maps users and roles of AWS, roles without their path', () => {
    const setting = [
      { aws: 'arn:aws:iam::999988887777:role/team/ci', role: ROLE },
      { aws: 'arn:aws:iam::999988887777:user/team/ann', role: ROLE },
    ]
    expect(parseAwsCallers(JSON.stringify(setting))).toEqual([
      { principal: 'arn:aws:iam::999988887777:role/ci', roleArn: ROLE },
      { principal: 'arn:aws:iam::999988887777:user/team/ann', roleArn: ROLE },
    ])
  })

  test.each([
    'arn:aws:iam::999988887777:root',
    'arn:aws:iam::999988887777:role/*',
    'arn:aws:sts::999988887777:assumed-role/ci/x',
    '999988887777',
    '*',
    null,
  ])('takes nobody for %s', (aws) => {
    expect(() => parseAwsCallers(JSON.stringify([{ aws, role: ROLE }]))).toThrow(
      'names what is neither a user nor a role of AWS',
    )
  })
})

describe('a caller of AWS', () => {
  const of = (userArn: unknown, accountId: unknown = '999988887777') =>
    awsCallerOf({ accountId, userArn })

  test('is the role of its session, or a user', () => {
    expect(of('arn:aws:sts::999988887777:assumed-role/ci/build-7')).toEqual({
      account: '999988887777',
      principal: 'arn:aws:iam::999988887777:role/ci',
      name: 'build-7',
    })
    expect(of('arn:aws:iam::999988887777:user/team/ann')).toEqual({
      account: '999988887777',
      principal: 'arn:aws:iam::999988887777:user/team/ann',
      name: 'ann',
    })
  })

  test.for([
    ['the root', 'arn:aws:iam::999988887777:root', undefined],
    ['a federated user', 'arn:aws:sts::999988887777:federated-user/ann', undefined],
    ['of another account', 'arn:aws:iam::999988887777:user/ann', '111122223333'],
    ['a session of a session', 'arn:aws:sts::999988887777:assumed-role/ci/a/b', undefined],
    ['more before it', 'xarn:aws:iam::999988887777:user/ann', undefined],
    ['a line more', 'arn:aws:iam::999988887777:user/ann\n', undefined],
    ['no text', 42, undefined],
  ] as const)('is nobody: %s', ([, arn, account]) => {
    expect(of(arn, account)).toBeNull()
  })
})

test('an ARN of a role is taken apart, and nothing else is one', () => {
  expect(splitRoleArn('arn:aws:iam::111122223333:role/a/b/ci')).toEqual({
    account: '111122223333',
    path: '/a/b/',
    name: 'ci',
  })
  for (const arn of [
    'arn:aws-cn:iam::111122223333:role/ci',
    'arn:aws:iam::1111:role/ci',
    'arn:aws:iam::111122223333:role/',
    'arn:aws:iam::111122223333:user/ci',
    'arn:aws:sts::111122223333:assumed-role/ci/x',
  ])
    expect(splitRoleArn(arn)).toBeNull()
})

test('no two subjects have the same session name', () => {
  const subject = fc.oneof(
    fc.string({ minLength: 1, maxLength: 80 }),
    fc.constantFrom('a/b', 'a-b', 'sub-', 'sub-x', 'x'),
  )
  fc.assert(
    fc.property(subject, subject, (one, other) => {
      const [name, otherName] = [sessionNameOf(one), sessionNameOf(other)]
      expect(name).toMatch(/^[\w+=,.@-]{2,64}$/)
      expect(name === otherName).toBe(one === other)
    }),
  )
  expect(sessionNameOf('ann@example.com')).toBe('ann@example.com')
  expect(sessionNameOf(sessionNameOf('a/b'))).not.toBe(sessionNameOf('a/b'))
})
