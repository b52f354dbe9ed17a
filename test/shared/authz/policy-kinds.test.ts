/** What each kind of policy may have, and what the service says of what it may not have. */
import { describe, expect, test } from 'vitest'
import { type Acceptance, type PolicyKind, parsePolicy } from '../../../shared/authz/policy.ts'
import { policyLimits, policySize } from '../../../shared/authz/policy-kinds.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { ALICE, policy, ROLE, ROOT, SESSION, statement } from './given.ts'

type Json = Readonly<Record<string, unknown>>

const PROVIDER = 'arn:aws:iam::111122223333:oidc-provider/oidc.example.com'

/** A good statement of each kind. */
const good: Readonly<Record<PolicyKind, Json>> = {
  key: { ...statement(), Principal: '*' },
  identity: statement(),
  session: statement(),
  trust: { Effect: 'Allow', Principal: { AWS: ROOT }, Action: 'sts:AssumeRole' },
  bucket: {
    Effect: 'Allow',
    Principal: { AWS: ALICE },
    Action: 's3:GetObject',
    Resource: 'arn:aws:s3:::books/*',
  },
}

const textOf = (text: string, kind: PolicyKind, acceptance: Acceptance = {}): string => {
  try {
    parsePolicy(text, kind, acceptance)
  } catch (error) {
    if (error instanceof PolicyProblem) return `${error.kind}: ${error.text}`
    throw error
  }
  return 'accepted'
}
const answer = (kind: PolicyKind, difference: Json, acceptance: Acceptance = {}): string =>
  textOf(policy({ ...good[kind], ...difference }), kind, acceptance)

test.each(Object.keys(good) as PolicyKind[])('a good %s policy is accepted', (kind) => {
  expect(answer(kind, {})).toBe('accepted')
})

describe('an identity policy', () => {
  test.each<[Json, string]>([
    [{ Principal: '*' }, 'Policy document should not specify a principal.'],
    [{ NotPrincipal: '*' }, 'Policy document should not specify a principal.'],
    [{ Action: undefined }, 'Policy statement must contain actions.'],
    [{ Action: [] }, 'Policy statement must contain actions.'],
    [{ Resource: undefined }, 'Policy statement must contain resources.'],
    [{ Effect: 'allow' }, 'Syntax errors in policy.'],
    [{ Extra: 1 }, 'Syntax errors in policy.'],
    [
      { Action: 'Encrypt' },
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    [{ Action: 'kms:Encrypt:x' }, 'Actions/Condition can contain only one colon.'],
    [{ Resource: 'books' }, 'Resource books must be in ARN format or "*".'],
    [
      { Resource: 'arn:aws:*:::x' },
      'Resource vendor must be fully qualified and cannot contain regexes.',
    ],
    [
      { Sid: 'a b' },
      'Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*',
    ],
  ])('with %j', (difference, text) => {
    expect(answer('identity', difference)).toBe(`malformed: ${text}`)
  })

  test('with a Sid given twice', () => {
    const twice = policy([statement({ Sid: 'a' }), statement({ Sid: 'a' })])
    expect(textOf(twice, 'identity')).toBe(
      'malformed: Statement IDs (SID) in a single policy must be unique.',
    )
  })

  test('that is not JSON', () => {
    expect(textOf('Allow all', 'identity')).toBe('not-json: Syntax errors in policy.')
  })

  test('says more precisely what is wrong in its message', () => {
    const attempt = () => parsePolicy(policy(statement({ Extra: 1 })), 'identity')
    expect(attempt).toThrow('A statement has no member Extra.')
  })

  test.each(Object.entries(policyLimits))('of a holder with the limit %s', (_, limit) => {
    const text = policy(statement({ Sid: '' }))
    const ofSize = (size: number) =>
      ` \n${text.replace('"Sid":""', `"Sid":"${'a'.repeat(size - text.length)}"`)}  `
    expect(textOf(ofSize(limit.size), 'identity', { limit })).toBe('accepted')
    expect(textOf(ofSize(limit.size + 1), 'identity', { limit })).toBe(
      `too-large: Cannot exceed quota for PolicySize: ${limit.size}`,
    )
    expect(policySize(ofSize(limit.size), limit.counted)).toBe(limit.size)
  })
})

describe('a session policy', () => {
  test('has 2,048 characters at most, white space counted', () => {
    const text = policy(statement())
    expect(textOf(text.padEnd(2048), 'session')).toBe('accepted')
    expect(textOf(text.padEnd(2049), 'session')).toMatch(/^too-large: /)
  })

  test.each<[Json, string]>([
    [{ Resource: 'arn:aws:kms' }, 'Resource arn:aws:kms must be in ARN format or "*".'],
    [{ Principal: '*' }, 'Policy document should not specify a principal.'],
    [{ Resource: undefined }, 'Policy statement must contain resources.'],
  ])('with %j', (difference, text) => {
    expect(answer('session', difference)).toBe(`malformed: ${text}`)
  })

  test('spells ARNs out', () => {
    expect(answer('session', { Resource: 'arn:aws:kms:*:*:*' })).toBe('accepted')
  })
})

describe('a trust policy', () => {
  test.each<[Json]>([
    [{ Principal: { AWS: [ROLE, SESSION, ALICE, '444455556666'] } }],
    [{ Principal: '*' }],
    [{ Principal: { Service: 'lambda.amazonaws.com' } }],
    [{ Principal: { Federated: PROVIDER }, Action: 'sts:AssumeRoleWithWebIdentity' }],
    [{ Principal: { Federated: 'accounts.google.com' }, Action: 'sts:AssumeRoleWithWebIdentity' }],
    [{ Action: ['sts:AssumeRole', 'sts:TagSession', 'sts:SetSourceIdentity'] }],
    [{ Action: 'sts:*' }],
    [{ Condition: { StringEquals: { 'sts:ExternalId': 'x' } } }],
    [{ Condition: { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['a'] } } }],
  ])('with %j is accepted', (difference) => {
    expect(answer('trust', difference)).toBe('accepted')
  })

  test.each<[Json, string]>([
    [{ Resource: '*' }, 'malformed: Has prohibited field Resource'],
    [{ NotResource: ROLE }, 'malformed: Has prohibited field Resource'],
    [{ Principal: undefined }, 'no-principal: Missing required field Principal'],
    [{ Principal: {} }, 'no-principal: Missing required field Principal'],
    [{ Action: undefined }, 'malformed: Missing required field Action'],
    [
      { Action: 'sts:GetCallerIdentity' },
      'malformed: AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    [
      { Action: ['sts:AssumeRole', 'kms:Decrypt'] },
      'malformed: AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    [{ Action: '*' }, 'malformed: AssumeRole policy may only specify STS AssumeRole actions.'],
    [
      { Action: undefined, NotAction: 'sts:TagSession' },
      'malformed: AssumeRole policy may only specify STS AssumeRole actions.',
    ],
    [
      { Principal: { AWS: 'arn:aws:iam::111122223333:role/*' } },
      'invalid-principal: Invalid principal in policy',
    ],
    [{ Principal: { Federated: '*' } }, 'invalid-principal: Invalid principal in policy'],
    [{ Principal: { Federated: 'example.com' } }, 'invalid-principal: Invalid principal in policy'],
    [
      { Principal: { Federated: `${PROVIDER}/*` } },
      'invalid-principal: Invalid principal in policy',
    ],
    [
      { Principal: { AWS: 'arn:aws:iam::1:root' } },
      'invalid-principal-arn: Invalid principal in policy',
    ],
  ])('with %j', (difference, text) => {
    expect(answer('trust', difference)).toBe(text)
  })

  test('that is not JSON', () => {
    expect(textOf('{', 'trust')).toBe('not-json: This policy contains invalid Json')
  })

  test('tells whom and which providers it names', () => {
    const parsed = parsePolicy(
      policy({ ...good.trust, Principal: { AWS: [ROLE, '444455556666'], Federated: PROVIDER } }),
      'trust',
    )
    expect(parsed.principals).toEqual(['arn:aws:iam::444455556666:root', ROLE])
    expect(parsed.providers).toEqual([PROVIDER])
  })

  test('names only whom there is', () => {
    const exists = (principal: string) => principal !== ROOT
    expect(answer('trust', {}, { exists })).toBe('invalid-principal: Invalid principal in policy')
  })
})

describe('a bucket policy', () => {
  const of = (difference: Json) => answer('bucket', difference, { bucket: 'books' })

  test.each<[Json]>([
    [{}],
    [{ Resource: 'arn:aws:s3:::books' }],
    [{ Resource: ['arn:aws:s3:::books', 'arn:aws:s3:::books/a/*'] }],
    [{ Resource: 'arn:aws:s3:::books*' }],
    [{ Action: '*' }],
    [{ Action: 'S3:*' }],
    [{ Principal: '*' }],
    [{ Sid: 'words and spaces' }],
    [{ Resource: undefined, NotResource: 'arn:aws:s3:::books/public/*', Effect: 'Deny' }],
  ])('with %j is accepted', (difference) => {
    expect(of(difference)).toBe('accepted')
  })

  test.each<[Json, string]>([
    [{ Resource: 'arn:aws:s3:::other/*' }, 'malformed: Policy has invalid resource'],
    [{ Resource: 'arn:aws:s3:::bookshop/*' }, 'malformed: Policy has invalid resource'],
    [
      { Resource: ['arn:aws:s3:::books', 'arn:aws:s3:::other'] },
      'malformed: Policy has invalid resource',
    ],
    [{ Resource: 'books/*' }, 'malformed: Policy has invalid resource'],
    [{ Resource: 'arn:aws:s3' }, 'malformed: Policy has invalid resource'],
    [{ Resource: '*' }, 'malformed: Policy has invalid resource'],
    [{ Resource: undefined }, 'malformed: Missing required field Resource'],
    [{ Action: undefined }, 'malformed: Missing required field Action'],
    [{ Action: 'kms:Decrypt' }, 'malformed: Policy has invalid action'],
    [{ Action: 'GetObject' }, 'malformed: Policy has invalid action'],
    [{ Principal: undefined }, 'no-principal: Missing required field Principal'],
    [{ Principal: { CanonicalUser: '79a5' } }, 'invalid-principal: Invalid principal in policy'],
    [{ Principal: { Federated: PROVIDER } }, 'invalid-principal: Invalid principal in policy'],
    [{ Condition: { StringIs: { 'my:key': 'a' } } }, 'malformed: Invalid Condition type'],
    [
      { Condition: { StringEquals: { key: 'a' } } },
      'malformed: Policy has an invalid condition key',
    ],
  ])('with %j', (difference, text) => {
    expect(of(difference)).toBe(text)
  })

  test('may have 20 KB', () => {
    const text = policy({ ...good.bucket, Sid: '' })
    const ofSize = (size: number) =>
      text.replace('"Sid":""', `"Sid":"${'a'.repeat(size - text.length)}"`)
    expect(textOf(ofSize(20_480), 'bucket')).toBe('accepted')
    expect(textOf(ofSize(20_481), 'bucket')).toMatch(/^too-large: /)
  })

  test('is refused in the words of S3 when it is not JSON', () => {
    expect(textOf('x', 'bucket')).toBe(
      "not-json: Policies must be valid JSON and the first byte must be '{'",
    )
  })
})

test('a key policy names no identity providers', () => {
  expect(answer('key', { Principal: { Federated: PROVIDER } })).toMatch(/^invalid-principal: /)
})
