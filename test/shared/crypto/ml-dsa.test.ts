import { createPublicKey, hash as sha } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mlDsaOfMessage, mlDsaOfMu } from '../../../shared/crypto/ml-dsa.ts'
import { seededKeys } from '../../../shared/crypto/seeded-keys.ts'
import { changed, givenKeyPair } from '../../support/signatures.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface Group {
  readonly publicKey: string | null
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly msg?: string
    readonly mu?: string
    readonly ctx?: string
    readonly sig: string
    readonly result: 'valid' | 'invalid'
    readonly flags: readonly string[]
  }[]
}

const casesOf = (name: string) =>
  vectors<{ testGroups: Group[] }>(`wycheproof/${name}_test.json`).testGroups.flatMap(
    ({ publicKey, tests }) => tests.map((each) => ({ ...each, publicKey: publicKey ?? '' })),
  )

/** FIPS 204, algorithm 7, line 6, with what algorithm 2 puts before the message. */
const muOf = (publicKey: Buffer, message: Uint8Array): Buffer => {
  const tr = sha('shake256', publicKey, { outputEncoding: 'buffer', outputLength: 64 })
  const prefixed = Buffer.concat([tr, Buffer.of(0, 0), message])
  return sha('shake256', prefixed, { outputEncoding: 'buffer', outputLength: 64 })
}

describe.each([
  [44, 2420, 180, 73],
  [65, 3309, 210, 78],
  [87, 4627, 241, 69],
] as const)('ML-DSA-%i', async (level, signatureLength, verifyCount, signCount) => {
  const asymmetricKeyType = `ml-dsa-${level}` as const
  const keyOf = (publicHex: string) =>
    createPublicKey({ key: hex(publicHex), format: 'raw-public', asymmetricKeyType })
  const verified = casesOf(`mldsa_${level}_verify`)
  const signed = casesOf(`mldsa_${level}_sign_noseed`)

  test('No Wycheproof case is left out', () => {
    expect([verified.length, signed.length]).toEqual([verifyCount, signCount])
  })

  test.each(verified)('Wycheproof case $tcId is $result: $comment', async (each) => {
    const message = hex(each.msg ?? '')
    const signature = hex(each.sig)
    // A signature under a context is one of something else.
    const valid = each.result === 'valid' && (each.ctx ?? '') === ''
    const accepted = async () => {
      const key = keyOf(each.publicKey)
      const mu = muOf(hex(each.publicKey), message)
      return [
        await mlDsaOfMessage.verify(key, message, signature),
        await mlDsaOfMu.verify(key, mu, signature),
      ]
    }
    if (each.flags.includes('IncorrectPublicKeyLength')) await expect(accepted).rejects.toThrow()
    else expect(await accepted()).toEqual([valid, valid])
  })

  // The cases that must fail are about expanded private keys; here a private key is always a seed.
  test.each(signed.filter(({ result }) => result === 'valid'))(
    'The signature of Wycheproof case $tcId is that of its mu: $comment',
    async ({ publicKey, mu = '', sig }) => {
      expect(await mlDsaOfMu.verify(keyOf(publicKey), hex(mu), hex(sig))).toBe(true)
    },
  )

  const pair = await givenKeyPair(seededKeys(asymmetricKeyType))
  const rawPublic = pair.publicKey.export({ format: 'raw-public' })

  test('signatures of a message and of its mu verify each other, and never repeat', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 4096 }), async (message) => {
        const mu = muOf(rawPublic, message)
        const ofMessage = await mlDsaOfMessage.sign(pair.privateKey, message)
        const ofMu = await mlDsaOfMu.sign(pair.privateKey, mu)
        expect([ofMessage.length, ofMu.length]).toEqual([signatureLength, signatureLength])
        expect(await mlDsaOfMu.verify(pair.publicKey, mu, ofMessage)).toBe(true)
        expect(await mlDsaOfMessage.verify(pair.publicKey, message, ofMu)).toBe(true)
        expect(await mlDsaOfMu.sign(pair.privateKey, mu)).not.toEqual(ofMu)
        expect(await mlDsaOfMessage.sign(pair.privateKey, message)).not.toEqual(ofMessage)
        expect(await mlDsaOfMessage.verify(pair.publicKey, mu, ofMu)).toBe(false)
      }),
      { numRuns: 5 },
    )
  })

  test.each([
    ['a message', mlDsaOfMessage],
    ['mu', mlDsaOfMu],
  ])('any change of %s or of its signature makes it fail', async (_what, scheme) => {
    const message = Buffer.alloc(64, 7)
    const signature = await scheme.sign(pair.privateKey, message)
    const other = fc
      .uint8Array({ minLength: 64, maxLength: 64 })
      .filter((each) => !message.equals(each))
    await fc.assert(
      fc.asyncProperty(changed(signature), other, async (sig, msg) => {
        expect(await scheme.verify(pair.publicKey, message, sig)).toBe(false)
        expect(await scheme.verify(pair.publicKey, msg, signature)).toBe(false)
      }),
      { numRuns: 40 },
    )
  })
})
