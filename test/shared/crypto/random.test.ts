import fc from 'fast-check'
import { expect, test } from 'vitest'
import { freshBytes } from '../../../shared/crypto/random.ts'

test('gives as many bytes as were asked for, in memory of their own', () => {
  for (const length of [0, 1, 12, 28, 32, 255, 256, 257, 4096, 5000]) {
    const bytes = freshBytes(length)
    expect(bytes).toHaveLength(length)
    expect(bytes.buffer.byteLength).toBe(length)
  }
})

test('never gives the same bytes twice, over many blocks', () => {
  const seen = new Set<string>()
  for (let i = 0; i < 5000; i++) seen.add(freshBytes(16).toString('hex'))
  expect(seen.size).toBe(5000)
})

test('no byte is given from a part of the block that was wiped, whatever the order of lengths', () => {
  const lengths = fc.array(fc.integer({ min: 16, max: 300 }), { minLength: 20, maxLength: 60 })
  fc.assert(
    fc.property(lengths, (each) => {
      for (const length of each) {
        // Eight zero bytes in a row happen by chance once in 2^64 places.
        expect(freshBytes(length).includes(Buffer.alloc(8))).toBe(false)
      }
    }),
  )
})

test('bytes are given once: at the ends of a result, where two could overlap, zeros are only chance', () => {
  const results = Array.from({ length: 2000 }, (_, i) => freshBytes(1 + (i % 20)))
  // One in 256 is expected, about 8 of 2000; bytes that were given before would all be zeros.
  expect(results.filter((bytes) => bytes[0] === 0).length).toBeLessThan(60)
  expect(results.filter((bytes) => bytes.at(-1) === 0).length).toBeLessThan(60)
})

test('wiping what was given does not reach what is given next', () => {
  freshBytes(32).fill(0)
  expect(freshBytes(32)).not.toEqual(Buffer.alloc(32))
})

test.each([-1, 1.5, Number.NaN])('refuses a length of %d', (length) => {
  expect(() => freshBytes(length)).toThrow(RangeError)
})
