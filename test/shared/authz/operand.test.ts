import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  parseAddressRange,
  parseBase64,
  parseDecimal,
  parseInstant,
} from '../../../shared/authz/operand.ts'

test.each<[string, number | null]>([
  ['0', 0],
  ['-1.50', -1.5],
  ['+7', 7],
  ['.5', 0.5],
  ['5.', 5],
  ['', null],
  [' 1', null],
  ['1 ', null],
  ['0x10', null],
  ['1e3', null],
  ['Infinity', null],
  ['--1', null],
  ['.', null],
])('the decimal %j is %s', (text, expected) => {
  expect(parseDecimal(text)).toBe(expected)
})

test.each<[string, string | null]>([
  ['2026', '2026-01-01T00:00:00.000Z'],
  ['2026-11', '2026-11-01T00:00:00.000Z'],
  ['2026-11-23', '2026-11-23T00:00:00.000Z'],
  ['2026-11-23T20:18Z', '2026-11-23T20:18:00.000Z'],
  ['2026-11-23T20:18:01Z', '2026-11-23T20:18:01.000Z'],
  ['2026-11-23T20:18:01.5Z', '2026-11-23T20:18:01.500Z'],
  ['2026-11-23T20:18:01-05:30', '2026-11-24T01:48:01.000Z'],
  ['2024-02-29', '2024-02-29T00:00:00.000Z'],
  ['1795465080', '2026-11-23T20:18:00.000Z'],
  ['2026-02-29', null],
  ['2026-04-31T00:00:00Z', null],
  ['2026-00-01', null],
  ['2026-11-23T25:00Z', null],
  ['2026-11-23T20:18', null],
  ['2026-11-23 20:18Z', null],
  ['23 Nov 2026', null],
  ['-1795465080', null],
  ['', null],
])('the instant %j is %s', (text, expected) => {
  const instant = parseInstant(text)
  expect(instant === null ? null : new Date(instant).toISOString()).toBe(expected)
})

test('an instant that JavaScript writes is read back', () => {
  const date = fc.date({
    min: new Date(0),
    max: new Date('9999-12-31T00:00:00Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(date, (d) => {
      expect(parseInstant(d.toISOString())).toBe(d.getTime())
    }),
  )
})

test('base64 without its padding, or with more, is none', () => {
  expect(parseBase64('QQ==')?.toString()).toBe('A')
  expect(parseBase64('')?.length).toBe(0)
  for (const text of ['QQ', 'QQ=', 'QQ===', 'Q', '====', 'QQ==QQ==', 'Q-==']) {
    expect(parseBase64(text)).toBeNull()
  }
})

test('an address range holds the addresses that share its prefix', () => {
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  const number = (o: readonly number[]) => o.reduce((sum, octet) => sum * 256 + octet, 0)
  fc.assert(
    fc.property(octets, octets, fc.integer({ min: 0, max: 32 }), (net, address, length) => {
      const size = 2 ** (32 - length)
      const expected = Math.floor(number(net) / size) === Math.floor(number(address) / size)
      expect(parseAddressRange(`${net.join('.')}/${length}`)?.(address.join('.'))).toBe(expected)
    }),
  )
})
