import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { ml_kem512, ml_kem768, ml_kem1024 } from '@noble/post-quantum/ml-kem.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decapsulateSecret, encapsulateSecret } from '../../../shared/crypto/ml-kem.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface KemFile {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly comment?: string
      readonly seed: string
      readonly ek: string
      readonly c: string
      readonly K: string
      readonly result: 'valid' | 'invalid'
    }[]
  }[]
}

const sets = [
  { level: 512, oid: '01', length: 768, noble: ml_kem512 },
  { level: 768, oid: '02', length: 1088, noble: ml_kem768 },
  { level: 1024, oid: '03', length: 1568, noble: ml_kem1024 },
] as const

/** The seed form of PKCS#8 (RFC 9935, section 6). @returns `null` when there is no such key */
function keyOf(oid: string, seed: Buffer): KeyObject | null {
  const algorithm = hex(`300b06096086480165030404${oid}`)
  const inner = Buffer.concat([Buffer.of(0x80, seed.length), seed])
  const octets = Buffer.concat([Buffer.of(0x04, inner.length), inner])
  const body = Buffer.concat([hex('020100'), algorithm, octets])
  const key = Buffer.concat([Buffer.of(0x30, body.length), body])
  try {
    return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
  } catch {
    return null
  }
}

const rawPublicKey = (key: KeyObject, length: number): Buffer =>
  createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-length)

describe.each(sets)('ML-KEM-$level', ({ level, oid, length, noble }) => {
  const cases = vectors<KemFile>(`wycheproof/mlkem_${level}_test.json`).testGroups.flatMap(
    ({ tests }) => tests,
  )

  test('all 193 cases of Wycheproof are run', () => {
    expect(cases).toHaveLength(193)
  })

  test.each(cases)('case $tcId is $result: $comment', ({ seed, ek, c, K, result }) => {
    const key = keyOf(oid, hex(seed))
    const secret = key && decapsulateSecret(key, hex(c), length)
    expect(secret).toEqual(result === 'valid' ? hex(K) : null)
    if (key !== null && ek !== '') expect(rawPublicKey(key, ek.length / 2)).toEqual(hex(ek))
  })

  const seed = Buffer.alloc(64, level % 251)
  const key = keyOf(oid, seed) as KeyObject
  const publicKey = createPublicKey(key)

  test('what was encapsulated is decapsulated, and is another secret every time', () => {
    const [first, second] = [encapsulateSecret(publicKey), encapsulateSecret(publicKey)]
    expect(first.ciphertext).toHaveLength(length)
    expect(first.sharedSecret).toHaveLength(32)
    expect(decapsulateSecret(key, first.ciphertext, length)).toEqual(first.sharedSecret)
    expect(second.sharedSecret).not.toEqual(first.sharedSecret)
  })

  test('another implementation comes to the same secrets, in both directions', () => {
    const peer = noble.keygen(seed)
    expect(rawPublicKey(key, peer.publicKey.length)).toEqual(Buffer.from(peer.publicKey))
    const theirs = noble.encapsulate(peer.publicKey)
    expect(decapsulateSecret(key, theirs.cipherText, length)).toEqual(
      Buffer.from(theirs.sharedSecret),
    )
    const ours = encapsulateSecret(publicKey)
    expect(Buffer.from(noble.decapsulate(ours.ciphertext, peer.secretKey))).toEqual(
      ours.sharedSecret,
    )
  })

  test('an altered ciphertext gives a secret too: another one, and always the same', () => {
    const { sharedSecret, ciphertext } = encapsulateSecret(publicKey)
    fc.assert(
      fc.property(fc.nat(length * 8 - 1), (bit) => {
        const altered = Buffer.from(ciphertext)
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        const secret = decapsulateSecret(key, altered, length)
        expect(secret).toHaveLength(32)
        expect(secret).not.toEqual(sharedSecret)
        expect(decapsulateSecret(key, altered, length)).toEqual(secret)
      }),
      { numRuns: 40 },
    )
  })

  test('a ciphertext of another length gives none', () => {
    const { ciphertext } = encapsulateSecret(publicKey)
    expect(decapsulateSecret(key, ciphertext.subarray(1), length)).toBeNull()
    expect(decapsulateSecret(key, Buffer.concat([ciphertext, Buffer.alloc(1)]), length)).toBeNull()
    expect(decapsulateSecret(key, Buffer.alloc(0), length)).toBeNull()
  })
})
