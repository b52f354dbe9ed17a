import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isMacOf,
  type MacAlgorithm,
  macOf,
  requireMacAlgorithm,
} from '../../../shared/keys/macs.ts'
import { changed } from '../../support/signatures.ts'

const algorithms = [
  ['HMAC_224', 'HMAC_SHA_224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 64],
] as const

describe.each(algorithms)('A key of spec %s', (spec, algorithm, length) => {
  const key = createSecretKey(Buffer.alloc(length, 7))
  const message = Buffer.from('message')

  test(`gives MACs of ${length} bytes, each the MAC of its message`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 4096 }), (each) => {
        const mac = macOf(algorithm, key, each)
        expect(mac).toHaveLength(length)
        expect(isMacOf(algorithm, key, each, mac)).toBe(true)
      }),
    )
  })

  test('takes no other bytes for the MAC, and the MAC for no other message', () => {
    const mac = macOf(algorithm, key, message)
    fc.assert(
      fc.property(changed(mac), changed(message), (otherMac, otherMessage) => {
        expect(isMacOf(algorithm, key, message, otherMac)).toBe(false)
        expect(isMacOf(algorithm, key, otherMessage, mac)).toBe(false)
      }),
      { numRuns: 500 },
    )
  })

  test('does its own algorithm and no other', () => {
    requireMacAlgorithm(spec, algorithm)
    for (const [, other] of algorithms) {
      if (other === algorithm) continue
      expect(() => requireMacAlgorithm(spec, other)).toThrow(
        `Algorithm ${other} is incompatible with key spec ${spec}.`,
      )
    }
  })
})

test('An HMAC is as RFC 4231 has it', () => {
  const key = createSecretKey(Buffer.from('Jefe'))
  const mac = macOf(
    'HMAC_SHA_256' satisfies MacAlgorithm,
    key,
    Buffer.from('what do ya want for nothing?'),
  )
  expect(mac.toString('hex')).toBe(
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  )
})
