import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { unwrapPadded } from '../../../shared/crypto/aes-kwp.ts'
import { wrapPadded } from '../../support/import.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface KwpVectors {
  readonly testGroups: readonly {
    readonly keySize: number
    readonly tests: readonly {
      readonly tcId: number
      readonly key: string
      readonly msg: string
      readonly ct: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const cases = vectors<KwpVectors>('wycheproof/aes_kwp_test.json').testGroups.flatMap(
  ({ keySize, tests }) => tests.map((each) => ({ keySize, ...each })),
)
const unwrap = ({ key, ct }: (typeof cases)[number]) =>
  unwrapPadded(createSecretKey(hex(key)), hex(ct))

describe('Wycheproof', () => {
  const own = cases.filter(({ keySize }) => keySize === 256)

  test('has 94 cases with keys of 256 bits', () => expect(own).toHaveLength(94))

  test.for(own)('$tcId is $result', (each) => {
    expect(unwrap(each)).toEqual(each.result === 'valid' ? hex(each.msg) : null)
  })

  test('Keys of other lengths are refused', () => {
    for (const each of cases.filter(({ keySize }) => keySize !== 256)) {
      if (hex(each.ct).length >= 16 && hex(each.ct).length % 8 === 0) {
        expect(() => unwrap(each)).toThrow(RangeError)
      } else expect(unwrap(each)).toBeNull()
    }
  })
})

const key = fc.uint8Array({ minLength: 32, maxLength: 32 })
const material = fc.uint8Array({ minLength: 1, maxLength: 2500 })

test('What was wrapped comes back', () => {
  fc.assert(
    fc.property(key, material, (bytes, wrapped) => {
      expect(unwrapPadded(createSecretKey(bytes), wrapPadded(bytes, wrapped))).toEqual(
        Buffer.from(wrapped),
      )
    }),
  )
})

test('No changed bit passes', () => {
  fc.assert(
    fc.property(key, material, fc.nat(), (bytes, wrapped, at) => {
      const changed = wrapPadded(bytes, wrapped)
      const bit = at % (changed.length * 8)
      changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(unwrapPadded(createSecretKey(bytes), changed)).toBeNull()
    }),
  )
})

test.for([0, 8, 15, 17, 23])('%i bytes are nothing that was wrapped', (length) => {
  expect(unwrapPadded(createSecretKey(Buffer.alloc(32)), Buffer.alloc(length))).toBeNull()
})
