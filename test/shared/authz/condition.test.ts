import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ConditionEntry } from '../../../shared/authz/condition-context.ts'
import { conditionOperators } from '../../../shared/authz/condition-operators.ts'
import { decide } from '../../../shared/authz/decide.ts'
import { parsePolicy } from '../../../shared/authz/policy.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'
import { contextOf, givenCaller, givenRequest, keyStatement, policy, statement } from './given.ts'

/** Whether an Allow under the condition allows, and whether a Deny under it denies. */
function outcome(Condition: unknown, entries: readonly ConditionEntry[], version?: string) {
  const ask = (document: string) =>
    decide(givenRequest({ caller: givenCaller([document]), context: contextOf(...entries) }))
      .allowed
  return {
    allow: ask(policy(statement({ Condition }), version)),
    deny: !ask(policy([statement(), statement({ Effect: 'Deny', Condition })], version)),
  }
}

/** For conditions whose answer does not depend on the effect. */
function holds(Condition: unknown, entries: readonly ConditionEntry[], version?: string): boolean {
  const { allow, deny } = outcome(Condition, entries, version)
  expect(deny).toBe(allow)
  return allow
}

const V6 = '2001:db8::/32'

describe('an operator with one value in the request', () => {
  test.each<[operator: string, inPolicy: unknown, inRequest: string, expected: boolean]>([
    ['StringEquals', 'app', 'app', true],
    ['StringEquals', 'app', 'App', false],
    ['StringEquals', 'a*', 'app', false],
    ['StringEquals', ['x', 'app'], 'app', true],
    ['StringEquals', ['x', 'y'], 'app', false],
    ['StringEquals', '', '', true],
    ['StringEquals', 1.5, '1.5', true],
    ['StringEquals', true, 'true', true],
    ['StringNotEquals', 'app', 'app', false],
    ['StringNotEquals', 'app', 'App', true],
    ['StringNotEquals', ['x', 'app'], 'app', false],
    ['StringNotEquals', ['x', 'y'], 'app', true],
    ['StringEqualsIgnoreCase', 'aPP', 'App', true],
    ['StringEqualsIgnoreCase', 'équipe', 'ÉQUIPE', true],
    ['StringEqualsIgnoreCase', 'k', '\u212a', false],
    ['StringEqualsIgnoreCase', 'app', 'apps', false],
    ['StringNotEqualsIgnoreCase', 'aPP', 'App', false],
    ['StringNotEqualsIgnoreCase', 'app', 'apps', true],
    ['StringLike', 'a*', 'app', true],
    ['StringLike', 'A*', 'app', false],
    ['StringLike', 'a?p', 'app', true],
    ['StringLike', 'a?', 'app', false],
    ['StringLike', 'arn:*:key', 'arn:a:b:key', true],
    ['StringNotLike', 'a*', 'app', false],
    ['StringNotLike', ['b*', 'c*'], 'app', true],
    ['NumericEquals', '10', '10.0', true],
    ['NumericEquals', 10, '1e1', false],
    ['NumericEquals', '10', 'ten', false],
    ['NumericNotEquals', '10', '10', false],
    ['NumericNotEquals', '10', '11', true],
    ['NumericNotEquals', '10', 'ten', true],
    ['NumericLessThan', '10', '9', true],
    ['NumericLessThan', '10', '10', false],
    ['NumericLessThanEquals', '10', '10', true],
    ['NumericLessThanEquals', '10', '10.5', false],
    ['NumericGreaterThan', '-1', '0', true],
    ['NumericGreaterThan', '9', '10', true],
    ['NumericGreaterThan', '9', '9', false],
    ['NumericGreaterThanEquals', '9', '9', true],
    ['NumericGreaterThanEquals', '9', '8.99', false],
    ['NumericGreaterThanEquals', '9', '', false],
    ['DateEquals', '2026-01-01T00:00:00Z', '2026-01-01T01:00:00+01:00', true],
    ['DateEquals', '2026', '2026-01-01', true],
    ['DateEquals', '1767225600', '2026-01-01T00:00Z', true],
    ['DateEquals', '2026-01-01', '2026-01-02', false],
    ['DateNotEquals', '2026-01-01', '2026-01-01T00:00:00.000Z', false],
    ['DateNotEquals', '2026-01-01', 'yesterday', true],
    ['DateLessThan', '2026-02', '2026-01-31T23:59:59.999Z', true],
    ['DateLessThan', '2026-02', '2026-02-01', false],
    ['DateLessThan', '2026-02', 'yesterday', false],
    ['DateLessThanEquals', '2026-02', '2026-02-01', true],
    ['DateGreaterThan', '2026-02-01T12:00:00Z', '2026-02-01T12:00:01Z', true],
    ['DateGreaterThan', '2026-02-01T12:00:00Z', '2026-02-01T12:00:00Z', false],
    ['DateGreaterThanEquals', '2026-02-01T12:00:00Z', '1769947200', true],
    ['DateGreaterThanEquals', '2026-02-01T12:00:00Z', '1769947199', false],
    ['Bool', 'true', 'true', true],
    ['Bool', true, 'True', true],
    ['Bool', 'false', 'true', false],
    ['Bool', 'false', 'false', true],
    ['Bool', 'false', 'no', false],
    ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ5', true],
    ['BinaryEquals', 'QmluYXJ5', 'QmluYXJ6', false],
    ['BinaryEquals', 'QmluYXJ5', '?', false],
    ['IpAddress', '203.0.113.0/24', '203.0.113.255', true],
    ['IpAddress', '203.0.113.0/24', '203.0.114.0', false],
    ['IpAddress', '203.0.113.7/24', '203.0.113.1', true],
    ['IpAddress', '203.0.113.7', '203.0.113.7', true],
    ['IpAddress', '203.0.113.7', '203.0.113.8', false],
    ['IpAddress', '0.0.0.0/0', '8.8.8.8', true],
    ['IpAddress', '203.0.113.0/24', '::ffff:203.0.113.9', true],
    ['IpAddress', V6, '2001:db8:1::1', true],
    ['IpAddress', V6, '2001:db9::1', false],
    ['IpAddress', '2001:db8::1', '2001:db8::2', false],
    ['IpAddress', V6, '203.0.113.9', false],
    ['IpAddress', '203.0.113.0/24', 'somewhere', false],
    ['IpAddress', 'fe80::/10', 'fe80::1%eth0', false],
    ['NotIpAddress', '203.0.113.0/24', '203.0.113.9', false],
    ['NotIpAddress', '203.0.113.0/24', '203.0.114.9', true],
    ['NotIpAddress', ['203.0.113.0/24', V6], '2001:db8::9', false],
    ['NotIpAddress', '203.0.113.0/24', 'somewhere', true],
    ['ArnEquals', 'arn:aws:iam::*:user/team/*', 'arn:aws:iam::111122223333:user/team/a', true],
    ['ArnEquals', 'arn:aws:iam::*:user/a', 'arn:aws:iam::1:2:user/a', false],
    ['ArnLike', 'arn:aws:iam::111122223333:user/?', 'arn:aws:iam::111122223333:user/a', true],
    ['ArnLike', 'arn:aws:iam::111122223333:user/?', 'not an arn', false],
    ['ArnNotEquals', 'arn:aws:iam::*:user/a', 'arn:aws:iam::111122223333:user/a', false],
    ['ArnNotLike', 'arn:aws:iam::*:user/a', 'arn:aws:iam::111122223333:user/b', true],
    ['ArnNotLike', 'arn:aws:iam::*:user/a', 'not an arn', true],
  ])('%s %j against %j gives %s', (operator, inPolicy, inRequest, expected) => {
    expect(holds({ [operator]: { 'my:key': inPolicy } }, [['my:key', inRequest]])).toBe(expected)
  })
})

/** A value that each operator takes. */
const valid: Readonly<Record<string, string>> = {
  String: 'x',
  Numeric: '1',
  Date: '2026-01-01',
  Bool: 'true',
  Binary: 'eA==',
  Ip: '10.0.0.0/8',
  NotIp: '10.0.0.0/8',
  Arn: 'arn:aws:iam::111122223333:user/x',
}
const validFor = (operator: string) =>
  valid[/^(?:NotIp|[A-Z][a-z]+)/.exec(operator)?.[0] ?? ''] as string

describe('a key that the request does not have', () => {
  const operators = [...conditionOperators.keys()]

  test.each(operators)('%s holds only where it is negated', (operator) => {
    const expected = operator.includes('Not')
    expect(holds({ [operator]: { 'my:key': validFor(operator) } }, [])).toBe(expected)
  })

  test.each(operators)('%sIfExists holds', (operator) => {
    expect(holds({ [`${operator}IfExists`]: { 'my:key': validFor(operator) } }, [])).toBe(true)
  })

  test.each(operators)('ForAllValues:%s holds', (operator) => {
    const Condition = { [`ForAllValues:${operator}`]: { 'my:key': validFor(operator) } }
    expect(holds(Condition, [])).toBe(true)
    expect(holds(Condition, [['my:key', []]])).toBe(true)
  })

  test.each(operators)('ForAnyValue:%s does not hold', (operator) => {
    const Condition = { [`ForAnyValue:${operator}`]: { 'my:key': validFor(operator) } }
    expect(holds(Condition, [])).toBe(false)
    expect(holds(Condition, [['my:key', []]])).toBe(false)
  })

  test.each(operators)('ForAnyValue:%sIfExists holds', (operator) => {
    expect(
      holds({ [`ForAnyValue:${operator}IfExists`]: { 'my:key': validFor(operator) } }, []),
    ).toBe(true)
  })

  test.each<[unknown, boolean]>([
    ['true', true],
    [true, true],
    ['True', true],
    ['false', false],
    [false, false],
    [['true', 'false'], true],
  ])('Null %j gives %s', (value, expected) => {
    expect(holds({ Null: { 'my:key': value } }, [])).toBe(expected)
  })
})

/** One value of a policy for each operator, a value that it fits, and one that it does not fit. */
const operands: readonly (readonly [
  operator: string,
  wanted: string,
  fit: string,
  misfit: string,
])[] = [
  ['StringEquals', 'a', 'a', 'b'],
  ['StringEqualsIgnoreCase', 'a', 'A', 'b'],
  ['StringLike', 'a*', 'ab', 'b'],
  ['NumericEquals', '1', '1.0', '2'],
  ['NumericLessThan', '2', '1', '2'],
  ['NumericLessThanEquals', '2', '2', '3'],
  ['NumericGreaterThan', '2', '3', '2'],
  ['NumericGreaterThanEquals', '2', '2', '1'],
  ['DateEquals', '2026-01-01', '2026-01-01T00:00:00Z', '2026-01-02'],
  ['DateLessThan', '2026-01-02', '2026-01-01', '2026-01-02'],
  ['DateLessThanEquals', '2026-01-02', '2026-01-02', '2026-01-03'],
  ['DateGreaterThan', '2026-01-02', '2026-01-03', '2026-01-02'],
  ['DateGreaterThanEquals', '2026-01-02', '2026-01-02', '2026-01-01'],
  ['Bool', 'true', 'true', 'false'],
  ['BinaryEquals', 'eA==', 'eA==', 'eQ=='],
  ['IpAddress', '10.0.0.0/8', '10.1.2.3', '11.0.0.1'],
  ['ArnEquals', 'arn:aws:iam::*:user/x', 'arn:aws:iam::1:user/x', 'arn:aws:iam::1:user/y'],
  ['ArnLike', 'arn:aws:iam::*:user/x*', 'arn:aws:iam::1:user/xy', 'arn:aws:iam::1:user/y'],
  // negated: what fits is what the policy names
  ['StringNotEquals', 'a', 'a', 'b'],
  ['StringNotEqualsIgnoreCase', 'a', 'A', 'b'],
  ['StringNotLike', 'a*', 'ab', 'b'],
  ['NumericNotEquals', '1', '1.0', '2'],
  ['DateNotEquals', '2026-01-01', '2026-01-01T00:00:00Z', '2026-01-02'],
  ['NotIpAddress', '10.0.0.0/8', '10.1.2.3', '11.0.0.1'],
  ['ArnNotEquals', 'arn:aws:iam::*:user/x', 'arn:aws:iam::1:user/x', 'arn:aws:iam::1:user/y'],
  ['ArnNotLike', 'arn:aws:iam::*:user/x*', 'arn:aws:iam::1:user/xy', 'arn:aws:iam::1:user/y'],
]

/** Form of the operator, what the request has, and whether the condition holds: positive, negated. */
const forms: readonly (readonly [
  form: (operator: string) => string,
  given: readonly ('fit' | 'misfit')[],
  positive: boolean,
  negated: boolean,
])[] = [
  [(operator) => operator, ['fit'], true, false],
  [(operator) => operator, ['misfit'], false, true],
  [(operator) => operator, [], false, true],
  [(operator) => `${operator}IfExists`, ['fit'], true, false],
  [(operator) => `${operator}IfExists`, ['misfit'], false, true],
  [(operator) => `${operator}IfExists`, [], true, true],
  [(operator) => `ForAllValues:${operator}`, ['fit', 'fit'], true, false],
  [(operator) => `ForAllValues:${operator}`, ['fit', 'misfit'], false, false],
  [(operator) => `ForAllValues:${operator}`, ['misfit', 'misfit'], false, true],
  [(operator) => `ForAllValues:${operator}`, [], true, true],
  [(operator) => `ForAnyValue:${operator}`, ['fit', 'fit'], true, false],
  [(operator) => `ForAnyValue:${operator}`, ['fit', 'misfit'], true, true],
  [(operator) => `ForAnyValue:${operator}`, ['misfit', 'misfit'], false, true],
  [(operator) => `ForAnyValue:${operator}`, [], false, false],
  [(operator) => `ForAllValues:${operator}IfExists`, ['fit', 'misfit'], false, false],
  [(operator) => `ForAllValues:${operator}IfExists`, [], true, true],
  [(operator) => `ForAnyValue:${operator}IfExists`, ['misfit', 'misfit'], false, true],
  [(operator) => `ForAnyValue:${operator}IfExists`, [], true, true],
]

describe('every operator in every form', () => {
  test('is here', () => {
    expect(operands.map(([operator]) => operator).toSorted()).toEqual(
      [...conditionOperators.keys()].toSorted(),
    )
  })

  test.each(operands)('%s %j', (operator, wanted, fit, misfit) => {
    for (const [form, given, positive, negated] of forms) {
      const values = given.map((which) => (which === 'fit' ? fit : misfit))
      const [only] = values
      const entry: ConditionEntry = ['my:key', values.length === 1 ? only : values]
      const expected = operator.includes('Not') ? negated : positive
      const said = holds({ [form(operator)]: { 'my:key': wanted } }, [entry])
      expect(said, `${form(operator)} ${given}`).toBe(expected)
    }
  })
})

test('Null looks at presence, not at the value', () => {
  expect(holds({ Null: { 'my:key': 'true' } }, [['my:key', 'x']])).toBe(false)
  expect(holds({ Null: { 'my:key': 'false' } }, [['my:key', 'x']])).toBe(true)
  expect(holds({ Null: { 'my:key': 'false' } }, [['my:key', '']])).toBe(true)
  expect(holds({ Null: { 'aws:TagKeys': 'false' } }, [['aws:TagKeys', ['a', 'b']]])).toBe(true)
  expect(holds({ Null: { 'aws:TagKeys': 'true' } }, [['aws:TagKeys', ['a', 'b']]])).toBe(false)
})

test('IfExists changes nothing when the request has the key', () => {
  expect(holds({ StringEqualsIfExists: { 'my:key': 'a' } }, [['my:key', 'a']])).toBe(true)
  expect(holds({ StringEqualsIfExists: { 'my:key': 'a' } }, [['my:key', 'b']])).toBe(false)
  expect(holds({ StringNotEqualsIfExists: { 'my:key': 'a' } }, [['my:key', 'a']])).toBe(false)
  expect(
    holds({ 'ForAnyValue:StringLikeIfExists': { 'aws:TagKeys': 'a*' } }, [['aws:TagKeys', ['b']]]),
  ).toBe(false)
})

describe('a key with several values', () => {
  test.each<[operator: string, inPolicy: readonly string[], inRequest: readonly string[], boolean]>(
    [
      ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'b'], true],
      ['ForAllValues:StringEquals', ['a', 'b'], ['a'], true],
      ['ForAllValues:StringEquals', ['a', 'b'], ['a', 'c'], false],
      ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'd'], true],
      ['ForAllValues:StringNotEquals', ['a', 'b'], ['c', 'a'], false],
      ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'b'], true],
      ['ForAnyValue:StringEquals', ['a', 'b'], ['c', 'd'], false],
      ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'c'], true],
      ['ForAnyValue:StringNotEquals', ['a', 'b'], ['a', 'b'], false],
      ['ForAllValues:StringLike', ['a*'], ['ab', 'ac'], true],
      ['ForAnyValue:StringNotLike', ['a*'], ['ab', 'ac'], false],
    ],
  )('%s %j against %j gives %s', (operator, inPolicy, inRequest, expected) => {
    const Condition = { [operator]: { 'aws:TagKeys': inPolicy } }
    expect(holds(Condition, [['aws:TagKeys', inRequest]])).toBe(expected)
  })

  test.each(['StringEquals', 'StringNotEquals', 'StringLikeIfExists'])(
    '%s without a set operator allows nothing and denies all',
    (operator) => {
      const Condition = { [operator]: { 'my:key': 'a' } }
      expect(outcome(Condition, [['my:key', ['a', 'a']]])).toEqual({ allow: false, deny: true })
      expect(outcome(Condition, [['my:key', ['b', 'c']]])).toEqual({ allow: false, deny: true })
    },
  )

  test('two encryption context names that differ in case only cannot pick the value that is looked at', () => {
    const Condition = { StringEquals: { 'kms:EncryptionContext:app': 'ledger' } }
    const entries: ConditionEntry[] = [
      ['kms:EncryptionContext:app', 'ledger'],
      ['kms:EncryptionContext:App', 'other'],
    ]
    expect(outcome(Condition, entries)).toEqual({ allow: false, deny: true })
  })
})

describe('a block of several conditions', () => {
  const entries: readonly ConditionEntry[] = [
    ['my:a', '1'],
    ['my:b', '2'],
  ]

  test.each<[Readonly<Record<string, unknown>>, boolean]>([
    [{}, true],
    [{ StringEquals: { 'my:a': '1', 'my:b': '2' } }, true],
    [{ StringEquals: { 'my:a': '1', 'my:b': '3' } }, false],
    [{ StringEquals: { 'my:a': '1' }, NumericEquals: { 'my:b': 2 } }, true],
    [{ StringEquals: { 'my:a': '1' }, NumericEquals: { 'my:b': 3 } }, false],
    [{ StringEquals: { 'my:a': '0' }, NumericEquals: { 'my:b': 2 } }, false],
  ])('%j gives %s', (Condition, expected) => {
    expect(holds(Condition, entries)).toBe(expected)
  })

  test('the names of condition keys are compared without regard to case', () => {
    const Condition = { StringEquals: { 'kms:encryptioncontext:APPNAME': 'Ledger' } }
    expect(holds(Condition, [['kms:EncryptionContext:AppName', 'Ledger']])).toBe(true)
    expect(holds(Condition, [['kms:EncryptionContext:AppName', 'ledger']])).toBe(false)
    expect(holds(Condition, [['kms:EncryptionContext:App', 'Ledger']])).toBe(false)
  })
})

describe('variables in the values of conditions', () => {
  const entries: readonly ConditionEntry[] = [
    ['aws:username', 'alice'],
    ['aws:PrincipalArn', 'arn:aws:iam::111122223333:user/alice'],
    ['my:star', 'a*'],
    ['my:owner', 'alice'],
    ['my:arn', 'arn:aws:iam::111122223333:user/alice'],
    ['my:flag', 'TRUE'],
    ['aws:TagKeys', ['alice']],
  ]

  test.each<[operator: string, key: string, value: string, expected: boolean]>([
    ['StringEquals', 'my:owner', `\${aws:username}`, true],
    ['StringEquals', 'my:owner', `\${aws:userid}`, false],
    ['StringNotEquals', 'my:owner', `\${aws:username}`, false],
    ['StringNotEquals', 'my:owner', `\${aws:userid}`, true],
    ['StringEquals', 'my:owner', `\${aws:userid, 'alice'}`, true],
    ['StringEqualsIgnoreCase', 'my:owner', `\${aws:username}`, true],
    ['StringLike', 'my:owner', `\${my:star}`, false],
    ['StringLike', 'my:star', `\${my:star}`, true],
    ['StringLike', 'my:owner', `\${aws:TagKeys}`, false],
    ['ArnEquals', 'my:arn', `\${aws:PrincipalArn}`, true],
    ['ArnEquals', 'my:arn', `arn:aws:iam::*:user/\${aws:username}`, true],
    ['ArnEquals', 'my:arn', `arn:aws:iam::*:user/\${my:star}`, false],
    ['ArnNotEquals', 'my:arn', `\${aws:userid}`, true],
    ['Bool', 'my:flag', `\${my:flag}`, true],
    ['Bool', 'my:flag', `\${aws:username}`, false],
  ])('%s %s %s gives %s', (operator, key, value, expected) => {
    expect(holds({ [operator]: { [key]: value } }, entries)).toBe(expected)
  })

  test('version 2008-10-17 has none', () => {
    const Condition = { StringEquals: { 'my:owner': `\${aws:username}` } }
    expect(holds(Condition, entries)).toBe(true)
    expect(holds(Condition, entries, '2008-10-17')).toBe(false)
    expect(holds(Condition, [['my:owner', `\${aws:username}`]], '2008-10-17')).toBe(true)
  })
})

describe('a condition that is refused when the policy is written', () => {
  const refusal = (Condition: unknown, kind: 'key' | 'identity' = 'identity') => {
    const document = policy(kind === 'key' ? keyStatement({ Condition }) : statement({ Condition }))
    try {
      parsePolicy(document, kind)
    } catch (error) {
      if (error instanceof PolicyProblem) return `${error.kind}: ${error.text}`
      throw error
    }
    return 'accepted'
  }

  test.each<[unknown]>([
    ['x'],
    [[]],
    [null],
    [{ StringEquals: {} }],
    [{ StringEquals: 'x' }],
    [{ StringEquals: { 'my:key': [] } }],
    [{ StringEquals: { 'my:key': null } }],
    [{ StringEquals: { 'my:key': { a: 'b' } } }],
    [{ StringEquals: { 'my:key': [['a']] } }],
    [{ StringEquals: { key: 'a' } }],
    [{ StringEquals: { ':key': 'a' } }],
    [{ StringEquals: { 'my:': 'a' } }],
    [{ StringEquals: { ['my:$'.concat('{aws:username}')]: 'a' } }],
    [{ stringequals: { 'my:key': 'a' } }],
    [{ StringMatches: { 'my:key': 'a' } }],
    [{ IfExists: { 'my:key': 'a' } }],
    [{ 'ForSomeValues:StringEquals': { 'my:key': 'a' } }],
    [{ 'ForAllValues:Null': { 'my:key': 'true' } }],
    [{ NullIfExists: { 'my:key': 'true' } }],
    [{ Null: { 'my:key': 'maybe' } }],
    [{ 'StringEquals:ForAllValues': { 'my:key': 'a' } }],
    [{ StringEqualsIfExistsIfExists: { 'my:key': 'a' } }],
    [{ NumericEquals: { 'my:key': 'ten' } }],
    [{ NumericEquals: { 'my:key': `\${aws:username}` } }],
    [{ DateEquals: { 'my:key': '2026-02-30' } }],
    [{ DateEquals: { 'my:key': '2026-13-01T00:00:00Z' } }],
    [{ DateEquals: { 'my:key': '2026-01-01T00:00:00' } }],
    [{ DateEquals: { 'my:key': '2026-01-*' } }],
    [{ Bool: { 'my:key': 'yes' } }],
    [{ BinaryEquals: { 'my:key': '***' } }],
    [{ IpAddress: { 'my:key': '10.0.0.0/33' } }],
    [{ IpAddress: { 'my:key': '10.0.0.0/' } }],
    [{ IpAddress: { 'my:key': '10.0.0.0/8/8' } }],
    [{ IpAddress: { 'my:key': '10.0.0.*' } }],
    [{ IpAddress: { 'my:key': 'fe80::1%eth0' } }],
    [{ ArnLike: { 'my:key': '*' } }],
    [{ StringLike: { 'my:key': '${aws:username' } }],
    [{ StringEquals: { 'aws:TagKeys': 'a' } }],
    [{ StringEqualsIfExists: { 'kms:encryptioncontextkeys': 'a' } }],
    [{ StringEquals: { 'kms:ResourceAliases': 'alias/a' } }],
  ])('%j', (Condition) => {
    expect(refusal(Condition)).toMatch(/^malformed: /)
  })

  test('the aliases of the key in a key policy', () => {
    const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/a' } }
    expect(refusal(Condition, 'key')).toMatch(/^malformed: /)
    expect(refusal(Condition, 'identity')).toBe('accepted')
  })

  test.each(['kms:EncryptionContext:app', 'aws:RequestTag/team', 'KMS:encryptioncontext:app'])(
    'ForAllValues on %s in a key policy, where an absent key would let everyone in',
    (key) => {
      const Condition = { 'ForAllValues:StringEquals': { [key]: 'a' } }
      expect(refusal(Condition, 'key')).toMatch(/^malformed: OverlyPermissiveCondition/)
      expect(refusal(Condition, 'identity')).toBe('accepted')
      expect(refusal({ 'ForAnyValue:StringEquals': { [key]: 'a' } }, 'key')).toBe('accepted')
    },
  )
})

test('a negated operator holds exactly where its positive twin does not, when the key is there once', () => {
  const twins = [
    ['StringEquals', 'StringNotEquals'],
    ['StringLike', 'StringNotLike'],
    ['StringEqualsIgnoreCase', 'StringNotEqualsIgnoreCase'],
  ] as const
  const text = fc.string({ unit: fc.constantFrom('a', 'A', '*', '?', 'b') })
  fc.assert(
    fc.property(
      fc.constantFrom(...twins),
      fc.array(text, { minLength: 1 }),
      text,
      ([positive, negative], inPolicy, inRequest) => {
        const entries: ConditionEntry[] = [['my:key', inRequest]]
        expect(holds({ [negative]: { 'my:key': inPolicy } }, entries)).toBe(
          !holds({ [positive]: { 'my:key': inPolicy } }, entries),
        )
      },
    ),
  )
})
