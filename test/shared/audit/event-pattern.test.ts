import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compilePattern } from '../../../infra/local/event-pattern.ts'

const event = {
  source: 'keyhold',
  'detail-type': 'Keyhold Audit Records',
  resources: ['arn:aws:kms:one', 'arn:aws:s3:two'],
  detail: {
    count: 5,
    ratio: 0.5,
    on: true,
    nothing: null,
    empty: '',
    none: [],
    name: 'Payments-EU.json',
    star: 'a*b',
    records: [
      { name: 'Encrypt', ok: true },
      { name: 'Decrypt', ok: false },
    ],
  },
}

const detail = (pattern: object) => ({ detail: pattern })

test.each<[string, object, boolean]>([
  ['a text', { source: ['keyhold'] }, true],
  ['one of several texts', { source: ['other', 'keyhold'] }, true],
  ['another text', { source: ['Keyhold'] }, false],
  ['every field', { source: ['keyhold'], 'detail-type': ['Other'] }, false],
  ['no field', {}, true],
  ['a number', detail({ count: [5] }), true],
  ['a number as text', detail({ count: ['5'] }), false],
  ['a boolean', detail({ on: [true] }), true],
  ['null', detail({ nothing: [null] }), true],
  ['null for what is not there', detail({ absent: [null] }), false],
  ['the empty text', detail({ empty: [''] }), true],
  ['any entry of a list', { resources: ['arn:aws:s3:two'] }, true],
  ['no entry of a list', { resources: ['arn:aws:s3:three'] }, false],
  ['fields of one entry of a list', detail({ records: { name: ['Encrypt'], ok: [true] } }), true],
  ['fields of different entries', detail({ records: { name: ['Encrypt'], ok: [false] } }), false],
  ['an inherited name', detail({ constructor: [{ exists: true }] }), false],
  ['prefix', detail({ name: [{ prefix: 'Pay' }] }), true],
  ['prefix in another case', detail({ name: [{ prefix: 'pay' }] }), false],
  ['prefix in any case', detail({ name: [{ prefix: { 'equals-ignore-case': 'pay' } }] }), true],
  ['prefix of a number', detail({ count: [{ prefix: '5' }] }), false],
  ['suffix', detail({ name: [{ suffix: '.json' }] }), true],
  ['suffix in any case', detail({ name: [{ suffix: { 'equals-ignore-case': '.JSON' } }] }), true],
  ['another suffix', detail({ name: [{ suffix: '.xml' }] }), false],
  ['equals-ignore-case', detail({ name: [{ 'equals-ignore-case': 'PAYMENTS-eu.JSON' }] }), true],
  ['wildcard', detail({ name: [{ wildcard: 'P*-*.json' }] }), true],
  ['wildcard for nothing', detail({ name: [{ wildcard: 'Payments*-EU.json' }] }), true],
  ['a dot is no wildcard', detail({ name: [{ wildcard: 'Payments.EU*' }] }), false],
  ['an escaped star', detail({ star: [{ wildcard: 'a\\*b' }] }), true],
  ['an escaped star is no wildcard', detail({ name: [{ wildcard: 'Pay\\*' }] }), false],
  ['exists', detail({ name: [{ exists: true }] }), true],
  ['exists for null', detail({ nothing: [{ exists: true }] }), true],
  ['exists for what is not there', detail({ absent: [{ exists: true }] }), false],
  ['exists for an object', { detail: [{ exists: true }] }, false],
  ['exists for an empty list', detail({ none: [{ exists: true }] }), false],
  ['does not exist', detail({ absent: [{ exists: false }] }), true],
  ['does not exist below what does not', { absent: { deeper: [{ exists: false }] } }, true],
  ['does not exist, but does', detail({ name: [{ exists: false }] }), false],
  ['absent or a text', detail({ name: [{ exists: false }, 'Payments-EU.json'] }), true],
  ['anything-but', { source: [{ 'anything-but': 'other' }] }, true],
  ['anything-but itself', { source: [{ 'anything-but': 'keyhold' }] }, false],
  ['anything-but a list', { source: [{ 'anything-but': ['a', 'keyhold'] }] }, false],
  ['anything-but numbers', detail({ count: [{ 'anything-but': [4, 6] }] }), true],
  ['anything-but a prefix', { source: [{ 'anything-but': { prefix: 'key' } }] }, false],
  ['anything-but prefixes', { source: [{ 'anything-but': { prefix: ['a', 'b'] } }] }, true],
  ['anything-but a suffix', { source: [{ 'anything-but': { suffix: 'hold' } }] }, false],
  [
    'anything-but in any case',
    { source: [{ 'anything-but': { 'equals-ignore-case': 'KEYHOLD' } }] },
    false,
  ],
  ['anything-but a wildcard', { source: [{ 'anything-but': { wildcard: 'k*d' } }] }, false],
  ['anything-but of what is not there', detail({ absent: [{ 'anything-but': 'x' }] }), false],
  ['numeric equals', detail({ count: [{ numeric: ['=', 5] }] }), true],
  ['numeric range', detail({ count: [{ numeric: ['>', 0, '<=', 5] }] }), true],
  ['numeric below its range', detail({ count: [{ numeric: ['>', 5, '<', 9] }] }), false],
  ['numeric not less', detail({ count: [{ numeric: ['<', 5] }] }), false],
  ['numeric at least', detail({ ratio: [{ numeric: ['>=', 0.5] }] }), true],
  ['numeric of a text', detail({ name: [{ numeric: ['>', 0] }] }), false],
  ['$or, the first', { $or: [{ source: ['keyhold'] }, { source: ['x'] }] }, true],
  ['$or, the second', detail({ $or: [{ count: [9] }, { on: [true] }] }), true],
  ['$or, none', { $or: [{ source: ['x'] }, { account: ['y'] }] }, false],
  ['$or and a field', { source: ['x'], $or: [{ source: ['keyhold'] }] }, false],
])('%s', (_, pattern, expected) => {
  expect(compilePattern(pattern)(event)).toBe(expected)
})

test.each([
  null,
  'keyhold',
  { source: 'keyhold' },
  { source: [] },
  { source: [{ contains: 'x' }] },
  { source: [{ constructor: 'x' }] },
  { source: [{ prefix: 5 }] },
  { source: [{ prefix: 'a', suffix: 'b' }] },
  { source: [{}] },
  { count: [{ numeric: ['>'] }] },
  { count: [{ numeric: ['!=', 5] }] },
  { count: [{ numeric: ['>', '5'] }] },
])('%j is no pattern', (pattern) => {
  expect(() => compilePattern(pattern)).toThrow(TypeError)
})

test('anything-but is the opposite of a match, for every text', () => {
  const operator = fc.constantFrom('prefix', 'suffix', 'equals-ignore-case', 'wildcard')
  fc.assert(
    fc.property(operator, fc.string(), fc.string(), (name, operand, value) => {
      const matches = compilePattern({ x: [{ [name]: operand }] })({ x: value })
      const differs = compilePattern({ x: [{ 'anything-but': { [name]: operand } }] })({ x: value })
      expect(differs).toBe(!matches)
    }),
  )
})

test('a wildcard matches what its stars stand for, and needs what stands between them', () => {
  const plain = fc.string({ unit: fc.constantFrom('a', '.', '[', '\n', 'ü', '🔑', ')') })
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 4 }), plain, (pieces, between) => {
      const matches = compilePattern({ x: [{ wildcard: pieces.join('*') }] })
      expect(matches({ x: pieces.join(between) })).toBe(true)
      expect(matches({ x: `${pieces.join(between)}#` })).toBe(
        pieces.length > 1 && pieces.at(-1) === '',
      )
    }),
  )
})
