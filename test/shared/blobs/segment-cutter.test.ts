import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SegmentCutter } from '../../../shared/blobs/segment-cutter.ts'

test('pieces are full but for the last, and joined they are what was given', () => {
  const chunks = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 })
  fc.assert(
    fc.property(chunks, fc.integer({ min: 1, max: 16 }), (given, length) => {
      const cutter = new SegmentCutter(length)
      const pieces = given.flatMap((chunk) =>
        Array.from(cutter.push(chunk), (piece) => Buffer.from(piece)),
      )
      const last = Buffer.from(cutter.last())
      expect(pieces.every((piece) => piece.length === length)).toBe(true)
      expect(last.length > 0).toBe(given.some((chunk) => chunk.length > 0))
      expect(last.length).toBeLessThanOrEqual(length)
      expect(Buffer.concat([...pieces, last])).toEqual(Buffer.concat(given))
    }),
  )
})

test('a full piece is held back until another byte comes', () => {
  const cutter = new SegmentCutter(4)
  expect([...cutter.push(Buffer.from('abcd'))]).toEqual([])
  expect([...cutter.push(Buffer.from(''))]).toEqual([])
  expect(Array.from(cutter.push(Buffer.from('e')), String)).toEqual([String(Buffer.from('abcd'))])
})

test('what was copied is gone after a wipe', () => {
  const cutter = new SegmentCutter(4)
  expect([...cutter.push(Buffer.from('abc'))]).toEqual([])
  const copied = cutter.last()
  cutter.wipe()
  expect([...copied]).toEqual([0, 0, 0])
  expect(cutter.last()).toHaveLength(0)
})
