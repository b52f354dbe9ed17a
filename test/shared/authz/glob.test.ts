import fc from 'fast-check'
import { expect, test } from 'vitest'
import { matchesGlob, parseGlob } from '../../../shared/authz/glob.ts'

const matches = (pattern: string, text: string) => matchesGlob(parseGlob(pattern), text)

test.each([
  ['', '', true],
  ['', 'a', false],
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'ab', false],
  ['*', '', true],
  ['*', 'a/b:c', true],
  ['?', '', false],
  ['?', 'a', true],
  ['?', 'ab', false],
  ['?', '😀', true],
  ['*?', '😀', true],
  ['??', '😀', false],
  ['a*c', 'abbc', true],
  ['a*c', 'abbd', false],
  ['a*b*c', 'aXbYc', true],
  ['a*b*c', 'acb', false],
  ['*a*', 'bab', true],
  ['**', 'x', true],
  ['a**', 'a', true],
  ['kms:de*', 'kms:decrypt', true],
  ['kms:de*', 'kms:encrypt', false],
  ['.+', 'ab', false],
  ['[ab]', 'a', false],
  ['a*', 'ba', false],
])('the glob %j against %j gives %s', (pattern, text, expected) => {
  expect(matches(pattern, text)).toBe(expected)
})

/** Straight from the definition, exponential. */
function reference(pattern: readonly string[], text: readonly string[]): boolean {
  const [head, ...tail] = pattern
  if (head === undefined) return text.length === 0
  if (head === '*')
    return reference(tail, text) || (text.length > 0 && reference(pattern, text.slice(1)))
  return text.length > 0 && (head === '?' || head === text[0]) && reference(tail, text.slice(1))
}

test('a glob matches what the definition of wildcards says', () => {
  const text = fc.string({ unit: fc.constantFrom('a', 'b', '😀'), maxLength: 8 })
  const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', '😀'), maxLength: 8 })
  fc.assert(
    fc.property(pattern, text, (p, t) => {
      expect(matches(p, t)).toBe(reference([...p], [...t]))
    }),
    { numRuns: 2000 },
  )
})

test('a pattern of many wildcards ends in a bounded number of steps', () => {
  const text = 'a'.repeat(8192)
  expect(matches(`${'a*'.repeat(1000)}b`, text)).toBe(false)
  expect(matches(`${'*a'.repeat(1000)}*`, text)).toBe(true)
  expect(matches(`*${'a'.repeat(4000)}b*`, text)).toBe(false)
  expect(matches(`*${'a?'.repeat(2000)}b*`, text)).toBe(false)
})
