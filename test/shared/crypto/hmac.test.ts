import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { hmacSha256 } from '../../../shared/crypto/hmac.ts'
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

const wycheproof = vectors<{ testGroups: MacGroup[] }>('wycheproof/hmac_sha256_test.json')

/** The tag cut to the length that the group is about: ours is always whole. */
const tagOf = (key: string, msg: string, tagSize: number): Buffer =>
  hmacSha256(createSecretKey(hex(key)), hex(msg)).subarray(0, tagSize / 8)

test('all 174 cases are run', () => {
  expect(wycheproof.testGroups.flatMap((group) => group.tests)).toHaveLength(174)
})

describe.each(wycheproof.testGroups)(
  'Wycheproof, keys of $keySize bits, tags of $tagSize',
  ({ tagSize, tests }) => {
    test.each(tests)('case $tcId is $result: $comment', ({ key, msg, tag, result }) => {
      expect(tagOf(key, msg, tagSize).equals(hex(tag))).toBe(result === 'valid')
    })
  },
)
