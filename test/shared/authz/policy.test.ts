import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compilePolicy, type PolicyKind, parsePolicy } from '../../../shared/authz/policy.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { ALICE, ALICE_ID, keyStatement, policy, ROOT, statement, without } from './given.ts'

const problemOf = (text: string, kind: PolicyKind, exists?: (principal: string) => boolean) => {
  try {
    parsePolicy(text, kind, exists === undefined ? {} : { exists })
  } catch (error) {
    if (error instanceof PolicyProblem) return error.kind
    throw error
  }
  return 'accepted'
}

const ofKey = (difference: Readonly<Record<string, unknown>>) =>
  problemOf(policy(keyStatement(difference)), 'key')
const ofIdentity = (difference: Readonly<Record<string, unknown>>) =>
  problemOf(policy(statement(difference)), 'identity')

describe('the document', () => {
  test.each<[string, unknown, string]>([
    ['one statement', { Statement: keyStatement() }, 'accepted'],
    ['a list of statements', { Statement: [keyStatement(), keyStatement()] }, 'accepted'],
    ['version 2012-10-17', { Version: '2012-10-17', Statement: keyStatement() }, 'accepted'],
    ['version 2008-10-17', { Version: '2008-10-17', Statement: keyStatement() }, 'accepted'],
    ['an id', { Id: 'x', Statement: keyStatement() }, 'accepted'],
    ['another version', { Version: '2020-01-01', Statement: keyStatement() }, 'malformed'],
    [
      'a version that is a list',
      { Version: ['2012-10-17'], Statement: keyStatement() },
      'malformed',
    ],
    ['an id that is no text', { Id: 1, Statement: keyStatement() }, 'malformed'],
    ['no statement', { Version: '2012-10-17' }, 'malformed'],
    ['an empty list of statements', { Statement: [] }, 'malformed'],
    ['a statement that is text', { Statement: 'Allow' }, 'malformed'],
    ['a statement in a list in a list', { Statement: [[keyStatement()]] }, 'malformed'],
    ['an unknown member', { Statement: keyStatement(), Extra: 1 }, 'malformed'],
    ['a member in another case', { statement: keyStatement() }, 'malformed'],
    ['a list', [keyStatement()], 'malformed'],
    ['text', 'policy', 'malformed'],
    ['null', null, 'malformed'],
  ])('with %s', (_, document, expected) => {
    expect(problemOf(JSON.stringify(document), 'key')).toBe(expected)
  })

  test('that is not JSON', () => {
    expect(problemOf('Allow alice everything', 'key')).toBe('not-json')
    expect(problemOf('', 'identity')).toBe('not-json')
  })

  test('with a member given twice is refused, so that no reader sees another policy', () => {
    const text =
      '{"Statement":{"Effect":"Deny","Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}}'
    expect(JSON.parse(text).Statement.Effect).toBe('Allow')
    expect(problemOf(text, 'key')).toBe('malformed')
  })

  test('of 10,000 levels is refused', () => {
    expect(problemOf(`${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'key')).toBe('malformed')
  })

  const padded = (bytes: number) => {
    const text = policy(keyStatement({ Sid: '' }))
    return text.replace('"Sid":""', `"Sid":"${'a'.repeat(bytes - Buffer.byteLength(text))}"`)
  }

  test('of a key policy may have 32,768 bytes and no more, white space counted', () => {
    expect(problemOf(padded(32_768), 'key')).toBe('accepted')
    expect(problemOf(padded(32_769), 'key')).toBe('too-large')
    expect(problemOf(padded(32_767).replace('aa', 'é'), 'key')).toBe('accepted')
    expect(problemOf(`${padded(32_768)} `, 'key')).toBe('too-large')
  })

  test('may have 512 question marks, however they are written', () => {
    const some = (count: number, mark: string) =>
      problemOf(
        policy(statement({ Resource: `arn:aws:s3:::X` })).replace('X', mark.repeat(count)),
        'identity',
      )
    expect(some(512, '?')).toBe('accepted')
    expect(some(513, '?')).toBe('malformed')
    expect(some(512, '\\u003F')).toBe('accepted')
    expect(some(513, '\\u003F')).toBe('malformed')
  })

  test('of an identity policy may have 6,144 characters besides white space', () => {
    const text = policy(statement({ Sid: '' }))
    const full = text.replace('"Sid":""', `"Sid":"${'a'.repeat(6144 - text.length)}"`)
    expect(problemOf(full, 'identity')).toBe('accepted')
    expect(problemOf(` \n${full}${' '.repeat(1000)}`, 'identity')).toBe('accepted')
    expect(problemOf(full.replace('aa', 'aaa'), 'identity')).toBe('too-large')
    expect(problemOf(full + ' '.repeat(131_072), 'identity')).toBe('too-large')
  })
})

describe('a statement', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string, string]>([
    ['effect Deny', { Effect: 'Deny' }, 'accepted', 'accepted'],
    ['effect allow', { Effect: 'allow' }, 'malformed', 'malformed'],
    ['no effect', { Effect: undefined }, 'malformed', 'malformed'],
    ['an unknown member', { Grants: [] }, 'malformed', 'malformed'],
    ['a condition that is no object', { Condition: [] }, 'malformed', 'malformed'],
    ['a Sid of letters and digits', { Sid: 'Sid1' }, 'accepted', 'accepted'],
    ['a Sid of words', { Sid: 'Enable IAM User Permissions' }, 'accepted', 'malformed'],
    ['a Sid that is a number', { Sid: 1 }, 'malformed', 'malformed'],
    ['no action', { Action: undefined }, 'accepted', 'malformed'],
    ['no resource', { Resource: undefined }, 'accepted', 'malformed'],
    ['both Action and NotAction', { NotAction: 'kms:Encrypt' }, 'malformed', 'malformed'],
    ['both Resource and NotResource', { NotResource: '*' }, 'malformed', 'malformed'],
    ['no actions', { Action: [] }, 'malformed', 'malformed'],
    ['no resources', { Resource: [] }, 'malformed', 'malformed'],
    ['actions', { Action: ['kms:Encrypt', 'KMS:de*', 's3:?etObject'] }, 'accepted', 'accepted'],
    ['every action twice over', { Action: '*:*' }, 'accepted', 'accepted'],
    ['an action without a service', { Action: 'Encrypt' }, 'malformed', 'malformed'],
    ['an action with a pattern of services', { Action: 'k*:Encrypt' }, 'malformed', 'malformed'],
    ['an empty action', { Action: '' }, 'malformed', 'malformed'],
    ['an action with a variable', { Action: `kms:\${aws:username}` }, 'malformed', 'malformed'],
    ['an action that is a number', { Action: 1 }, 'malformed', 'malformed'],
    ['an action in a list in a list', { Action: [['kms:Encrypt']] }, 'malformed', 'malformed'],
    [
      'a key id as resource',
      { Resource: '1234abcd-12ab-34cd-56ef-1234567890ab' },
      'malformed',
      'malformed',
    ],
    ['a resource that is null', { Resource: null }, 'malformed', 'malformed'],
    ['a short resource', { Resource: 'arn:aws:kms:us-east-1' }, 'malformed', 'accepted'],
    ['every service as resource', { Resource: 'arn:aws:*:*:*:*' }, 'malformed', 'malformed'],
  ])('with %s', (_, difference, inKeyPolicy, inIdentityPolicy) => {
    expect(ofKey(difference)).toBe(inKeyPolicy)
    expect(ofIdentity(difference)).toBe(inIdentityPolicy)
  })

  test('of an identity policy names no principals', () => {
    expect(ofIdentity({ Principal: '*' })).toBe('malformed')
    expect(ofIdentity({ NotPrincipal: '*' })).toBe('malformed')
  })

  test('of an identity policy has a Sid of its own', () => {
    const two = (a: string, b: string) =>
      problemOf(policy([statement({ Sid: a }), statement({ Sid: b })]), 'identity')
    expect(two('a', 'a')).toBe('malformed')
    expect(two('a', 'A')).toBe('accepted')
    expect(two('', '')).toBe('accepted')
  })
})

describe('a principal', () => {
  test.each<[unknown, string]>([
    ['*', 'accepted'],
    [{ AWS: '*' }, 'accepted'],
    [{ AWS: '111122223333' }, 'accepted'],
    [{ AWS: ROOT }, 'accepted'],
    [{ AWS: [ALICE, 'arn:aws:iam::111122223333:role/path/Role'] }, 'accepted'],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/Role/session' }, 'accepted'],
    [{ AWS: 'arn:aws:sts::111122223333:federated-user/Bob' }, 'accepted'],
    [{ AWS: ALICE_ID }, 'accepted'],
    [{ Service: 'logs.us-east-1.amazonaws.com' }, 'accepted'],
    [{ AWS: ALICE, Service: ['s3.amazonaws.com'] }, 'accepted'],
    [{}, 'no-principal'],
    [{ AWS: [] }, 'no-principal'],
    [ALICE, 'invalid-principal'],
    ['111122223333', 'invalid-principal'],
    [{ AWS: 'alice' }, 'invalid-principal'],
    [{ AWS: '' }, 'invalid-principal'],
    [{ AWS: '11112222333' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::111122223333:user/*' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::111122223333:user/a*/alice' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::111122223333:user/' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::111122223333:group/Admins' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::111122223333:Root' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/Role' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/path/Role/session' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:sts::111122223333:assumed-role/Role/*' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam:us-east-1:111122223333:user/alice' }, 'invalid-principal'],
    [{ AWS: 'arn:aws-cn:iam::111122223333:user/alice' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:s3:::bucket' }, 'invalid-principal'],
    [{ AWS: 'arn:aws:iam::*:root' }, 'invalid-principal-arn'],
    [{ AWS: 'arn:aws:iam::1111:user/alice' }, 'invalid-principal-arn'],
    [{ AWS: 'arn:aws:iam::111122223333' }, 'invalid-principal-arn'],
    [{ AWS: 'arn:' }, 'invalid-principal-arn'],
    [{ AWS: 'arn:aws:iam::111122223333:' }, 'invalid-principal-arn'],
    [{ Service: 'example.com' }, 'invalid-principal'],
    [{ Service: '*' }, 'invalid-principal'],
    [{ Federated: 'accounts.google.com' }, 'invalid-principal'],
    [{ CanonicalUser: '79a59d' }, 'invalid-principal'],
    [{ aws: '*' }, 'invalid-principal'],
    [{ AWS: 111122223333 }, 'malformed'],
    [{ AWS: null }, 'malformed'],
    [{ AWS: { a: 'b' } }, 'malformed'],
    [['*'], 'malformed'],
    [null, 'malformed'],
  ])('%j is %s', (Principal, expected) => {
    expect(ofKey({ Principal })).toBe(expected)
    expect(
      problemOf(
        policy({
          ...without('Principal', keyStatement({ Effect: 'Deny' })),
          NotPrincipal: Principal,
        }),
        'key',
      ),
    ).toBe(expected)
  })

  test('is missing', () => {
    expect(problemOf(policy(without('Principal', keyStatement())), 'key')).toBe('no-principal')
    expect(problemOf(policy([keyStatement(), without('Principal', keyStatement())]), 'key')).toBe(
      'no-principal',
    )
  })

  test('and NotPrincipal exclude each other, and NotPrincipal goes with Deny only', () => {
    expect(ofKey({ Effect: 'Deny', NotPrincipal: '*' })).toBe('malformed')
    expect(
      problemOf(policy({ ...without('Principal', keyStatement()), NotPrincipal: '*' }), 'key'),
    ).toBe('malformed')
  })

  test('that does not exist is invalid', () => {
    const document = policy(keyStatement({ Principal: { AWS: ['111122223333', ALICE, ALICE_ID] } }))
    expect(parsePolicy(document, 'key').principals).toEqual([ROOT, ALICE, ALICE_ID])
    for (const missing of [ROOT, ALICE, ALICE_ID]) {
      expect(problemOf(document, 'key', (principal) => principal !== missing)).toBe(
        'invalid-principal',
      )
    }
    expect(problemOf(document, 'key', () => true)).toBe('accepted')
  })
})

test('a policy is compiled once for each kind, and cannot be changed', () => {
  const text = policy(statement({ Sid: 'CompiledOnce' }))
  const compiled = compilePolicy(text, 'identity')
  expect(compilePolicy(`${text}`, 'identity')).toBe(compiled)
  expect(Object.isFrozen(compiled)).toBe(true)
  expect(Object.isFrozen(compiled.statements)).toBe(true)
  expect(() => compilePolicy(text, 'key')).toThrow(PolicyProblem)
})

test('a stored policy may have grown by white space beyond what may be written', () => {
  const text = `${policy(keyStatement())}${' '.repeat(32_768)}`
  expect(problemOf(text, 'key')).toBe('too-large')
  expect(compilePolicy(text, 'key').statements).toHaveLength(1)
  expect(() => compilePolicy(text + ' '.repeat(9 * 32_768), 'key')).toThrow(PolicyProblem)
})

test('names that mean something to JavaScript do nothing to it', () => {
  const text = `{"__proto__":{"polluted":1},"Statement":{"__proto__":{"Effect":"Allow"},"constructor":1}}`
  expect(problemOf(text, 'key')).toBe('malformed')
  const condition = `{"StringEquals":{"my:__proto__":"x"}}`
  expect(
    problemOf(
      `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":${condition}}}`,
      'identity',
    ),
  ).toBe('accepted')
  for (const name of ['toString', 'hasOwnProperty', '__proto__', 'constructor']) {
    expect(ofKey({ Condition: { [name]: { 'my:key': 'x' } } })).toBe('malformed')
    expect(problemOf(`{"Statement":{"${name}":"x"}}`, 'key')).toBe('malformed')
  }
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('whatever the document, it is accepted or a PolicyProblem says why not', () => {
  const scrap = fc.oneof(
    fc.constantFrom<unknown>(
      'Allow',
      'Deny',
      '*',
      'kms:*',
      ROOT,
      ALICE,
      null,
      true,
      1,
      'arn:aws:kms',
    ),
    fc.json().map((text): unknown => JSON.parse(text)),
  )
  const condition = fc.dictionary(
    fc.constantFrom(
      'StringEquals',
      'Null',
      'Bool',
      'ForAnyValue:ArnLike',
      'IpAddress',
      '__proto__',
    ),
    fc.dictionary(fc.constantFrom('aws:username', 'aws:TagKeys', 'x', '__proto__'), scrap),
  )
  const draft = fc.record(
    {
      Sid: scrap,
      Effect: fc.constantFrom('Allow', 'Deny'),
      Principal: fc.oneof(scrap, fc.dictionary(fc.constantFrom('AWS', 'Service'), scrap)),
      Action: scrap,
      Resource: scrap,
      Condition: fc.oneof(condition, scrap),
    },
    { requiredKeys: ['Effect'] },
  )
  const document = fc.record({
    Version: fc.constantFrom('2012-10-17', '2008-10-17'),
    Statement: draft,
  })
  const text = fc.oneof(
    document.map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string({ unit: 'binary' }),
  )
  fc.assert(
    fc.property(text, fc.constantFrom<PolicyKind>('key', 'identity'), (candidate, kind) => {
      problemOf(candidate, kind) // fails by throwing what is no PolicyProblem
      expect(({} as Record<string, unknown>).x).toBeUndefined()
      expect(Object.keys(Object.prototype)).toEqual([])
    }),
    { numRuns: 2000 },
  )
})
