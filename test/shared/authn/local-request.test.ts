import { describe, expect, test } from 'vitest'
import {
  isLoopbackAddress,
  isLoopbackName,
  whyNotLocal,
} from '../../../shared/authn/local-request.ts'

const headers = (given: Record<string, string | readonly string[]>) =>
  new Map(Object.entries(given).map(([name, value]) => [name, [value].flat()]))

describe('A request is taken for one of this machine', () => {
  test.each([
    'localhost',
    'localhost:4566',
    'LOCALHOST:1',
    '127.0.0.1:4566',
    '127.8.9.1',
    '[::1]:80',
  ])('when it names %s as its host', (host) => {
    expect(whyNotLocal(headers({ host }))).toBeNull()
    expect(whyNotLocal(headers({ host, 'sec-fetch-site': 'none' }))).toBeNull()
  })
})

describe('A request is not', () => {
  test.each([
    { host: 'evil.example' },
    { host: 'localhost.evil.example' },
    { host: 'evil.example:4566' },
    { host: '127.0.0.1.evil.example' },
    { host: '1270.0.0.1' },
    { host: '::1' },
    { host: '' },
    {},
    { host: ['localhost', 'localhost'] },
    { host: 'localhost', origin: 'http://localhost' },
    { host: 'localhost', origin: 'null' },
    { host: 'localhost', 'sec-fetch-site': 'cross-site' },
    { host: 'localhost', 'sec-fetch-site': 'same-origin' },
    { host: 'localhost', forwarded: 'for=203.0.113.9' },
    { host: 'localhost', via: '1.1 proxy' },
    { host: 'localhost', 'x-forwarded-for': '127.0.0.1' },
    { host: 'localhost', 'x-real-ip': '127.0.0.1' },
  ])('with %j', (given) => {
    expect(whyNotLocal(headers(given as Record<string, string>))).toMatch(/^that /)
  })
})

test('Loopback is told by address and by name', () => {
  expect(['127.0.0.1', '127.1.2.3', '::1'].every(isLoopbackAddress)).toBe(true)
  expect(['128.0.0.1', '0.0.0.0', '::', 'localhost', ''].some(isLoopbackAddress)).toBe(false)
  expect(['127.0.0.1', 'localhost', '[::1]'].every(isLoopbackName)).toBe(true)
  expect(['0.0.0.0', 'keyhold.internal', '::1', ''].some(isLoopbackName)).toBe(false)
})
