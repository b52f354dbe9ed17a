import { expect, test } from 'vitest'
import { readSeconds } from '../../../shared/lambda/seconds.ts'

const read = (text?: string) =>
  readSeconds(text === undefined ? {} : { KEYHOLD_X: text }, 'KEYHOLD_X', 7)

test.each([
  ['0', 0],
  ['5', 5000],
  ['0.25', 250],
  ['86400', 86_400_000],
  ['', 7000],
  [undefined, 7000],
])('%j is so many milliseconds: %i', (text, expected) => {
  expect(read(text)).toBe(expected)
})

test.each(['abc', '-1', '1e3', '86401', 'NaN', 'Infinity', ' 5', '0x10', '.5', '1.'])(
  '%j is no number of seconds',
  (text) => {
    expect(() => read(text)).toThrow(
      `KEYHOLD_X must be a number of seconds, 0 to 86400, not ${JSON.stringify(text)}.`,
    )
  },
)
