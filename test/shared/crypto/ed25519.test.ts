import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ed25519Prehashed, ed25519Pure } from '../../../shared/crypto/ed25519.ts'
import { openPrivateKey } from '../../../shared/crypto/private-keys.ts'
import { seededKeys } from '../../../shared/crypto/seeded-keys.ts'
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
const groups = vectors<{ testGroups: Group[] }>('wycheproof/ed25519_test.json').testGroups
const cases = groups.flatMap(({ publicKeyDer, tests }) =>
  tests.map((each) => ({ ...each, publicKeyDer })),
)

test('No Wycheproof case is left out', () => {
  expect(cases).toHaveLength(151)
})

test.each(cases)('Wycheproof case $tcId is $result: $comment', async (each) => {
  const key = publicKeyOf(each.publicKeyDer)
  const accepted = await ed25519Pure.verify(key, hex(each.msg), hex(each.sig))
  expect(accepted).toBe(each.result === 'valid')
})

describe('RFC 8032, section 7.3', () => {
  const seed = '833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42'
  const publicHex = 'ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf'
  const signature =
    '98a70222f0b8121aa9d30f813d683f809e462b469c7ff87639499bb94e6dae41' +
    '31f85042463c2a355a2003d062adf5aaa10b8c61e636062aaad11c2a26083406'
  const privateKey = openPrivateKey(hex(`302e020100300506032b657004220420${seed}`))
  const publicKey = publicKeyOf(`302a300506032b6570032100${publicHex}`)

  test('TEST abc of Ed25519ph is signed as it stands there', async () => {
    const signed = await ed25519Prehashed.sign(privateKey, Buffer.from('abc'))
    expect(signed.toString('hex')).toBe(signature)
  })

  test('TEST abc of Ed25519ph is verified, and by Ed25519 refused', async () => {
    const abc = Buffer.from('abc')
    expect(await ed25519Prehashed.verify(publicKey, abc, hex(signature))).toBe(true)
    expect(await ed25519Pure.verify(publicKey, abc, hex(signature))).toBe(false)
  })
})

describe.each([
  ['Ed25519', ed25519Pure],
  ['Ed25519ph', ed25519Prehashed],
])('%s', async (_name, scheme) => {
  const pair = await givenKeyPair(seededKeys('ed25519'))
  const message = Buffer.alloc(64, 7)

  test('gives one signature of 64 bytes for one message', async () => {
    const signature = await scheme.sign(pair.privateKey, message)
    expect(signature).toHaveLength(64)
    expect(await scheme.sign(pair.privateKey, message)).toEqual(signature)
    expect(await scheme.verify(pair.publicKey, message, signature)).toBe(true)
  })

  test('fails with any change of the signature or of the message', async () => {
    const signature = await scheme.sign(pair.privateKey, message)
    await fc.assert(
      fc.asyncProperty(changed(signature), changed(message), async (sig, msg) => {
        expect(await scheme.verify(pair.publicKey, message, sig)).toBe(false)
        expect(await scheme.verify(pair.publicKey, msg, signature)).toBe(false)
      }),
      { numRuns: 100 },
    )
  })
})

test('Ed25519ph refuses a public key of small order', async () => {
  const identity = publicKeyOf(`302a300506032b6570032100${'01'.padEnd(64, '0')}`)
  const forged = Buffer.concat([hex('01'.padEnd(64, '0')), Buffer.alloc(32)])
  expect(await ed25519Prehashed.verify(identity, Buffer.alloc(64), forged)).toBe(false)
})
