import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { equalHex, equalsDigest } from '../../../shared/authn/equal-hex.ts'

// Threat: a comparison that ends at the first difference tells where it is.
describe('comparison of digests', () => {
  const room = new URL('../../../shared/authn/', import.meta.url)
  const comparison =
    /\b\w*(signature|digest|sha256|hmac)\w*\b(\(.*\))? *[!=]==?(?![ =]*(null|undefined|''))/i

  test('is nowhere done with ===', () => {
    for (const file of readdirSync(room)) {
      const lines = readFileSync(new URL(file, room), 'utf8').split('\n')
      const found = lines.filter((line) => comparison.test(line))
      expect(found, file).toEqual([])
    }
  })

  test('with === would be found', () => {
    expect(comparison.test('if (presented.signature === expected) return')).toBe(true)
    expect(comparison.test('sha256 !== ours')).toBe(true)
  })

  const digest = Buffer.alloc(32, 0xab)
  const hex = digest.toString('hex')

  test('takes equal ones', () => {
    expect(equalsDigest(hex, digest)).toBe(true)
    expect(equalHex(hex, hex)).toBe(true)
  })

  test.each([
    '',
    hex.slice(2),
    `${hex}ab`,
    hex.toUpperCase(),
    hex.replace(/.$/, 'c'),
    hex.replace(/^./, 'c'),
    `${hex}\n`,
    hex.replace(/.$/, 'z'),
  ])('refuses %j without an error', (given) => {
    expect(equalsDigest(given, digest)).toBe(false)
    expect(equalHex(given, hex)).toBe(false)
  })
})
