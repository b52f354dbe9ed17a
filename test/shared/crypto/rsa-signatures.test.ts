import { type KeyObject, hash as sha, sign } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { encodePkcs1, encodePss, type HashName, hashes } from '../../../shared/crypto/emsa.ts'
import { rsaKeys } from '../../../shared/crypto/rsa-keys.ts'
import {
  pkcs1OfDigest,
  pkcs1OfMessage,
  pssOfDigest,
  pssOfMessage,
} from '../../../shared/crypto/rsa-signatures.ts'
import type { SignatureScheme } from '../../../shared/crypto/signature-scheme.ts'
import { changed, givenKeyPair, publicKeyOf } from '../../support/signatures.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface Group {
  readonly keySize: number
  readonly sha: string
  readonly sLen?: number
  readonly publicKeyDer: string
  readonly tests: readonly {
    readonly tcId: number
    readonly comment: string
    readonly msg: string
    readonly sig: string
    readonly result: 'valid' | 'invalid' | 'acceptable'
  }[]
}
const groupsOf = (name: string): readonly Group[] =>
  vectors<{ testGroups: Group[] }>(`wycheproof/${name}_test.json`).testGroups
const hashOf = (group: Group): HashName => group.sha.replace('SHA-', 'sha') as HashName
const digestOf = (hash: HashName, message: Uint8Array): Buffer => sha(hash, message, 'buffer')

const pkcs1Groups = [2048, 3072, 4096].flatMap((size) =>
  [256, 384, 512].flatMap((bits) => groupsOf(`rsa_signature_${size}_sha${bits}`)),
)
const pssGroups = [
  '2048_sha256_mgf1_0',
  '2048_sha256_mgf1_32',
  '2048_sha384_mgf1_48',
  '3072_sha256_mgf1_32',
  '4096_sha256_mgf1_32',
  '4096_sha384_mgf1_48',
  '4096_sha512_mgf1_32',
  '4096_sha512_mgf1_64',
].flatMap((name) => groupsOf(`rsa_pss_${name}`))

/** Both schemes must say the same: that the message is signed, and that its digest is. */
async function isAccepted(
  schemes: { readonly raw: SignatureScheme; readonly digest: SignatureScheme },
  hash: HashName,
  key: KeyObject,
  { msg, sig }: Group['tests'][number],
): Promise<readonly boolean[]> {
  const message = hex(msg)
  return [
    await schemes.raw.verify(key, message, hex(sig)),
    await schemes.digest.verify(key, digestOf(hash, message), hex(sig)),
  ]
}

describe.each(pkcs1Groups)('Wycheproof, PKCS #1 v1.5, $keySize bits, $sha', (group) => {
  const hash = hashOf(group)
  const key = publicKeyOf(group.publicKeyDer)
  const schemes = { raw: pkcs1OfMessage(hash), digest: pkcs1OfDigest(hash) }
  test.each(group.tests)('case $tcId is $result: $comment', async (each) => {
    const valid = each.result === 'valid' // "acceptable" leaves out a NULL, and is not accepted
    expect(await isAccepted(schemes, hash, key, each)).toEqual([valid, valid])
  })
})

describe.each(pssGroups)('Wycheproof, PSS, $keySize bits, $sha, salt of $sLen bytes', (group) => {
  const hash = hashOf(group)
  const key = publicKeyOf(group.publicKeyDer)
  const schemes = { raw: pssOfMessage(hash), digest: pssOfDigest(hash) }
  test.each(group.tests)('case $tcId is $result: $comment', async (each) => {
    // A salt of another length than a digest's is another algorithm.
    const own = hashes[hash].length
    const valid =
      group.sLen === own ? each.result === 'valid' : each.comment === `s_len changed to ${own}`
    expect(await isAccepted(schemes, hash, key, each)).toEqual([valid, valid])
  })
})

test('No case is left out', () => {
  const count = (groups: readonly Group[]) => groups.flatMap(({ tests }) => tests).length
  expect([count(pkcs1Groups), count(pssGroups)]).toEqual([2330, 1065])
})

const pair = await givenKeyPair(rsaKeys(2048))
const names = Object.keys(hashes) as HashName[]
const message = fc.uint8Array({ minLength: 1, maxLength: 4096 })

describe.each(names)('With %s', (hash) => {
  test('PKCS #1 v1.5 gives one signature for a message and for its digest', async () => {
    await fc.assert(
      fc.asyncProperty(message, async (signed) => {
        const ofMessage = await pkcs1OfMessage(hash).sign(pair.privateKey, signed)
        const ofDigest = await pkcs1OfDigest(hash).sign(pair.privateKey, digestOf(hash, signed))
        expect(ofDigest).toEqual(ofMessage)
      }),
      { numRuns: 10 },
    )
  })

  test('PSS of a message and of its digest verify each other, and never repeat', async () => {
    const [raw, digest] = [pssOfMessage(hash), pssOfDigest(hash)]
    await fc.assert(
      fc.asyncProperty(message, async (signed) => {
        const digested = digestOf(hash, signed)
        const ofMessage = await raw.sign(pair.privateKey, signed)
        const ofDigest = await digest.sign(pair.privateKey, digested)
        expect(await digest.verify(pair.publicKey, digested, ofMessage)).toBe(true)
        expect(await raw.verify(pair.publicKey, signed, ofDigest)).toBe(true)
        expect(await digest.sign(pair.privateKey, digested)).not.toEqual(ofDigest)
      }),
      { numRuns: 10 },
    )
  })

  test.each([0, hashes[hash].length - 1, hashes[hash].length + 1])(
    'PSS with a salt of %i bytes is refused',
    async (saltLength) => {
      const signed = Buffer.from('message')
      const padding = 6
      const signature = sign(hash, signed, { key: pair.privateKey, padding, saltLength })
      expect(await pssOfMessage(hash).verify(pair.publicKey, signed, signature)).toBe(false)
      const digested = digestOf(hash, signed)
      expect(await pssOfDigest(hash).verify(pair.publicKey, digested, signature)).toBe(false)
    },
  )
})

describe.each([
  ['PKCS #1 v1.5 of a message', pkcs1OfMessage('sha256')],
  ['PKCS #1 v1.5 of a digest', pkcs1OfDigest('sha256')],
  ['PSS of a message', pssOfMessage('sha256')],
  ['PSS of a digest', pssOfDigest('sha256')],
])('%s', (_name, scheme) => {
  const signed = digestOf('sha256', Buffer.from('message'))

  test('fails with any change of the signature', async () => {
    const signature = await scheme.sign(pair.privateKey, signed)
    expect(signature).toHaveLength(256)
    expect(await scheme.verify(pair.publicKey, signed, signature)).toBe(true)
    await fc.assert(
      fc.asyncProperty(changed(signature), async (other) => {
        expect(await scheme.verify(pair.publicKey, signed, other)).toBe(false)
      }),
      { numRuns: 300 },
    )
  })

  test('fails with any other message', async () => {
    const signature = await scheme.sign(pair.privateKey, signed)
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 32, maxLength: 32 }), async (other) => {
        fc.pre(!signed.equals(other))
        expect(await scheme.verify(pair.publicKey, other, signature)).toBe(false)
      }),
      { numRuns: 50 },
    )
  })
})

test('A signature that begins with a zero is not taken without it', async () => {
  for (const scheme of [pkcs1OfMessage('sha256'), pkcs1OfDigest('sha256')]) {
    for (let attempt = 0; ; attempt++) {
      const signed = sha('sha256', String(attempt), 'buffer')
      const signature = await scheme.sign(pair.privateKey, signed)
      if (signature[0] !== 0) continue
      expect(await scheme.verify(pair.publicKey, signed, signature)).toBe(true)
      expect(await scheme.verify(pair.publicKey, signed, signature.subarray(1))).toBe(false)
      break
    }
  }
})

test('An encoded digest is as long as the modulus and begins with zero bits', () => {
  const digest = Buffer.alloc(32, 7)
  expect(encodePkcs1('sha256', digest, 256).toString('hex')).toMatch(
    /^0001(ff){202}003031300d060960864801650304020105000420(07){32}$/,
  )
  const encoded = encodePss('sha256', digest, Buffer.alloc(32), 256)
  expect(encoded).toHaveLength(256)
  expect((encoded[0] ?? 0) & 0x80).toBe(0)
  expect(encoded.at(-1)).toBe(0xbc)
})
