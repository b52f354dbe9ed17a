import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytes,
  flag,
  type Item,
  integer,
  isListOf,
  isTextMap,
  json,
  nullable,
  oneOf,
  record,
  text,
} from '../../../shared/store/attribute-values.ts'
import { RowMalformed } from '../../../shared/store/repositories.ts'

interface Sample {
  readonly name: string
  readonly size: number
  readonly whole: boolean
  readonly sealed: Uint8Array
  readonly kind: 'a' | 'b'
  readonly note: string | null
  readonly maps: readonly Readonly<Record<string, string>>[]
}

const sample = record<Sample>({
  name: text,
  size: integer,
  whole: flag,
  sealed: bytes,
  kind: oneOf('a', 'b'),
  note: nullable(text),
  maps: json(isListOf(isTextMap)),
})

const key = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', ''))
const ownMap = fc
  .array(fc.tuple(key, fc.string({ unit: 'grapheme' })))
  .map((entries): Record<string, string> => Object.fromEntries(entries))

const samples: fc.Arbitrary<Sample> = fc.record({
  name: fc.string({ unit: 'grapheme' }),
  size: fc.maxSafeInteger(),
  whole: fc.boolean(),
  sealed: fc.uint8Array().map((value) => Buffer.from(value)),
  kind: fc.constantFrom('a', 'b'),
  note: fc.option(fc.string()),
  maps: fc.array(ownMap),
})

const overTheWire = (item: Item): Item => JSON.parse(JSON.stringify(item))

test('parse inverts encode, over the wire too', () => {
  fc.assert(
    fc.property(samples, (value) => {
      expect(sample.parse(overTheWire(sample.encode(value)))).toEqual(value)
    }),
  )
})

test('bytes are those of the view, not of the memory that it looks at', () => {
  const memory = Buffer.from('secret material')
  expect(bytes.encode(memory.subarray(7))).toEqual({
    B: Buffer.from('material').toString('base64'),
  })
})

const valid: Item = sample.encode({
  name: 'n',
  size: 1,
  whole: true,
  sealed: Buffer.from([1]),
  kind: 'a',
  note: null,
  maps: [{ a: 'b' }],
})

describe('a row is refused', () => {
  test.each(['name', 'size', 'whole', 'sealed', 'kind', 'maps'])('without %s', (name) => {
    const { [name]: _, ...without } = valid
    expect(() => sample.parse(without)).toThrow(RowMalformed)
  })

  test.each<[string, Item]>([
    ['a number for a text', { name: { N: '1' } }],
    ['a text for a number', { size: { S: '1' } }],
    ['a fraction', { size: { N: '1.5' } }],
    ['a number that JavaScript cannot hold', { size: { N: '9007199254740993' } }],
    ['no number at all', { size: { N: 'x' } }],
    ['a text for a truth value', { whole: { S: 'true' } }],
    ['a text for bytes', { sealed: { S: 'AQ==' } }],
    ['a word that is not among those it may be', { kind: { S: 'c' } }],
    ['a number for a text that may be missing', { note: { N: '1' } }],
    ['text that is no JSON', { maps: { S: '[' } }],
    ['JSON of another shape', { maps: { S: '{}' } }],
    ['JSON with a wrong value deep inside', { maps: { S: '[{"a":1}]' } }],
    ['JSON null', { maps: { S: 'null' } }],
  ])('with %s', (_, spoiled) => {
    expect(() => sample.parse({ ...valid, ...spoiled })).toThrow(RowMalformed)
  })
})

test('a refusal names the attribute and never its value', () => {
  const spoiled = { ...valid, size: { S: 'a secret' } }
  expect(() => sample.parse(spoiled)).toThrow('The attribute size is missing or malformed.')
})
