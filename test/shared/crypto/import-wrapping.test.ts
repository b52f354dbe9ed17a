import { generateKeyPairSync, publicEncrypt, randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  IMPORT_WRAPPINGS,
  unwrapMaterialForImport,
} from '../../../shared/crypto/import-wrapping.ts'
import { wrapForImport, wrapPadded } from '../../support/import.ts'

const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PublicKey = publicKey.export({ type: 'spki', format: 'der' })
const material = randomBytes(32)
const wrapped = (algorithm: (typeof IMPORT_WRAPPINGS)[number], bytes: Uint8Array = material) =>
  wrapForImport({ PublicKey, algorithm }, bytes)

describe.for(IMPORT_WRAPPINGS)('%s', (wrapping) => {
  test('brings material', () => {
    expect(unwrapMaterialForImport(privateKey, wrapping, wrapped(wrapping))).toEqual(material)
  })

  test('opens under no other name', () => {
    for (const other of IMPORT_WRAPPINGS.filter((each) => each !== wrapping)) {
      expect(unwrapMaterialForImport(privateKey, other, wrapped(wrapping))).toBeNull()
    }
  })

  test('opens with no other key', () => {
    const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    expect(unwrapMaterialForImport(other, wrapping, wrapped(wrapping))).toBeNull()
  })

  test('is refused when cut, prolonged or changed anywhere', () => {
    const whole = wrapped(wrapping)
    const spoiled = [
      Buffer.alloc(0),
      whole.subarray(1),
      whole.subarray(0, -1),
      Buffer.concat([whole, Buffer.of(0)]),
      Buffer.concat([Buffer.of(0), whole]),
      ...[0, 100, 255, whole.length - 1].map((at) => {
        const changed = Buffer.from(whole)
        changed[at] = (changed[at] ?? 0) ^ 1
        return changed
      }),
    ]
    for (const bytes of spoiled) {
      expect(unwrapMaterialForImport(privateKey, wrapping, bytes)).toBeNull()
    }
  })
})

test('A block with PKCS #1 v1.5 padding opens as nothing', () => {
  const block = publicEncrypt({ key: publicKey, padding: 1 }, material)
  for (const wrapping of IMPORT_WRAPPINGS) {
    expect(unwrapMaterialForImport(privateKey, wrapping, block)).toBeNull()
  }
})

test.for([0, 16, 24, 31, 33])('The AES key between must not have %i bytes', (length) => {
  const aesKey = randomBytes(33).subarray(0, length)
  const filled = Buffer.concat([aesKey, Buffer.alloc(32)]).subarray(0, 32)
  const both = Buffer.concat([wrapped('RSAES_OAEP_SHA_256', aesKey), wrapPadded(filled, material)])
  expect(unwrapMaterialForImport(privateKey, 'RSA_AES_KEY_WRAP_SHA_256', both)).toBeNull()
})
