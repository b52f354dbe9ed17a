import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { counterMode, deriveBytes } from '../../../shared/crypto/kdf.ts'
import { hex, vectors } from '../../support/vectors.ts'

const nist = vectors<{
  cases: { count: number; L: number; KI: string; FixedInputData: string; KO: string }[]
}>('nist-sp800-108-ctr-hmac-sha256.json')

const key = createSecretKey(Buffer.alloc(32, 7))
const context = Buffer.from('context')

test('the vectors include output of one block, of several, and of a part of one', () => {
  expect(nist.cases).toHaveLength(40)
  expect(new Set(nist.cases.map(({ L }) => L))).toEqual(new Set([128, 160, 256, 320]))
})

test.each(nist.cases)(
  'derives what NIST derives in case $count ($L bits)',
  ({ KI, FixedInputData, KO, L }) => {
    expect(counterMode(hex(KI), hex(FixedInputData), L / 8)).toEqual(hex(KO))
    expect(counterMode(createSecretKey(hex(KI)), hex(FixedInputData), L / 8)).toEqual(hex(KO))
  },
)

test('the fixed input is label, zero byte, context and the output length in bits', () => {
  const fixedInput = Buffer.concat([Buffer.from('label\0context'), hex('00000140')])
  expect(deriveBytes(key, 'label', context, 40)).toEqual(counterMode(key, fixedInput, 40))
})

test('output of one length is no prefix of output of another', () => {
  const long = deriveBytes(key, 'label', context, 64)
  expect(deriveBytes(key, 'label', context, 32)).not.toEqual(long.subarray(0, 32))
})

test('any two different pairs of label and context derive different bytes', () => {
  const label = fc.string({ minLength: 1, maxLength: 8, unit: 'grapheme-ascii' })
  const bytes = fc.uint8Array({ maxLength: 8 })
  fc.assert(
    fc.property(label, bytes, label, bytes, (label1, context1, label2, context2) => {
      fc.pre(label1 !== label2 || Buffer.compare(context1, context2) !== 0)
      const one = deriveBytes(key, label1, context1, 32)
      expect(one).not.toEqual(deriveBytes(key, label2, context2, 32))
    }),
  )
})

test('the result has memory of its own, so that wiping it touches nothing else', () => {
  for (const length of [1, 32, 33, 64]) {
    expect(deriveBytes(key, 'label', context, length).buffer.byteLength).toBe(length)
  }
})

test.each(['', 'a\0b', 'é', 'a\n'])('refuses the label %j', (label) => {
  expect(() => deriveBytes(key, label, context, 32)).toThrow(RangeError)
})

test.each([0, -1, 1.5, Number.NaN, 2 ** 29])('refuses to derive %d bytes', (length) => {
  expect(() => deriveBytes(key, 'label', context, length)).toThrow(RangeError)
})
