import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeFields } from '../../../shared/crypto/encoding.ts'
import { hex, vectors } from '../../support/vectors.ts'

type Field = string | number | Uint8Array

const frozen = vectors<{ fields: { fields: Field[]; bytes: string }[] }>('encodings-v1.json').fields

const field: fc.Arbitrary<Field> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 6 }),
  // Halves of surrogate pairs, too.
  fc
    .array(fc.constantFrom('a', '\u0000', '\ud83d', '\udd11', '\ufffd'), { maxLength: 3 })
    .map((units) => units.join('')),
  fc.nat(),
  fc.maxSafeNat(),
  fc.uint8Array({ maxLength: 6 }),
)
const fields = fc.array(field, { maxLength: 4 })

/** What the layout says, read back; only for tests, since nothing has to read an AAD. */
function decode(bytes: Buffer): Field[] {
  if (bytes.length === 0) return []
  const end = 5 + bytes.readUInt32BE(1)
  const value = bytes.subarray(5, end)
  const first = { 1: () => fromWtf8(value), 2: () => Number(value.readBigUInt64BE()) }[
    bytes[0] as 1 | 2
  ]
  return [first?.() ?? new Uint8Array(value), ...decode(bytes.subarray(end))]
}

/** Halves of surrogate pairs are three bytes, ED A0 80 to ED BF BF. */
function fromWtf8(bytes: Buffer): string {
  const half = /\u00ed([\u00a0-\u00bf])([\u0080-\u00bf])/g
  const parts = bytes.toString('latin1').split(half)
  return parts
    .map((part, i) => {
      if (i % 3 === 0) return Buffer.from(part, 'latin1').toString('utf8')
      if (i % 3 === 2) return ''
      const [high, low] = [part.charCodeAt(0), parts[i + 1]?.charCodeAt(0) ?? 0]
      return String.fromCharCode(0xd000 | ((high & 0x3f) << 6) | (low & 0x3f))
    })
    .join('')
}

test.each(frozen)('encodes $fields as it did when the layout was frozen', ({ fields, bytes }) => {
  expect(encodeFields(...fields)).toEqual(hex(bytes))
})

test('a list can be read back from its bytes, so no two lists share them', () => {
  fc.assert(
    fc.property(fields, (list) => {
      expect(decode(encodeFields(...list))).toEqual(list)
    }),
    { numRuns: 2000 },
  )
})

test('tells apart a text, a number and bytes that look alike', () => {
  const alike = [['1'], [1], [Buffer.from('1')], ['11'], ['1', '1'], ['1', ''], ['', '1'], []]
  const encoded = alike.map((list) => encodeFields(...list).toString('hex'))
  expect(new Set(encoded).size).toBe(alike.length)
})

test('does not normalise text', () => {
  expect(encodeFields('é')).not.toEqual(encodeFields('e\u0301'))
})

test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])(
  'refuses the number %d',
  (n) => {
    expect(() => encodeFields(n)).toThrow(RangeError)
  },
)
