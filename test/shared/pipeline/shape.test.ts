import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonError } from '../../../shared/errors.ts'
import {
  blob,
  boolean,
  decode,
  integer,
  list,
  oneOf,
  required,
  type Shape,
  string,
  stringMap,
  structure,
  timestamp,
} from '../../../shared/pipeline/shape.ts'

const refusal = (
  shape: Shape<unknown>,
  value: unknown,
): { code: string; text: string | undefined } => {
  try {
    decode(shape, value)
  } catch (error) {
    if (error instanceof JsonError) return { code: error.code, text: error.text }
    throw error
  }
  throw new Error('It was accepted.')
}

const one = (text: string) => ({
  code: 'ValidationException',
  text: `1 validation error detected: ${text}`,
})

describe('a broken constraint is worded as AWS words it', () => {
  const cases: readonly [string, Shape<unknown>, unknown, string][] = [
    [
      'a number above its maximum',
      structure({ NumberOfBytes: integer({ min: 1, max: 1024 }) }),
      { NumberOfBytes: 1025 },
      "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    ],
    [
      'a number below its minimum',
      structure({ Limit: integer({ min: 1 }) }),
      { Limit: 0 },
      "Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ],
    [
      'a secret that is too long, without its value',
      structure({ Plaintext: blob({ min: 1, max: 2, sensitive: true }) }),
      { Plaintext: Buffer.alloc(3).toString('base64') },
      "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 2",
    ],
    [
      'a secret that is missing, without saying that it is null',
      structure({ Plaintext: required(blob({ sensitive: true })) }),
      {},
      "Value at 'plaintext' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a member that is missing',
      structure({ KeyId: required(string()) }),
      { KeyId: null },
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    ],
    [
      'a name outside of a set',
      structure({ KeySpec: oneOf(['AES_256', 'AES_128']) }),
      { KeySpec: 'AES_1' },
      "Value 'AES_1' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [AES_256, AES_128]",
    ],
    [
      'a text that does not fit its pattern',
      structure({ Name: string({ pattern: /^[a-z]+$/ }) }),
      { Name: 'A' },
      "Value 'A' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-z]+$",
    ],
    [
      'a list that is too long, with its items',
      structure({ Names: list(string(), { max: 1 }) }),
      { Names: ['a', 'b'] },
      "Value '[a, b]' at 'names' failed to satisfy constraint: Member must have length less than or equal to 1",
    ],
    [
      'a list that is too short',
      structure({ Names: list(string(), { min: 1 }) }),
      { Names: [] },
      "Value '[]' at 'names' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'a list of secrets that is too long, without them',
      structure({ Tokens: list(string({ sensitive: true }), { max: 1 }) }),
      { Tokens: ['a', 'b'] },
      "Value at 'tokens' failed to satisfy constraint: Member must have length less than or equal to 1",
    ],
    [
      'a secret in a list, without it',
      structure({ Tokens: list(string({ min: 2, sensitive: true })) }),
      { Tokens: ['ab', 'a'] },
      "Value at 'tokens.2.member' failed to satisfy constraint: Member must have length greater than or equal to 2",
    ],
    [
      'a name outside of a set that the service lists as another',
      structure({ KeySpec: oneOf(['AES_256'], ['RSA_2048', 'SM2']) }),
      { KeySpec: 'AES_1' },
      "Value 'AES_1' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [RSA_2048, SM2]",
    ],
    [
      'a member of a structure in a list, by its position',
      structure({ Tags: list(structure({ TagKey: required(string({ max: 2 })) })) }),
      { Tags: [{ TagKey: 'ok' }, { TagKey: 'long' }] },
      "Value 'long' at 'tags.2.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 2",
    ],
  ]
  test.for(cases)('%s', ([, shape, value, text]) => {
    expect(refusal(shape, value)).toEqual(one(text))
  })

  test('several at once, in one sentence', () => {
    const shape = structure({
      KeyId: required(string({ min: 1, pattern: /^a+$/ })),
      Limit: integer({ max: 5 }),
    })
    expect(refusal(shape, { KeyId: '', Limit: 6 }).text).toBe(
      "3 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
        "Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^a+$; " +
        "Value '6' at 'limit' failed to satisfy constraint: Member must have value less than or equal to 5",
    )
  })
})

describe('a wrong JSON type is a SerializationException', () => {
  const cases: readonly [Shape<unknown>, unknown, string | undefined][] = [
    [string(), 1, 'NUMBER_VALUE can not be converted to a String'],
    [string(), true, 'TRUE_VALUE can not be converted to a String'],
    [string(), {}, 'Start of structure or map found where not expected.'],
    [integer(), '1', 'STRING_VALUE can not be converted to an Integer'],
    [boolean, 'true', 'STRING_VALUE can not be converted to a Boolean'],
    [blob({}), 'not base64!', undefined],
    [blob({}), 'YQ', undefined],
    [list(string()), {}, 'Start of structure or map found where not expected.'],
    [stringMap, { a: 1 }, 'NUMBER_VALUE can not be converted to a String'],
    [stringMap, { a: null }, undefined],
    [list(string()), [null], undefined],
    [timestamp, 'now', 'STRING_VALUE can not be converted to a Timestamp'],
  ]
  test.for(cases)('case %#', ([shape, value, text]) => {
    expect(refusal(structure({ Member: shape }), { Member: value })).toEqual({
      code: 'SerializationException',
      text,
    })
  })

  test.for([null, [], 'text', 1])('a request that is %j', (value) => {
    expect(refusal(structure({}), value).code).toBe('SerializationException')
  })
})

test('members that are not declared are ignored', () => {
  expect(decode(structure({ A: string() }), { A: 'a', B: 'b' })).toEqual({ A: 'a' })
})

test('members that are inherited are not taken for given', () => {
  expect(decode(structure({ toString: string() }), {})).toEqual({})
})

test('names that mean something to JavaScript mean nothing in a map', () => {
  const names = JSON.parse('{"__proto__":"a","constructor":"b","toString":"c"}')
  const map = decode(stringMap, names)
  expect(Object.entries(map)).toEqual([
    ['__proto__', 'a'],
    ['constructor', 'b'],
    ['toString', 'c'],
  ])
  expect(Object.getPrototypeOf(map)).toBeNull()
})

test('bytes come back as they were encoded', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const value = Buffer.from(bytes).toString('base64')
      expect(decode(structure({ A: required(blob({})) }), { A: value }).A).toEqual(
        Buffer.from(bytes),
      )
    }),
  )
})

test('whatever JSON comes, the answer is a value or a JsonError', () => {
  const shape = structure({
    KeyId: required(string({ min: 1, max: 5 })),
    Context: stringMap,
    Bytes: blob({ max: 3 }),
    Tags: list(structure({ TagKey: required(string()) })),
    Limit: integer({ max: 3 }),
    At: timestamp,
  })
  const member = fc.jsonValue()
  const request = fc.oneof(
    fc.jsonValue(),
    fc.record({
      KeyId: member,
      Context: member,
      Bytes: member,
      Tags: member,
      Limit: member,
      At: member,
    }),
  )
  fc.assert(
    fc.property(request, (value) => {
      try {
        decode(shape, value)
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError)
      }
    }),
  )
})

test('a request that is wrong a hundred thousand times is told of a hundred times', () => {
  const shape = structure({ Tags: list(structure({ TagKey: required(string()) })) })
  const { text = '' } = refusal(shape, { Tags: Array.from({ length: 100_000 }, () => ({})) })
  expect(text).toMatch(/^100 validation errors detected: /)
  expect(text.length).toBeLessThan(20_000)
})

test('a value that is shown is cut', () => {
  const shape = structure({ KeyId: required(string({ max: 10 })) })
  expect(refusal(shape, { KeyId: 'a'.repeat(1_000_000) }).text?.length).toBeLessThan(5000)
})
