import { hash as sha } from 'node:crypto'
import type { ECDSA } from '@noble/curves/abstract/weierstrass.js'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { secp256k1 } from '@noble/curves/secp256k1.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type CurveName, ecKeys } from '../../../shared/crypto/ec-keys.ts'
import { ecdsaOfDigest, ecdsaOfMessage } from '../../../shared/crypto/ecdsa.ts'
import { changed, givenKeyPair, publicKeyOf } from '../../support/signatures.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface Group {
  readonly publicKeyDer: string
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly msg: string
    readonly sig: string
    readonly result: 'valid' | 'invalid'
  }[]
}

const curves = [
  ['prime256v1', 'sha256', 'ecdsa_secp256r1_sha256', 484, p256],
  ['secp384r1', 'sha384', 'ecdsa_secp384r1_sha384', 504, p384],
  ['secp521r1', 'sha512', 'ecdsa_secp521r1_sha512', 542, p521],
  ['secp256k1', 'sha256', 'ecdsa_secp256k1_sha256', 476, secp256k1],
] as const satisfies readonly (readonly [CurveName, string, string, number, ECDSA])[]

describe.each(curves)('Wycheproof, %s', (_curve, hash, name, count) => {
  const groups = vectors<{ testGroups: Group[] }>(`wycheproof/${name}_test.json`).testGroups
  const cases = groups.flatMap(({ publicKeyDer, tests }) =>
    tests.map((each) => ({ ...each, publicKeyDer })),
  )

  test('No case is left out', () => {
    expect(cases).toHaveLength(count)
  })

  test.each(cases)('case $tcId is $result: $comment', async (each) => {
    const key = publicKeyOf(each.publicKeyDer)
    const [message, signature] = [hex(each.msg), hex(each.sig)]
    const valid = each.result === 'valid'
    expect(await ecdsaOfMessage(hash).verify(key, message, signature)).toBe(valid)
    const digest = sha(hash, message, 'buffer')
    expect(await ecdsaOfDigest.verify(key, digest, signature)).toBe(valid)
  })
})

describe.each(curves)('On %s', async (curve, hash, _name, _count, arithmetic) => {
  const order = arithmetic.Point.Fn.ORDER
  const sOf = (signature: Buffer) => arithmetic.Signature.fromBytes(signature, 'der').s
  const pair = await givenKeyPair(ecKeys(curve))
  const ofMessage = ecdsaOfMessage(hash)

  test('signatures of a message and of its digest verify each other', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), async (message) => {
        const digest = sha(hash, message, 'buffer')
        const first = await ofMessage.sign(pair.privateKey, message)
        const second = await ecdsaOfDigest.sign(pair.privateKey, digest)
        expect(await ecdsaOfDigest.verify(pair.publicKey, digest, first)).toBe(true)
        expect(await ofMessage.verify(pair.publicKey, message, second)).toBe(true)
        expect(await ofMessage.verify(pair.publicKey, digest, second)).toBe(false)
      }),
      { numRuns: 10 },
    )
  })

  test('no signature repeats', async () => {
    const digest = sha(hash, 'message', 'buffer')
    const signatures = await Promise.all(
      Array.from({ length: 8 }, () => ecdsaOfDigest.sign(pair.privateKey, digest)),
    )
    expect(new Set(signatures.map((each) => each.toString('hex'))).size).toBe(8)
  })

  test('a digest is signed with s in either half', async () => {
    const digest = sha(hash, 'message', 'buffer')
    const halves = new Set<boolean>()
    for (let attempt = 0; attempt < 60 && halves.size < 2; attempt++) {
      halves.add(sOf(await ecdsaOfDigest.sign(pair.privateKey, digest)) > order / 2n)
    }
    expect(halves.size).toBe(2)
  })

  test.each([
    ['a message', ofMessage],
    ['a digest', ecdsaOfDigest],
  ])('any change of the signature of %s makes it fail', async (_what, scheme) => {
    const message = sha(hash, 'message', 'buffer')
    const signature = await scheme.sign(pair.privateKey, message)
    await fc.assert(
      fc.asyncProperty(changed(signature), async (other) => {
        expect(await scheme.verify(pair.publicKey, message, other)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})
