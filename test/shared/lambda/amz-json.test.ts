import fc from 'fast-check'
import { expect, test } from 'vitest'
import { JsonError } from '../../../shared/errors.ts'
import { encodeOutput, parseJson } from '../../../shared/lambda/amz-json.ts'

test('Bytes are base64, times are seconds with milliseconds, what is undefined is left out', () => {
  const output = {
    Blob: Buffer.from([0xff, 0x00]),
    Part: new Uint8Array([9, 1, 2, 9]).subarray(1, 3),
    At: new Date(1521097200123),
    Left: undefined,
    List: [{ Blob: Buffer.alloc(1), Left: undefined }],
    No: false,
    Zero: 0,
    Empty: '',
  }
  expect(encodeOutput(output)).toBe(
    '{"Blob":"/wA=","Part":"AQI=","At":1521097200.123,"List":[{"Blob":"AA=="}],"No":false,"Zero":0,"Empty":""}',
  )
})

test('No output is no body', () => {
  expect(encodeOutput(undefined)).toBe('')
})

test('A name like __proto__ is a name', () => {
  const output = JSON.parse('{"__proto__":"a","constructor":"b"}')
  expect(encodeOutput(output)).toBe('{"__proto__":"a","constructor":"b"}')
})

test('What is encoded is parsed again', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(parseJson(Buffer.from(encodeOutput(value)))).toEqual(JSON.parse(JSON.stringify(value)))
    }),
  )
})

test('An empty body is an empty request', () => {
  expect(parseJson(Buffer.alloc(0))).toEqual({})
})

test('Whatever bytes come, they are JSON or a SerializationException without words', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 1 }), (bytes) => {
      try {
        parseJson(Buffer.from(bytes))
      } catch (error) {
        expect(error).toBeInstanceOf(JsonError)
        expect(error).toMatchObject({ code: 'SerializationException', text: undefined })
      }
    }),
  )
  expect(() => parseJson(Buffer.from([0x22, 0xff, 0x22]))).toThrow(JsonError)
})
