import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
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
import { openClient } from '../../../shared/store/store.ts'
import { Table } from '../../../shared/store/table.ts'
import { DEFAULT_TABLE_PREFIX } from '../../../shared/store/tables.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'

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

test('parse inverts encode', () => {
  fc.assert(
    fc.property(samples, (value) => {
      expect(sample.parse(sample.encode(value))).toEqual(value)
    }),
  )
})

describe('in a table', () => {
  let dynamoDb: GivenDynamoDb
  beforeAll(async () => {
    dynamoDb = await givenDynamoDb()
  })
  afterAll(() => dynamoDb.close())

  test('an item is read as it was written', async () => {
    const client = openClient({ endpoint: dynamoDb.endpoint })
    const table = new Table(client, `${DEFAULT_TABLE_PREFIX}keys`)
    const place = { pk: 'sample', sk: 'sample' }
    await fc.assert(
      fc.asyncProperty(samples, async (value) => {
        await table.put(place, sample.encode(value))
        expect(sample.parse((await table.get(place)) ?? {})).toEqual(value)
      }),
      { numRuns: 50 },
    )
    client.close()
  })

  test('bytes are those of the view, not of the memory that it looks at', async () => {
    const client = openClient({ endpoint: dynamoDb.endpoint })
    const table = new Table(client, `${DEFAULT_TABLE_PREFIX}keys`)
    const sealed = bytes.encode(Buffer.from('secret material').subarray(7))
    await table.put({ pk: 'view', sk: 'view' }, sealed === undefined ? {} : { sealed })
    const item = await table.get({ pk: 'view', sk: 'view' })
    expect(bytes.parse(item?.sealed, 'sealed')).toEqual(Buffer.from('material'))
    client.close()
  })
})

test('parsed bytes are the view that was read, and no more of its memory', () => {
  const memory = new Uint8Array([1, 2, 3, 4])
  expect(bytes.parse(memory.subarray(1, 3), 'sealed')).toEqual(Buffer.from([2, 3]))
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

  test.each<[string, Readonly<Record<string, unknown>>]>([
    ['a number for a text', { name: 1 }],
    ['a text for a number', { size: '1' }],
    ['a fraction', { size: 1.5 }],
    ['a number that JavaScript cannot hold', { size: 2 ** 53 }],
    ['a number of another type', { size: 1n }],
    ['no number at all', { size: Number.NaN }],
    ['a text for a truth value', { whole: 'true' }],
    ['a number for a truth value', { whole: 1 }],
    ['a text for bytes', { sealed: 'AQ==' }],
    ['a list of numbers for bytes', { sealed: [1] }],
    ['a word that is not among those it may be', { kind: 'c' }],
    ['a number for a text that may be missing', { note: 1 }],
    ['a null for a text that may be missing', { note: null }],
    ['a map', { name: { name: 'n' } }],
    ['a set', { name: new Set(['n']) }],
    ['text that is no JSON', { maps: '[' }],
    ['JSON of another shape', { maps: '{}' }],
    ['JSON with a wrong value deep inside', { maps: '[{"a":1}]' }],
    ['JSON null', { maps: 'null' }],
  ])('with %s', (_, spoiled) => {
    expect(() => sample.parse({ ...valid, ...spoiled } as Item)).toThrow(RowMalformed)
  })
})

test('a refusal names the attribute and never its value', () => {
  const spoiled = { ...valid, size: 'a secret' }
  expect(() => sample.parse(spoiled)).toThrow('The attribute size is missing or malformed.')
})
