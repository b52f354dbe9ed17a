import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { addDuration, parseDuration } from '../../../infra/local/duration.ts'

const DAY = 86_400_000

describe('A duration', () => {
  test.each([
    ['P1Y', 12, 0],
    ['P1Y2M', 14, 0],
    ['P3W', 0, 21 * DAY],
    ['P30D', 0, 30 * DAY],
    ['PT90S', 0, 90_000],
    ['PT1.5S', 0, 1500],
    ['P1DT2H3M4S', 0, DAY + 7_384_000],
    ['PT5M', 0, 300_000],
    ['P5M', 5, 0],
    ['-P1M', -1, 0],
    ['+P1D', 0, DAY],
    ['30d', 0, 30 * DAY],
    ['12h', 0, DAY / 2],
    ['90m', 0, 5_400_000],
    ['-10s', 0, -10_000],
    ['2w', 0, 14 * DAY],
    ['PT0S', 0, 0],
  ])('%s is read', (text, months, milliseconds) => {
    expect(parseDuration(text)).toEqual({ months, milliseconds })
  })

  test.each([
    '',
    'P',
    'PT',
    'P1',
    '1Y',
    'P1H',
    'PT1D',
    'P1YT',
    'P-1D',
    '--P1D',
    'p1d',
    'P1.5D',
    'P1D ',
    'd',
    '1.5h',
    '30 d',
    '1y',
    'P1D1Y',
    'PT1.0000S',
    `P${'9'.repeat(10)}D`,
  ])('%j is none', (text) => {
    expect(parseDuration(text)).toBeNull()
  })

  test('is read from any text without a failure', () => {
    fc.assert(fc.property(fc.string(), (text) => void parseDuration(text)))
  })

  test('of whole units is the sum of them', () => {
    const count = fc.nat(9999)
    fc.assert(
      fc.property(fc.tuple(count, count, count, count), ([d, h, m, s]) => {
        const milliseconds = d * DAY + h * 3_600_000 + m * 60_000 + s * 1000
        expect(parseDuration(`P${d}DT${h}H${m}M${s}S`)).toEqual({ months: 0, milliseconds })
      }),
    )
  })
})

describe('A later time', () => {
  test.each([
    ['2026-11-23T10:00:00Z', 'P1Y', '2027-11-23T10:00:00Z'],
    ['2024-02-29T10:00:00Z', 'P1Y', '2025-02-28T10:00:00Z'],
    ['2026-01-31T10:00:00Z', 'P1M', '2026-02-28T10:00:00Z'],
    ['2026-03-31T10:00:00Z', '-P1M', '2026-02-28T10:00:00Z'],
    ['2026-12-31T23:59:59Z', 'P2M', '2027-02-28T23:59:59Z'],
    ['2026-01-31T10:00:00Z', 'P1MT1H', '2026-02-28T11:00:00Z'],
    ['2026-11-23T10:00:00Z', '-P1D', '2026-11-22T10:00:00Z'],
  ])('than %s by %s is %s', (from, text, to) => {
    const duration = parseDuration(text)
    if (duration === null) throw new Error('Not a duration.')
    expect(addDuration(Date.parse(from), duration)).toBe(Date.parse(to))
  })
})
