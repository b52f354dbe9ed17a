import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeEncryptionContext } from '../../../shared/crypto/encryption-context.ts'
import { hex, vectors } from '../../support/vectors.ts'

const frozen = vectors<{
  contexts: { name: string; context: Record<string, string>; bytes: string }[]
}>('encodings-v1.json').contexts

// Few characters, so that names and values often look alike; halves of surrogate pairs among them.
const text = fc
  .array(fc.constantFrom('a', 'b', '\u0000', '\ud83d', '\udd11', '\ufffd', 'é'), { maxLength: 3 })
  .map((units) => units.join(''))
const name = fc.oneof(text, fc.constantFrom('__proto__', 'constructor', 'toString'))
const pairs = fc.uniqueArray(fc.tuple(name, text), { selector: ([key]) => key, maxLength: 4 })

/** As JSON.parse makes them: `__proto__` is a pair like any other. */
const contextOf = (list: readonly (readonly [string, string])[]): Record<string, string> =>
  Object.fromEntries(list)

const sorted = (list: readonly (readonly [string, string])[]): string =>
  JSON.stringify([...list].sort(([one], [other]) => (one < other ? -1 : 1)))

test.each(frozen)('encodes as it did when the layout was frozen: $name', ({ context, bytes }) => {
  expect(encodeEncryptionContext(context)).toEqual(hex(bytes))
})

test('two contexts have the same bytes exactly when they have the same pairs', () => {
  fc.assert(
    fc.property(pairs, pairs, (one, other) => {
      const same = encodeEncryptionContext(contextOf(one)).equals(
        encodeEncryptionContext(contextOf(other)),
      )
      expect(same).toBe(sorted(one) === sorted(other))
    }),
    { numRuns: 5000 },
  )
})

test('the order of the pairs does not matter', () => {
  const shuffled = pairs.chain((list) =>
    fc.tuple(
      fc.constant(list),
      fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
    ),
  )
  fc.assert(
    fc.property(shuffled, ([list, other]) => {
      const encoded = encodeEncryptionContext(contextOf(list))
      expect(encodeEncryptionContext(contextOf(other))).toEqual(encoded)
    }),
  )
})

test('nothing can be moved between names and values', () => {
  const contexts = [
    { a: 'bc' },
    { ab: 'c' },
    { a: 'b', c: 'd' },
    { a: 'b\u0000\u0000\u0000\u0001c\u0000\u0000\u0000\u0001d' },
    { ab: 'cd' },
    { a: '', b: 'cd' },
    { a: '' },
    { '': 'a' },
    {},
  ]
  const encoded = contexts.map((context) => encodeEncryptionContext(context).toString('hex'))
  expect(new Set(encoded).size).toBe(contexts.length)
})

test('a pair named __proto__ counts', () => {
  const context = JSON.parse('{"__proto__":"x"}')
  expect(encodeEncryptionContext(context)).not.toHaveLength(0)
})

test('what is inherited does not count', () => {
  const inherited: Record<string, string> = Object.create({ a: 'b' })
  expect(encodeEncryptionContext(inherited)).toHaveLength(0)
})

test('halves of surrogate pairs differ from each other and from the replacement character', () => {
  const texts = ['\ud83d', '\ud83e', '\udd11', '\ufffd', '\udd11\ud83d', '\ud83d\udd11']
  const encoded = texts.map((each) => encodeEncryptionContext({ [each]: '' }).toString('hex'))
  expect(new Set(encoded).size).toBe(texts.length)
})
