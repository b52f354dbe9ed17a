import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type PolicyJson, parsePolicyJson } from '../../../shared/authz/policy-json.ts'
import { PolicyProblem } from '../../../shared/authz/policy-problem.ts'

const problemOf = (text: string): string => {
  try {
    parsePolicyJson(text)
  } catch (error) {
    if (error instanceof PolicyProblem) return error.kind
    throw error
  }
  return 'accepted'
}

/** What JSON.parse would have given. */
const plain = (json: PolicyJson): unknown => {
  if (typeof json === 'string') return json
  if (Array.isArray(json)) return json.map(plain)
  if (json instanceof Map) return Object.fromEntries([...json].map(([k, v]) => [k, plain(v)]))
  return JSON.parse((json as { unquoted: string }).unquoted)
}

test.each([
  '',
  ' ',
  '{',
  '}',
  '{"a"}',
  '{"a":}',
  '{"a":1,}',
  '{a:1}',
  "{'a':1}",
  '[1,]',
  '[1 2]',
  '[',
  '"a',
  '"\\x"',
  '"\\u12"',
  '"\\u12g4"',
  '"a\tb"',
  '01',
  '1.',
  '.5',
  '+1',
  '-',
  '1e',
  'NaN',
  'True',
  'undefined',
  '{} {}',
  '{}x',
  '\ufeff{}',
  '/* */{}',
  '\u00a0{}',
])('%j is not JSON', (text) => {
  expect(problemOf(text)).toBe('not-json')
})

test.each([
  ['a member that comes twice', '{"Effect":"Allow","Effect":"Deny"}'],
  ['a member that comes twice in different spelling', '{"a":1,"\\u0061":2}'],
  ['a member that comes twice deep inside', '[{"a":{"b":1,"b":1}}]'],
  ['__proto__ twice', '{"__proto__":1,"__proto__":2}'],
  ['a character above U+00FF', '"\u0100"'],
  ['a character above U+00FF as an escape', '"\\u0100"'],
  ['a control character as an escape', '"\\u0000"'],
  ['a lone surrogate as an escape', '"\\ud800"'],
  ['ten thousand lists in each other', '['.repeat(10_000) + ']'.repeat(10_000)],
  ['ten thousand objects in each other', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`],
  ['ten thousand openings', '['.repeat(10_000)],
])('%s is malformed', (_, text) => {
  expect(problemOf(text)).toBe('malformed')
})

test('the last characters that a policy may have are accepted', () => {
  expect(parsePolicyJson('"\u00ff \\u00ff\\t\\n\\r\\/\\"\\\\"')).toBe('\u00ff \u00ff\t\n\r/"\\')
})

test('numbers and truth values stay as they were written', () => {
  expect(parsePolicyJson('[1.0, -2E+3, true, null]')).toEqual([
    { unquoted: '1.0' },
    { unquoted: '-2E+3' },
    { unquoted: 'true' },
    { unquoted: 'null' },
  ])
})

test('names that mean something to JavaScript are just names', () => {
  const parsed = parsePolicyJson('{"__proto__":{"polluted":"yes"},"constructor":{"prototype":"x"}}')
  expect(parsed).toBeInstanceOf(Map)
  expect([...(parsed as ReadonlyMap<string, PolicyJson>).keys()]).toEqual([
    '__proto__',
    'constructor',
  ])
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
})

test('what JSON.stringify writes is read as JSON.parse reads it', () => {
  const latin1 = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((c) => String.fromCharCode(c)),
  })
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      latin1,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => n + 0 || 0),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value')),
      fc.dictionary(latin1, tie('value'), { noNullPrototype: true }),
    ),
  })).value
  fc.assert(
    fc.property(json, fc.constantFrom(undefined, 2, '\t'), (value, space) => {
      expect(plain(parsePolicyJson(JSON.stringify(value, null, space)))).toEqual(value)
    }),
  )
})

test('whatever the text, the parser gives a value or a PolicyProblem, and agrees with JSON.parse', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'{}[]",:\\ue10.-atrufslen \n') }),
    fc.json().map((json) => json.replace(/[{[]/, '')),
  )
  fc.assert(
    fc.property(text, (candidate) => {
      const kind = problemOf(candidate)
      if (kind === 'malformed') return
      if (kind === 'not-json') expect(() => JSON.parse(candidate)).toThrow()
      else expect(() => JSON.parse(candidate)).not.toThrow()
    }),
    { numRuns: 2000 },
  )
})
