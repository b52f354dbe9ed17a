import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decryptOaep,
  encryptOaep,
  maxOaepPlaintext,
  type OaepHash,
} from '../../../shared/crypto/rsa-oaep.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface OaepFile {
  readonly testGroups: readonly {
    readonly keySize: number
    readonly sha: string
    readonly mgfSha: string
    readonly privateKeyPkcs8: string
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly flags: readonly string[]
      readonly msg: string
      readonly ct: string
      readonly label: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const files = [
  ['rsa_oaep_2048_sha1_mgf1sha1_test', 'sha1', 36],
  ['rsa_oaep_2048_sha256_mgf1sha256_test', 'sha256', 37],
  ['rsa_oaep_3072_sha256_mgf1sha256_test', 'sha256', 37],
  ['rsa_oaep_4096_sha256_mgf1sha256_test', 'sha256', 37],
] as const

describe.each(files)('Wycheproof %s', (name, hash, count) => {
  const { testGroups } = vectors<OaepFile>(`wycheproof/${name}.json`)

  test(`all ${count} cases are run`, () => {
    expect(testGroups.flatMap(({ tests }) => tests)).toHaveLength(count)
  })

  describe.each(testGroups)('$keySize bits', ({ keySize, privateKeyPkcs8, tests }) => {
    const key = createPrivateKey({ key: hex(privateKeyPkcs8), format: 'der', type: 'pkcs8' })

    // There is no way to name a label here, so what has one is refused like any other padding.
    test.each(tests)('case $tcId ($result) $comment', ({ msg, ct, label, result }) => {
      const opened = decryptOaep(key, keySize / 8, hash, hex(ct))
      expect(opened).toEqual(result === 'valid' && label === '' ? hex(msg) : null)
    })
  })
})

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
const MODULUS = 256
const hashes: readonly OaepHash[] = ['sha1', 'sha256']

test.each([
  [256, 'sha1', 214],
  [384, 'sha1', 342],
  [512, 'sha1', 470],
  [256, 'sha256', 190],
  [384, 'sha256', 318],
  [512, 'sha256', 446],
] as const)('a modulus of %i bytes and %s leave room for %i bytes', (modulus, hash, room) => {
  expect(maxOaepPlaintext(modulus, hash)).toBe(room)
})

test.each(hashes)('%s: decrypting gives back what was encrypted, of every length', (hash) => {
  const room = maxOaepPlaintext(MODULUS, hash)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: room }), (plaintext) => {
      const block = encryptOaep(pair.publicKey, hash, plaintext)
      expect(block).toHaveLength(MODULUS)
      expect(decryptOaep(pair.privateKey, MODULUS, hash, block)).toEqual(Buffer.from(plaintext))
    }),
    { numRuns: 40 },
  )
  expect(encryptOaep(pair.publicKey, hash, Buffer.alloc(room))).toHaveLength(MODULUS)
  expect(() => encryptOaep(pair.publicKey, hash, Buffer.alloc(room + 1))).toThrow()
})

test('a block with any bit changed does not open, and nor does any other string of bytes', () => {
  const block = encryptOaep(pair.publicKey, 'sha256', Buffer.from('hello'))
  fc.assert(
    fc.property(fc.nat(MODULUS * 8 - 1), (bit) => {
      const altered = Buffer.from(block)
      altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      expect(decryptOaep(pair.privateKey, MODULUS, 'sha256', altered)).toBeNull()
    }),
    { numRuns: 60 },
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      expect(decryptOaep(pair.privateKey, MODULUS, 'sha256', bytes)).toBeNull()
    }),
  )
})

test('a block does not open under the other hash, under another key, or cut or extended', () => {
  const block = encryptOaep(pair.publicKey, 'sha256', Buffer.from('hello'))
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  expect(decryptOaep(pair.privateKey, MODULUS, 'sha1', block)).toBeNull()
  expect(decryptOaep(other, MODULUS, 'sha256', block)).toBeNull()
  expect(decryptOaep(pair.privateKey, MODULUS, 'sha256', block.subarray(1))).toBeNull()
  const longer = Buffer.concat([Buffer.alloc(1), block])
  expect(decryptOaep(pair.privateKey, MODULUS, 'sha256', longer)).toBeNull()
  expect(decryptOaep(pair.privateKey, MODULUS, 'sha256', block)?.toString()).toBe('hello')
})

test('the same plaintext gives another block every time', () => {
  const publicKey = createPublicKey(pair.privateKey)
  const blocks = Array.from({ length: 8 }, () =>
    encryptOaep(publicKey, 'sha1', Buffer.from('hello')).toString('hex'),
  )
  expect(new Set(blocks).size).toBe(8)
})
