import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  MAX_SEGMENTS,
  SEGMENT_LENGTH,
  STORED_SEGMENT_LENGTH,
  segmentCount,
  segmentNonce,
  segmentRange,
  storedLength,
} from '../../../shared/blobs/segments.ts'

const MIB = 1024 * 1024

test.each([
  [0, 1, 16],
  [1, 1, 17],
  [15, 1, 31],
  [16, 1, 32],
  [65_535, 1, 65_551],
  [65_536, 1, 65_552],
  [65_537, 2, 65_569],
  [131_072, 2, 131_104],
  [200_000, 4, 200_064],
  [5 * MIB, 80, 5 * MIB + 1280],
  [5 * MIB + 1, 81, 5 * MIB + 1 + 1296],
  [5 * 1024 * MIB, 81_920, 5 * 1024 * MIB + 1_310_720],
])('%i bytes make %i segments and take %i bytes', (plain, count, stored) => {
  expect(segmentCount(plain)).toBe(count)
  expect(storedLength(plain)).toBe(stored)
})

test('bytes 70000 to 140000 of 200000 lie in segments 1 and 2', () => {
  expect(segmentRange(200_000, 70_000, 140_000)).toEqual({
    storedStart: 65_552,
    storedEnd: 196_655,
    firstSegment: 1,
    lastSegment: 2,
    skip: 4464,
    take: 70_001,
  })
})

test('the last byte of an object needs its final segment only', () => {
  expect(segmentRange(200_000, 199_999, 199_999)).toEqual({
    storedStart: 196_656,
    storedEnd: 200_063,
    firstSegment: 3,
    lastSegment: 3,
    skip: 3391,
    take: 1,
  })
})

test('an empty stream has one segment to verify and nothing to give', () => {
  const range = segmentRange(0, 0, -1)
  expect(range).toMatchObject({ storedStart: 0, storedEnd: 15, firstSegment: 0, take: 0 })
})

test.each([
  [10, 0, 10],
  [10, -1, 3],
  [10, 5, 3],
  [0, 0, 0],
  [10, Number.NaN, 3],
])('of %i bytes there is no range from %i to %i', (size, start, end) => {
  expect(() => segmentRange(size, start, end)).toThrow(RangeError)
})

test('a range fetches the segments that it touches and no others', () => {
  const ranges = fc
    .tuple(fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(), fc.nat())
    .map(([size, one, other]) => [size, ...[one % size, other % size].sort((a, b) => a - b)])
  fc.assert(
    fc.property(ranges, ([size = 0, start = 0, end = 0]) => {
      const range = segmentRange(size, start, end)
      expect(range.storedStart).toBe(range.firstSegment * STORED_SEGMENT_LENGTH)
      expect(range.firstSegment).toBe(Math.floor(start / SEGMENT_LENGTH))
      expect(range.lastSegment).toBe(Math.floor(end / SEGMENT_LENGTH))
      expect(range.firstSegment * SEGMENT_LENGTH + range.skip).toBe(start)
      expect(range.take).toBe(end - start + 1)
      expect(range.storedEnd).toBeLessThan(storedLength(size))
      const isFinal = range.lastSegment === segmentCount(size) - 1
      const next = (range.lastSegment + 1) * STORED_SEGMENT_LENGTH
      expect(range.storedEnd + 1).toBe(isFinal ? storedLength(size) : next)
    }),
  )
})

test('a nonce holds the index big-endian and the final flag, after seven zero bytes', () => {
  expect(segmentNonce(0x01020304, false).toString('hex')).toBe('000000000000000102030400')
  expect(segmentNonce(MAX_SEGMENTS - 1, true).toString('hex')).toBe('00000000000000ffffffff01')
})
