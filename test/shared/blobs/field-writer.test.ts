import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FieldWriter } from '../../../shared/blobs/field-writer.ts'

function written(write: (out: FieldWriter) => void): Buffer {
  const stretches: Buffer[] = []
  const out = new FieldWriter((stretch) => stretches.push(Buffer.from(stretch)))
  write(out)
  out.flush()
  return Buffer.concat(stretches)
}

const lengthOf = (bytes: Uint8Array): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return length
}

test('each kind of field has one form', () => {
  expect(written((out) => out.text('é')).toString('hex')).toBe('00000002c3a9')
  expect(written((out) => out.bytes(Buffer.of(1, 2, 3))).toString('hex')).toBe('00000003010203')
  expect(written((out) => out.number(1)).toString('hex')).toBe('3ff0000000000000')
  expect(written((out) => out.flag(true)).toString('hex')).toBe('01')
})

test('halves of surrogate pairs are not made equal', () => {
  expect(written((out) => out.text('\ud83d'))).not.toEqual(written((out) => out.text('\ufffd')))
})

test('fields of any length follow one another, whatever fits into the buffer', () => {
  const length = fc.oneof(fc.nat(40), fc.integer({ min: 5000, max: 40_000 }))
  const fields = fc.array(fc.record({ length, isText: fc.boolean() }), { maxLength: 8 })
  fc.assert(
    fc.property(fields, (given) => {
      const values = given.map((field, i) => Buffer.alloc(field.length, 97 + i))
      const encoding = written((out) => {
        for (const [i, value] of values.entries()) {
          if (given[i]?.isText) out.text(value.toString())
          else out.bytes(value)
        }
      })
      const expected = values.flatMap((value) => [lengthOf(value), value])
      expect(encoding.equals(Buffer.concat(expected))).toBe(true)
    }),
  )
})
