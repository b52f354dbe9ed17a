import { createSecretKey } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encryptAesGcm } from '../../../shared/crypto/aes-gcm.ts'
import {
  type BlobAddress,
  openCiphertextBlob,
  parseCiphertextBlob,
  sealCiphertextBlob,
} from '../../../shared/crypto/ciphertext-blob.ts'
import { encodeEncryptionContext } from '../../../shared/crypto/encryption-context.ts'
import { deriveBytes } from '../../../shared/crypto/kdf.ts'
import { parseAccountId, parseKeyId, parseMaterialId } from '../../../shared/ids.ts'
import { hex, vectors } from '../../support/vectors.ts'

interface FrozenBlob {
  readonly name: string
  readonly account: string
  readonly keyId: string
  readonly materialId: string
  readonly material: string
  readonly plaintext: string
  readonly context: Record<string, string>
  readonly blob: string
}

const frozen = vectors<FrozenBlob[]>('ciphertext-blob-v1.json')

const material = createSecretKey(Buffer.alloc(32, 9))
const context = { purpose: 'test', tenant: 'payments' }
const plaintext = Buffer.from('a data key of 32 bytes for tests')
const address = addressOf(
  '111122223333',
  '1234abcd-12ab-34cd-56ef-1234567890ab',
  '0123456789abcdef'.repeat(4),
)

function addressOf(account: string, keyId: string, materialId: string): BlobAddress {
  const parsed = {
    account: parseAccountId(account),
    keyId: parseKeyId(keyId),
    materialId: parseMaterialId(materialId),
  }
  if (parsed.account === null || parsed.keyId === null || parsed.materialId === null) {
    throw new Error('not an address')
  }
  return parsed as BlobAddress
}

const hexOf = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const uuid = hexOf(32).map(
  (digits) =>
    `${digits.slice(0, 8)}-${digits.slice(8, 12)}-${digits.slice(12, 16)}-${digits.slice(16, 20)}-${digits.slice(20)}`,
)
const addresses = fc
  .tuple(
    fc.integer({ min: 0, max: 999_999_999_999 }).map((number) => String(number).padStart(12, '0')),
    fc.oneof(
      uuid,
      hexOf(32).map((digits) => `mrk-${digits}`),
    ),
    hexOf(64),
  )
  .map(([account, keyId, materialId]) => addressOf(account, keyId, materialId))
const contexts = fc.dictionary(fc.string(), fc.string(), { maxKeys: 4 })

/** Parses and opens, as Decrypt does. */
function openBytes(bytes: Uint8Array, under = context): Buffer | null {
  const blob = parseCiphertextBlob(bytes)
  return blob === null ? null : openCiphertextBlob(blob, material, under)
}

test.each(frozen)('opens what was encrypted when the layout was frozen: $name', (each) => {
  const blob = parseCiphertextBlob(hex(each.blob))
  expect(blob).toMatchObject({
    account: each.account,
    keyId: each.keyId,
    materialId: each.materialId,
  })
  const opened = blob && openCiphertextBlob(blob, createSecretKey(hex(each.material)), each.context)
  expect(opened).toEqual(hex(each.plaintext))
})

test('opening inverts sealing, and parsing finds the address', () => {
  fc.assert(
    fc.property(addresses, fc.uint8Array({ maxLength: 4096 }), contexts, (where, secret, pairs) => {
      const bytes = sealCiphertextBlob(where, material, secret, pairs)
      const blob = parseCiphertextBlob(bytes)
      expect(blob).toEqual({ ...where, bytes })
      expect(blob && openCiphertextBlob(blob, material, pairs)).toEqual(Buffer.from(secret))
    }),
  )
})

test('a blob is laid out as its file says, all of it computable from nonce and IV', () => {
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  const [nonce, iv] = [bytes.subarray(57, 73), bytes.subarray(73, 85)]
  const derived = deriveBytes(material, 'keyhold ciphertext blob v1', nonce, 64)
  const header = Buffer.concat([
    hex(`0101${(111122223333).toString(16).padStart(12, '0')}00`),
    hex('1234abcd12ab34cd56ef1234567890ab'),
    hex('0123456789abcdef'.repeat(4)),
    nonce,
    iv,
    derived.subarray(32),
  ])
  const aad = Buffer.concat([header, encodeEncryptionContext(context)])
  const messageKey = createSecretKey(derived.subarray(0, 32))
  const { ciphertext, tag } = encryptAesGcm(messageKey, iv, aad, plaintext)
  expect(bytes).toEqual(Buffer.concat([header, ciphertext, tag]))
})

test('a blob of the longest plaintext that KMS takes fits into what Decrypt takes', () => {
  const bytes = sealCiphertextBlob(address, material, Buffer.alloc(4096), context)
  expect(bytes).toHaveLength(4229)
  expect(bytes.length).toBeLessThanOrEqual(6144)
})

test('what is sealed can be parsed up to the longest, and longer plaintexts are refused', () => {
  const longest = sealCiphertextBlob(address, material, Buffer.alloc(6011), context)
  expect(openBytes(longest)).toEqual(Buffer.alloc(6011))
  expect(() => sealCiphertextBlob(address, material, Buffer.alloc(6012), context)).toThrow(
    RangeError,
  )
  expect(parseCiphertextBlob(Buffer.concat([longest, Buffer.alloc(1)]))).toBeNull()
})

test('two blobs of the same plaintext share nothing but the address', () => {
  const [one, other] = [0, 1].map(() => sealCiphertextBlob(address, material, plaintext, context))
  expect(one?.subarray(0, 57)).toEqual(other?.subarray(0, 57))
  for (const [start, end] of [
    [57, 73],
    [73, 85],
    [85, 117],
    [117, 149],
    [149, 165],
  ]) {
    expect(one?.subarray(start, end)).not.toEqual(other?.subarray(start, end))
  }
})

test('a blob with any single bit changed does not open', () => {
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const spoiled = Buffer.from(bytes)
    spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    expect(openBytes(spoiled), `bit ${bit}`).toBeNull()
  }
})

test('a blob that was cut at any length, or continued, does not open', () => {
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  for (let length = 0; length < bytes.length; length++) {
    expect(openBytes(bytes.subarray(0, length)), `${length} bytes`).toBeNull()
  }
  expect(openBytes(Buffer.concat([bytes, Buffer.alloc(1)]))).toBeNull()
  expect(openBytes(bytes)).toEqual(plaintext)
})

test('a blob opens under no other encryption context', () => {
  fc.assert(
    fc.property(contexts, contexts, (one, other) => {
      fc.pre(!encodeEncryptionContext(one).equals(encodeEncryptionContext(other)))
      const blob = parseCiphertextBlob(sealCiphertextBlob(address, material, plaintext, one))
      expect(blob && openCiphertextBlob(blob, material, other)).toBeNull()
    }),
  )
})

test('a blob does not open under other material', () => {
  const blob = parseCiphertextBlob(sealCiphertextBlob(address, material, plaintext, context))
  const other = createSecretKey(Buffer.alloc(32, 8))
  expect(blob).not.toBeNull()
  expect(blob && openCiphertextBlob(blob, other, context)).toBeNull()
})

test('bytes of another version, suite, form of key id or account are not ours', () => {
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  const spoil = (offset: number, value: Buffer): Buffer => {
    const spoiled = Buffer.from(bytes)
    spoiled.set(value, offset)
    return spoiled
  }
  expect(parseCiphertextBlob(spoil(0, Buffer.of(0)))).toBeNull()
  expect(parseCiphertextBlob(spoil(0, Buffer.of(2)))).toBeNull()
  expect(parseCiphertextBlob(spoil(1, Buffer.of(0)))).toBeNull()
  expect(parseCiphertextBlob(spoil(1, Buffer.of(2)))).toBeNull() // as blobs of AWS KMS begin
  expect(parseCiphertextBlob(spoil(2, Buffer.alloc(6, 0xff)))).toBeNull() // 15 digits
  expect(parseCiphertextBlob(spoil(8, Buffer.of(2)))).toBeNull()
  expect(parseCiphertextBlob(bytes)).not.toBeNull()
})

test('parsing takes any bytes without failing', () => {
  const header = fc.constantFrom(Buffer.of(1, 1), Buffer.alloc(0))
  fc.assert(
    fc.property(header, fc.uint8Array({ maxLength: 300 }), (start, rest) => {
      const bytes = Buffer.concat([start, rest])
      const blob = parseCiphertextBlob(bytes)
      expect(blob && openCiphertextBlob(blob, material, {})).toBeNull()
    }),
    { numRuns: 1000 },
  )
})

test('an address that was parsed is encoded as the same bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 133, maxLength: 133 }), fc.nat(1), (random, form) => {
      const bytes = Buffer.from(random)
      bytes.set([1, 1], 0)
      bytes[2] = 0
      bytes[8] = form
      const blob = parseCiphertextBlob(bytes)
      fc.pre(blob !== null)
      const again = sealCiphertextBlob(blob, material, plaintext, {})
      expect(again.subarray(0, 57)).toEqual(bytes.subarray(0, 57))
    }),
  )
})

test('parses bytes that lie in the middle of a larger buffer', () => {
  const bytes = sealCiphertextBlob(address, material, plaintext, context)
  const around = Buffer.concat([Buffer.alloc(7, 0xee), bytes, Buffer.alloc(7, 0xee)])
  expect(openBytes(around.subarray(7, 7 + bytes.length))).toEqual(plaintext)
  expect(openBytes(new Uint8Array(bytes))).toEqual(plaintext)
})
