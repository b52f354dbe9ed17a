import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decryptAesGcm, encryptAesGcm } from '../../../shared/crypto/aes-gcm.ts'
import { deriveBytes } from '../../../shared/crypto/kdf.ts'
import { open, seal } from '../../../shared/crypto/sealed-box.ts'
import { makeTwoKeyCiphertext } from '../../support/two-key-ciphertext.ts'
import { hex, vectors } from '../../support/vectors.ts'

const frozen =
  vectors<
    { name: string; key: string; label: string; plaintext: string; aad: string; sealed: string }[]
  >('sealed-box-v1.json')

const key = createSecretKey(Buffer.alloc(32, 1))
const otherKey = createSecretKey(Buffer.alloc(32, 2))
const plaintext = Buffer.from('a secret of thirty-two bytes, ok')
const aad = Buffer.from('where it belongs')

test.each(frozen)('opens what was sealed when the layout was frozen: $name', (each) => {
  const secret = createSecretKey(hex(each.key))
  const opened = open(secret, each.label, hex(each.sealed), hex(each.aad))
  expect(opened).toEqual(hex(each.plaintext))
})

test('open inverts seal', () => {
  const bytes = fc.uint8Array({ maxLength: 600 })
  fc.assert(
    fc.property(bytes, bytes, (secret, place) => {
      const sealed = seal(key, 'label', secret, place)
      expect(sealed).toHaveLength(77 + secret.length)
      expect(open(key, 'label', sealed, place)).toEqual(Buffer.from(secret))
    }),
  )
})

test('a box is version, nonce, IV, commitment, ciphertext and tag, all of it computable from nonce and IV', () => {
  const sealed = seal(key, 'label', plaintext, aad)
  const [nonce, iv] = [sealed.subarray(1, 17), sealed.subarray(17, 29)]
  const derived = deriveBytes(key, 'label', nonce, 64)
  const header = Buffer.concat([Buffer.of(1), nonce, iv, derived.subarray(32)])
  const messageKey = createSecretKey(derived.subarray(0, 32))
  const { ciphertext, tag } = encryptAesGcm(messageKey, iv, Buffer.concat([header, aad]), plaintext)
  expect(sealed).toEqual(Buffer.concat([header, ciphertext, tag]))
})

test('a box of another version is refused, even where everything else fits', () => {
  const [nonce, iv] = [Buffer.alloc(16, 3), Buffer.alloc(12, 4)]
  const derived = deriveBytes(key, 'label', nonce, 64)
  const messageKey = createSecretKey(derived.subarray(0, 32))
  const boxOf = (version: number): Buffer => {
    const header = Buffer.concat([Buffer.of(version), nonce, iv, derived.subarray(32)])
    const sealed = encryptAesGcm(messageKey, iv, Buffer.concat([header, aad]), plaintext)
    return Buffer.concat([header, sealed.ciphertext, sealed.tag])
  }
  expect(open(key, 'label', boxOf(1), aad)).toEqual(plaintext)
  expect(open(key, 'label', boxOf(0), aad)).toBeNull()
  expect(open(key, 'label', boxOf(2), aad)).toBeNull()
})

test('nonce and IV are new for every box', () => {
  const starts = Array.from({ length: 2000 }, () => seal(key, 'label', plaintext, aad))
  expect(new Set(starts.map((box) => box.toString('hex', 1, 17))).size).toBe(2000)
  expect(new Set(starts.map((box) => box.toString('hex', 17, 29))).size).toBe(2000)
})

test('a box with any single bit changed does not open', () => {
  const sealed = seal(key, 'label', plaintext, aad)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const spoiled = Buffer.from(sealed)
    spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(open(key, 'label', spoiled, aad), `bit ${bit}`).toBeNull()
  }
})

test('a box that was cut or continued does not open', () => {
  const sealed = seal(key, 'label', plaintext, aad)
  for (let length = 0; length < sealed.length; length++) {
    expect(open(key, 'label', sealed.subarray(0, length), aad), `${length} bytes`).toBeNull()
  }
  expect(open(key, 'label', Buffer.concat([sealed, Buffer.alloc(1)]), aad)).toBeNull()
})

test('a box opens under its key, label and AAD only', () => {
  const sealed = seal(key, 'label', plaintext, aad)
  expect(open(otherKey, 'label', sealed, aad)).toBeNull()
  expect(open(key, 'labe', sealed, aad)).toBeNull()
  expect(open(key, 'label', sealed, Buffer.concat([aad, Buffer.of(0)]))).toBeNull()
  expect(open(key, 'label', sealed, Buffer.alloc(0))).toBeNull()
  expect(open(key, 'label', sealed, aad)).toEqual(plaintext)
})

test('what is opened has memory of its own, so that wiping it touches nothing else', () => {
  expect(open(key, 'label', seal(key, 'label', plaintext, aad), aad)?.buffer.byteLength).toBe(32)
})

test('a ciphertext made to open under two keys opens under neither but the one committed to', () => {
  const [nonce, iv] = [Buffer.alloc(16, 3), Buffer.alloc(12, 4)]
  const derived = [key, otherKey].map((each) => deriveBytes(each, 'label', nonce, 64))
  const [one, other] = derived as [Buffer, Buffer]
  const keys = [
    createSecretKey(one.subarray(0, 32)),
    createSecretKey(other.subarray(0, 32)),
  ] as const
  const header = Buffer.concat([Buffer.of(1), nonce, iv, one.subarray(32)])
  const fullAad = Buffer.concat([header, aad])
  const { ciphertext, tag } = makeTwoKeyCiphertext(keys, iv, [fullAad, fullAad])

  // GCM alone takes it under both.
  expect(decryptAesGcm(keys[0], iv, fullAad, ciphertext, tag)).not.toBeNull()
  expect(decryptAesGcm(keys[1], iv, fullAad, ciphertext, tag)).not.toBeNull()
  const box = Buffer.concat([header, ciphertext, tag])
  expect(open(key, 'label', box, aad)).not.toBeNull()
  expect(open(otherKey, 'label', box, aad)).toBeNull()
})
