import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hmac, hmacSha256 } from '../../../shared/crypto/hmac.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface MacGroup {
  readonly keySize: number
  readonly tagSize: number
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly key: string
    readonly msg: string
    readonly tag: string
    readonly result: 'valid' | 'invalid'
  }[]
}

const names = ['sha224', 'sha256', 'sha384', 'sha512'] as const
const groups = names.flatMap((name) =>
  vectors<{ testGroups: MacGroup[] }>(`wycheproof/hmac_${name}_test.json`).testGroups.map(
    (group) => ({ ...group, name }),
  ),
)

test('all 694 cases are run', () => {
  expect(groups.flatMap(({ tests }) => tests)).toHaveLength(694)
})

describe.each(groups)(
  'Wycheproof, $name, keys of $keySize bits, tags of $tagSize',
  ({ name, tagSize, tests }) => {
    test.each(tests)('case $tcId is $result: $comment', ({ key, msg, tag, result }) => {
      // Ours is always whole, so it is cut to the length that the group is about.
      const whole = hmac(name, createSecretKey(hex(key)), hex(msg))
      expect(whole.subarray(0, tagSize / 8).equals(hex(tag))).toBe(result === 'valid')
    })
  },
)

test('HMAC with SHA-256 goes by its own name too', () => {
  const key = createSecretKey(Buffer.alloc(32, 1))
  expect(hmacSha256(key, Buffer.from('x'))).toEqual(hmac('sha256', key, Buffer.from('x')))
})
