import { createECDH, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { CurveName } from '../../../shared/crypto/ec-keys.ts'
import { deriveSecret, readPeerKey } from '../../../shared/crypto/ecdh.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface EcdhFile {
  readonly testGroups: readonly {
    readonly tests: readonly {
      readonly tcId: number
      readonly comment: string
      readonly flags: readonly string[]
      readonly public: string
      readonly private: string
      readonly shared: string
      readonly result: 'valid' | 'acceptable' | 'invalid'
    }[]
  }[]
}

const curves = [
  ['prime256v1', 'ecdh_secp256r1_test', 'P-256', 32],
  ['secp384r1', 'ecdh_secp384r1_test', 'P-384', 48],
  ['secp521r1', 'ecdh_secp521r1_test', 'P-521', 66],
] as const

/** The private key of a scalar. */
function privateKeyOf(curve: CurveName, crv: string, size: number, scalar: string): KeyObject {
  const digits = scalar.padStart(size * 2, '0').slice(-size * 2)
  const pair = createECDH(curve)
  pair.setPrivateKey(hex(digits))
  const point = pair.getPublicKey()
  const x = point.subarray(1, 1 + size).toString('base64url')
  const y = point.subarray(1 + size).toString('base64url')
  const d = hex(digits).toString('base64url')
  return createPrivateKey({ format: 'jwk', key: { kty: 'EC', crv, x, y, d } })
}

describe.each(curves)('Wycheproof on %s', (curve, file, crv, size) => {
  const cases = vectors<EcdhFile>(`wycheproof/${file}.json`).testGroups.flatMap(
    ({ tests }) => tests,
  )
  const valid = cases.filter(({ result }) => result === 'valid')

  test.each(valid)(
    'case $tcId is agreed on: $comment',
    ({ public: peer, private: own, shared }) => {
      const key = readPeerKey(hex(peer), curve)
      expect(key).not.toBeNull()
      const secret = deriveSecret(privateKeyOf(curve, crv, size, own), key as KeyObject)
      expect(secret).toHaveLength(size)
      expect(secret).toEqual(hex(shared))
    },
  )

  // "Acceptable" are keys in other encodings than DER, with explicit parameters, and compressed points.
  const refused = cases.filter(({ result }) => result !== 'valid')
  test.each(refused)('case $tcId ($result) is refused: $comment', ({ public: peer }) => {
    expect(readPeerKey(hex(peer), curve)).toBeNull()
  })

  test('there are cases of both kinds', () => {
    expect(valid.length).toBeGreaterThan(300)
    expect(refused.length).toBeGreaterThan(100)
  })
})

describe.each(curves)('On %s', (curve, _file, _crv, size) => {
  const pair = () => generateKeyPairSync('ec', { namedCurve: curve })
  const encoded = (key: KeyObject) => key.export({ format: 'der', type: 'spki' })
  const [one, other] = [pair(), pair()]

  test('both sides come to the same secret', () => {
    for (let i = 0; i < 20; i++) {
      const [a, b] = [pair(), pair()]
      const there = deriveSecret(
        a.privateKey,
        readPeerKey(encoded(b.publicKey), curve) as KeyObject,
      )
      const back = deriveSecret(b.privateKey, readPeerKey(encoded(a.publicKey), curve) as KeyObject)
      expect(there).toHaveLength(size)
      expect(there).toEqual(back)
    }
  })

  test('a private key agrees with its own public key too', () => {
    const key = readPeerKey(encoded(one.publicKey), curve) as KeyObject
    expect(deriveSecret(one.privateKey, key)).toHaveLength(size)
  })

  test('keys of other curves, and what has bytes too many or too few, are refused', () => {
    const spki = encoded(other.publicKey)
    for (const [elsewhere] of curves) {
      expect(readPeerKey(spki, elsewhere) === null).toBe(elsewhere !== curve)
    }
    expect(readPeerKey(spki, 'secp256k1')).toBeNull()
    expect(readPeerKey(Buffer.concat([spki, Buffer.alloc(1)]), curve)).toBeNull()
    expect(readPeerKey(spki.subarray(0, -1), curve)).toBeNull()
    expect(readPeerKey(Buffer.alloc(0), curve)).toBeNull()
    const pem = other.publicKey.export({ format: 'pem', type: 'spki' })
    expect(readPeerKey(Buffer.from(pem), curve)).toBeNull()
  })

  test('a key with any byte changed is refused: its point is not on the curve any more', () => {
    const spki = encoded(other.publicKey)
    const anywhere = fc.nat(spki.length - 1)
    fc.assert(
      fc.property(anywhere, fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Buffer.from(spki)
        altered[at] = (altered[at] ?? 0) ^ change
        expect(readPeerKey(altered, curve)).toBeNull()
      }),
    )
  })
})
