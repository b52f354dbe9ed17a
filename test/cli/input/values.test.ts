import { InvalidArgumentError } from 'commander'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { pastTime, wholeNumber } from '../../../cli/input/numbers.ts'
import { kmsTagList, pair, tagList } from '../../../cli/input/pairs.ts'

const NOW = Date.parse('2031-01-31T12:00:00Z')

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ['Date'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test.each([
  ['90s', '2031-01-31T11:58:30.000Z'],
  ['15m', '2031-01-31T11:45:00.000Z'],
  ['2h', '2031-01-31T10:00:00.000Z'],
  ['7d', '2031-01-24T12:00:00.000Z'],
  ['1w', '2031-01-24T12:00:00.000Z'],
  ['2030-12-31', '2030-12-31T00:00:00.000Z'],
  ['2030-12-31T23:59:59Z', '2030-12-31T23:59:59.000Z'],
  ['2030-12-31T23:59:59+01:00', '2030-12-31T22:59:59.000Z'],
])('%s is %s', (given, time) => {
  expect(pastTime(given).toISOString()).toBe(time)
})

test.each(['', '2', 'h', '-2h', '2 h', '2y', 'yesterday', '2030-13-01', '2030', '31.12.2030'])(
  '%j is no time',
  (given) => {
    expect(() => pastTime(given)).toThrow(InvalidArgumentError)
  },
)

test('Whole numbers are taken within their bounds', () => {
  const days = wholeNumber(7, 30)
  expect([days('7'), days('30'), wholeNumber(1)('1000000')]).toEqual([7, 30, 1_000_000])
  for (const wrong of ['6', '31', '7.5', '1e1', '', ' 8', '0x8', '-8']) {
    expect(() => days(wrong)).toThrow(InvalidArgumentError)
  }
})

test('Pairs are split at the first equals sign, and values may hold anything', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[^=]+$/), fc.string(), (name, value) => {
      expect(pair(`${name}=${value}`)).toEqual({ [name]: value })
    }),
  )
})

test.each(['', 'a', '=b'])('%j is no pair', (given) => {
  expect(() => pair(given)).toThrow(InvalidArgumentError)
})

test('A name is given once', () => {
  expect(() => pair('a=2', pair('a=1'))).toThrow(InvalidArgumentError)
})

test('Tags are written as each API has them', () => {
  const tags = pair('b=2', pair('a=1'))
  expect(tagList(tags)).toEqual({
    Tags: [
      { Key: 'a', Value: '1' },
      { Key: 'b', Value: '2' },
    ],
  })
  expect(kmsTagList(tags).Tags?.[0]).toEqual({ TagKey: 'a', TagValue: '1' })
  expect([tagList(undefined), kmsTagList(undefined)]).toEqual([{}, {}])
})
