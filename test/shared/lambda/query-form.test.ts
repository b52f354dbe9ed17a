import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonError } from '../../../shared/errors.ts'
import { parseForm, queryInteger, queryList } from '../../../shared/lambda/query-form.ts'
import { decode, string, structure } from '../../../shared/pipeline/shape.ts'

const inputOf = (text: string) => JSON.parse(JSON.stringify(parseForm(text).input))

test('a form names its operation and version', () => {
  const form = parseForm('Version=2011-06-15', 'Action=AssumeRole')
  expect([form.action, form.version]).toEqual(['AssumeRole', '2011-06-15'])
  expect(parseForm('')).toMatchObject({ action: '', version: null })
})

test('names tell where a text stands', () => {
  expect(
    inputOf(
      'PolicyArns.member.2.arn=b&PolicyArns.member.1.arn=a&Tags.member.10.Key=k&Tags.member.9.Key=j%26&Plain=a+b',
    ),
  ).toEqual({
    PolicyArns: [{ arn: 'a' }, { arn: 'b' }],
    Tags: [{ Key: 'j&' }, { Key: 'k' }],
    Plain: 'a b',
  })
})

test.each([
  ['a name twice', 'A=1&A=2'],
  ['a text and a structure', 'A=1&A.b=2'],
  ['a structure and a text', 'A.b=2&A=1'],
  ['a list without numbers', 'A.member.x=1'],
  ['a list from 0', 'A.member.0=1'],
  ['too deep a name', `${'a.'.repeat(9)}b=1`],
  ['too many names', Array.from({ length: 1001 }, (_, i) => `a${i}=`).join('&')],
])('%s is refused', (_what, text) => {
  expect(() => parseForm(text)).toThrow(JsonError)
})

test('a name that stands in the query and in the body is refused', () => {
  expect(() => parseForm('Action=GetCallerIdentity', 'Action=AssumeRole')).toThrow(JsonError)
})

test('names that mean something to JavaScript mean nothing', () => {
  const { input } = parseForm('__proto__.polluted=1&constructor.prototype.polluted=1&toString=x')
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  expect(Object.keys(input)).toEqual(['__proto__', 'constructor', 'toString'])
})

test('whatever a form is, it is read or refused', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '.', 'm', '1', '0', '_'), maxLength: 12 })
  const texts = fc.array(fc.tuple(fc.oneof(name, fc.constant('A.member.1')), fc.string()))
  fc.assert(
    fc.property(texts, (pairs) => {
      try {
        parseForm(new URLSearchParams(pairs).toString())
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError)
      }
    }),
  )
})

const shape = structure({
  Count: queryInteger({ min: 1, max: 9 }),
  Names: queryList(string({ max: 2 }), { max: 2 }),
})
const read = (text: string) => decode(shape, parseForm(text).input)

test('numbers and lists are read from texts', () => {
  expect({ ...read('Count=7&Names.member.1=a&Names.member.2=b') }).toEqual({
    Count: 7,
    Names: ['a', 'b'],
  })
  expect(read('Names=').Names).toEqual([])
})

test.each(['Count=', 'Count=1.5', 'Count=1e3', 'Count=x', 'Count=%201', 'Names=a', 'Count.a=1'])(
  '%s is malformed',
  (text) =>
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'SerializationException' })),
)

test.each([
  ['Count=0', "Value '0' at 'count' failed"],
  ['Names.member.1=abc', "Value 'abc' at 'names.1.member' failed"],
  ['Names.member.1=a&Names.member.2=a&Names.member.3=a', "Value '[a, a, a]' at 'names' failed"],
])('%s breaks a constraint', (text, sentence) => {
  expect(() => read(text)).toThrow(sentence)
})
