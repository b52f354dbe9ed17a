import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readElement, SEQUENCE } from '../../../shared/crypto/der.ts'
import { ecKeys } from '../../../shared/crypto/ec-keys.ts'
import { openPrivateKey, type PrivateKeyForm } from '../../../shared/crypto/private-keys.ts'
import { rsaKeys } from '../../../shared/crypto/rsa-keys.ts'
import { seededKeys } from '../../../shared/crypto/seeded-keys.ts'
import { hex, vectors } from '../../support/vectors.ts'

const forms: Readonly<Record<string, PrivateKeyForm>> = {
  'RSA 2048': rsaKeys(2048),
  'RSA 3072': rsaKeys(3072),
  'P-256': ecKeys('prime256v1'),
  'P-384': ecKeys('secp384r1'),
  'P-521': ecKeys('secp521r1'),
  secp256k1: ecKeys('secp256k1'),
  Ed25519: seededKeys('ed25519'),
}
const given = Object.fromEntries(
  await Promise.all(
    Object.entries(forms).map(async ([name, form]) => [name, await form.generate()] as const),
  ),
)
const keyOf = (name: string): Buffer => given[name] as Buffer

/** The key with its outermost length written otherwise. */
const relabelled = (key: Buffer, head: Buffer, end: Buffer = Buffer.alloc(0)): Buffer =>
  Buffer.concat([head, key.subarray(readElement(key, 0)?.start), end])

describe.each(Object.entries(forms))('A private key of %s', (name, form) => {
  const key = keyOf(name)

  test('is taken as it was made', () => {
    expect(form.accept(key)).toEqual(key)
  })

  test('is the same key when node:crypto writes it', () => {
    const written = openPrivateKey(key).export({ type: 'pkcs8', format: 'der' })
    expect(form.accept(written)).toEqual(key)
  })

  test('is not taken with anything behind it, or cut', () => {
    expect(form.accept(Buffer.concat([key, Buffer.of(0)]))).toBeNull()
    fc.assert(
      fc.property(fc.nat(key.length - 1), (length) => {
        expect(form.accept(key.subarray(0, length))).toBeNull()
      }),
    )
  })

  test('is not taken as a key of anything else', () => {
    for (const [other, accepting] of Object.entries(forms)) {
      if (other !== name) expect(accepting.accept(key)).toBeNull()
    }
  })

  test('is not taken encrypted', () => {
    const [cipher, passphrase] = ['aes-256-cbc', 'passphrase']
    const type = 'pkcs8'
    const sealed = openPrivateKey(key).export({ type, format: 'der', cipher, passphrase })
    expect(form.accept(sealed)).toBeNull()
  })

  test('in BER is taken unless it is of Ed25519', () => {
    const content = key.length - (readElement(key, 0)?.start ?? 0)
    const indefinite = relabelled(key, hex('3080'), Buffer.alloc(2))
    const long = relabelled(key, Buffer.of(SEQUENCE, 0x84, 0, 0, content >> 8, content & 0xff))
    for (const ber of [indefinite, long]) {
      expect(form.accept(ber)).toEqual(name === 'Ed25519' ? null : key)
      expect(form.accept(Buffer.concat([ber, Buffer.of(0)]))).toBeNull()
      expect(form.accept(ber.subarray(0, -1))).toBeNull()
    }
    expect(form.accept(relabelled(key, hex('3080'), hex('0500')))).toBeNull()
  })

  test('never makes reading fail otherwise than by null', () => {
    fc.assert(
      fc.property(fc.nat(key.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const spoiled = Buffer.from(key)
        spoiled[at] = (spoiled[at] ?? 0) ^ change
        form.accept(spoiled)
      }),
      { numRuns: name.startsWith('RSA') ? 50 : 200 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(form.accept(bytes)).toBeNull()
      }),
    )
  })
})

describe('An RSA key is not taken', () => {
  test('with three primes', () => {
    const { key } = vectors<{ key: string }>('rsa-three-primes.json')
    expect(openPrivateKey(hex(key)).asymmetricKeyType).toBe('rsa')
    expect(rsaKeys(2048).accept(hex(key))).toBeNull()
  })

  test('that is for PSS alone', () => {
    const pss = generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey
    expect(rsaKeys(2048).accept(pss.export({ type: 'pkcs8', format: 'der' }))).toBeNull()
  })

  test('whose public and private numbers are of different keys', () => {
    const jwk = (name: string) => openPrivateKey(keyOf(name)).export({ format: 'jwk' })
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    const { n } = other.export({ format: 'jwk' })
    const mixed = createPrivateKey({ key: { ...jwk('RSA 2048'), n: n ?? '' }, format: 'jwk' })
    expect(rsaKeys(2048).accept(mixed.export({ type: 'pkcs8', format: 'der' }))).toBeNull()
  })
})

/** Where the elliptic-curve private number begins in PKCS#8. The byte before says how long it is. */
function scalarStart(key: Buffer): number {
  const inside = (at: number) => readElement(key, at)?.start ?? 0
  const behind = (at: number) => readElement(key, at)?.end ?? 0
  const sec1 = inside(inside(behind(behind(inside(0)))))
  return inside(behind(sec1))
}

/** PKCS#8 with its elliptic-curve private number replaced, and all else left. */
function withScalar(key: Buffer, scalar: Buffer): Buffer {
  const changed = Buffer.from(key)
  scalar.copy(changed, scalarStart(key))
  return changed
}

describe.each([
  ['P-256', 'prime256v1', 32],
  ['P-384', 'secp384r1', 48],
  ['P-521', 'secp521r1', 66],
  ['secp256k1', 'secp256k1', 32],
] as const)('On %s', (name, curve, size) => {
  const { accept, generate } = ecKeys(curve)
  const key = keyOf(name)
  const scalarOf = (of: Buffer): Buffer =>
    Buffer.from(openPrivateKey(of).export({ format: 'jwk' }).d ?? '', 'base64url')

  test('a public point that came with the key is not believed', async () => {
    const other = await generate()
    expect(accept(withScalar(key, scalarOf(other)))).toEqual(other)
  })

  test('a private number of zero, or above the order, is not taken', () => {
    expect(accept(withScalar(key, Buffer.alloc(size)))).toBeNull()
    expect(accept(withScalar(key, Buffer.alloc(size, 0xff)))).toBeNull()
  })

  test('a private number of any other length is not taken', () => {
    // Some random numbers hold, at their front, the length of a shorter one (81 1f on P-256).
    const fixed = withScalar(key, Buffer.alloc(size, 1))
    expect(accept(fixed)).not.toBeNull()
    for (let length = 0; length < 256; length += 1) {
      const relabelled = Buffer.from(fixed)
      relabelled[scalarStart(key) - 1] = length
      if (length !== size) expect(accept(relabelled)).toBeNull()
    }
  })

  test('a private number with leading zeros keeps them', () => {
    const one = Buffer.alloc(size)
    one[size - 1] = 1
    const accepted = accept(withScalar(key, one))
    expect(accepted).toHaveLength(key.length)
    expect(accepted && scalarOf(accepted)).toEqual(one)
  })
})
