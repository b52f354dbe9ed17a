import { expect, test } from 'vitest'
import { barText, bytesText, countText } from '../../../cli/output/amounts.ts'

test.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1,023 bytes'],
  [1024, '1 KiB'],
  [71_005, '69.3 KiB'],
  [1024 ** 2 - 1, '1 MiB'],
  [5 * 1024 ** 3, '5 GiB'],
  [2 ** 63, '8,192 PiB'],
])('%d bytes are shown as %s', (bytes, text) => {
  expect(bytesText(bytes)).toBe(text)
})

test('One of a thing is one, and thousands are set apart', () => {
  expect(countText(1, 'object')).toBe('1 object')
  expect(countText(0, 'object')).toBe('0 objects')
  expect(countText(1_234_567, 'object')).toBe('1,234,567 objects')
})

test('A bar grows from empty to full, and never beyond', () => {
  expect(barText(0, 4, 'object')).toBe(`[${'░'.repeat(20)}] 0 % of 4 objects`)
  expect(barText(1, 4, 'object')).toBe(`[█████${'░'.repeat(15)}] 25 % of 4 objects`)
  expect(barText(4, 4, 'object')).toBe(`[${'█'.repeat(20)}] 100 % of 4 objects`)
  expect(barText(9, 4, 'object')).toBe(barText(4, 4, 'object'))
  expect(barText(0, 0, 'object')).toContain('100 %')
})
