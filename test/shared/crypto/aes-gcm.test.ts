import { createSecretKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { decryptAesGcm, encryptAesGcm } from '../../../shared/crypto/aes-gcm.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface AeadGroup {
  readonly ivSize: number
  readonly keySize: number
  readonly tagSize: number
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly key: string
    readonly iv: string
    readonly aad: string
    readonly msg: string
    readonly ct: string
    readonly tag: string
    readonly result: 'valid' | 'invalid'
  }[]
}

const { testGroups } = vectors<{ testGroups: AeadGroup[] }>('wycheproof/aes_gcm_test.json')
const isOurs = ({ ivSize, keySize }: AeadGroup): boolean => ivSize === 96 && keySize === 256
const ours = testGroups.filter(isOurs)
// Nothing here encrypts with other key sizes, and IVs of other lengths would be hashed by GCM.
const refused = testGroups.filter((group) => !isOurs(group))

test('every group has tags of 128 bits, and 66 cases are of our sizes', () => {
  expect(new Set(testGroups.map((group) => group.tagSize))).toEqual(new Set([128]))
  expect(ours.flatMap((group) => group.tests)).toHaveLength(66)
  expect(refused.flatMap((group) => group.tests)).toHaveLength(250)
})

describe.each(ours)('Wycheproof, keys of 256 bits and IVs of 96', ({ tests }) => {
  test.each(tests)('case $tcId is $result: $comment', (each) => {
    const key = createSecretKey(hex(each.key))
    const [iv, aad, msg, ct, tag] = [each.iv, each.aad, each.msg, each.ct, each.tag].map(hex) as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ]
    const valid = each.result === 'valid'
    expect(decryptAesGcm(key, iv, aad, ct, tag)).toEqual(valid ? msg : null)
    expect(encryptAesGcm(key, iv, aad, msg).tag.equals(tag)).toBe(valid)
    expect(encryptAesGcm(key, iv, aad, msg).ciphertext).toEqual(ct)
  })
})

test.each(refused)('refuses keys of $keySize bits with IVs of $ivSize', ({ tests }) => {
  for (const { key, iv, aad, msg, ct, tag } of tests) {
    const secret = createSecretKey(hex(key))
    expect(() => encryptAesGcm(secret, hex(iv), hex(aad), hex(msg))).toThrow(RangeError)
    expect(() => decryptAesGcm(secret, hex(iv), hex(aad), hex(ct), hex(tag))).toThrow(RangeError)
  }
})

test('refuses a tag that is a beginning of the right one, whatever its length', () => {
  const key = createSecretKey(Buffer.alloc(32, 1))
  const [iv, aad] = [Buffer.alloc(12, 2), Buffer.from('aad')]
  const { ciphertext, tag } = encryptAesGcm(key, iv, aad, Buffer.from('plaintext'))
  for (let length = 0; length < 16; length++) {
    expect(decryptAesGcm(key, iv, aad, ciphertext, tag.subarray(0, length))).toBeNull()
  }
  expect(decryptAesGcm(key, iv, aad, ciphertext, tag)).toEqual(Buffer.from('plaintext'))
})
