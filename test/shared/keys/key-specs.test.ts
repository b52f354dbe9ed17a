import { createPublicKey } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import {
  type KeyDescription,
  keySpec,
  requireAlgorithm,
  requireSupportedKey,
} from '../../../shared/keys/key-specs.ts'
import { KEY_SPECS } from '../../../shared/store/records.ts'

const offered = KEY_SPECS.filter((spec) => keySpec(spec).offered)

test('Every spec but SM2 is offered, and is found by its name', () => {
  expect(offered).toEqual(KEY_SPECS.filter((spec) => spec !== 'SM2'))
  for (const spec of KEY_SPECS) expect(keySpec(spec).spec).toBe(spec)
})

test('SM2 is known, and never made', async () => {
  await expect(keySpec('SM2').generate()).rejects.toThrow()
  expect(keySpec('SM2').accept(Buffer.alloc(32))).toBeNull()
})

/** Bytes of the material, of the public key as SPKI, and what can be done (AWS KMS Developer Guide, "Key spec reference"). */
describe.each([
  ['SYMMETRIC_DEFAULT', 32, null, { ENCRYPT_DECRYPT: 1 }],
  ['RSA_2048', null, 294, { ENCRYPT_DECRYPT: 2, SIGN_VERIFY: 6 }],
  ['RSA_3072', null, 422, { ENCRYPT_DECRYPT: 2, SIGN_VERIFY: 6 }],
  ['RSA_4096', null, 550, { ENCRYPT_DECRYPT: 2, SIGN_VERIFY: 6 }],
  ['ECC_NIST_P256', 150, 91, { SIGN_VERIFY: 1, KEY_AGREEMENT: 1 }],
  ['ECC_NIST_P384', 194, 120, { SIGN_VERIFY: 1, KEY_AGREEMENT: 1 }],
  ['ECC_NIST_P521', 250, 158, { SIGN_VERIFY: 1, KEY_AGREEMENT: 1 }],
  ['ECC_SECG_P256K1', 144, 88, { SIGN_VERIFY: 1 }],
  ['ECC_NIST_EDWARDS25519', 48, 44, { SIGN_VERIFY: 2 }],
  ['HMAC_224', 28, null, { GENERATE_VERIFY_MAC: 1 }],
  ['HMAC_256', 32, null, { GENERATE_VERIFY_MAC: 1 }],
  ['HMAC_384', 48, null, { GENERATE_VERIFY_MAC: 1 }],
  ['HMAC_512', 64, null, { GENERATE_VERIFY_MAC: 1 }],
  ['ML_DSA_44', 54, 1334, { SIGN_VERIFY: 1 }],
  ['ML_DSA_65', 54, 1974, { SIGN_VERIFY: 1 }],
  ['ML_DSA_87', 54, 2614, { SIGN_VERIFY: 1 }],
  ['ML_KEM_512', 86, 822, { ENCAPSULATE_DECAPSULATE: 1 }],
  ['ML_KEM_768', 86, 1206, { ENCAPSULATE_DECAPSULATE: 1 }],
  ['ML_KEM_1024', 86, 1590, { ENCAPSULATE_DECAPSULATE: 1 }],
] as const)('A new key of spec %s', async (spec, length, publicLength, algorithms) => {
  const entry = keySpec(spec)
  const material = await entry.generate()
  const key = entry.open(material)

  test('has the size that AWS gives it', () => {
    if (length !== null) expect(material).toHaveLength(length)
    expect(key.type).toBe(publicLength === null ? 'secret' : 'private')
    if (publicLength === null) return
    const spki = createPublicKey(key).export({ type: 'spki', format: 'der' })
    expect(spki).toHaveLength(publicLength)
  })

  test('is another one every time', async () => {
    expect(await entry.generate()).not.toEqual(material)
  })

  test('is imported as it is where it can be', () => {
    const accepted = entry.accept(material)
    expect(accepted).toEqual(entry.importable ? material : null)
    expect(accepted).not.toBe(material)
  })

  test('is for what AWS makes it for', () => {
    const counts = Object.entries(entry.algorithms).map(([usage, each]) => [usage, each.length])
    expect(Object.fromEntries(counts)).toEqual(algorithms)
    expect(entry.usages).toEqual(Object.keys(algorithms))
  })
})

test('RSA keys have the usual public exponent', async () => {
  const key = keySpec('RSA_2048').open(await keySpec('RSA_2048').generate())
  expect(key.asymmetricKeyDetails).toEqual({ modulusLength: 2048, publicExponent: 65_537n })
})

test.each([
  ['SYMMETRIC_DEFAULT', 32, 32],
  ['HMAC_224', 28, 128],
  ['HMAC_256', 32, 128],
  ['HMAC_384', 48, 128],
  ['HMAC_512', 64, 128],
] as const)('%s takes %i to %i bytes from elsewhere', (spec, least, most) => {
  const { accept } = keySpec(spec)
  for (const length of [least, most]) {
    expect(accept(Buffer.alloc(length, 1))).toEqual(Buffer.alloc(length, 1))
  }
  for (const length of [0, least - 1, most + 1]) expect(accept(Buffer.alloc(length))).toBeNull()
})

test('An algorithm must be one of the usage that the key is for', () => {
  requireAlgorithm('RSA_2048', 'ENCRYPT_DECRYPT', 'RSAES_OAEP_SHA_1')
  expect(() => requireAlgorithm('RSA_2048', 'SIGN_VERIFY', 'RSAES_OAEP_SHA_1')).toThrow(
    'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec RSA_2048.',
  )
  expect(() => requireAlgorithm('ECC_NIST_P256', 'SIGN_VERIFY', 'ECDSA_SHA_384')).toThrow()
})

describe('A new key', () => {
  const refusal = (description: KeyDescription) => {
    try {
      requireSupportedKey(description)
    } catch (error) {
      const { code, text } = error as { code: string; text?: string }
      return text === undefined ? [code] : [code, text]
    }
    return null
  }

  test('is symmetric unless told otherwise', () => {
    expect(requireSupportedKey({})).toEqual({
      keySpec: 'SYMMETRIC_DEFAULT',
      keyUsage: 'ENCRYPT_DECRYPT',
      origin: 'AWS_KMS',
    })
  })

  test.each(offered)('of spec %s is made for each of its usages', (spec) => {
    for (const KeyUsage of keySpec(spec).usages) {
      for (const named of [{ KeySpec: spec }, { CustomerMasterKeySpec: spec }]) {
        expect(requireSupportedKey({ ...named, KeyUsage })).toEqual({
          keySpec: spec,
          keyUsage: KeyUsage,
          origin: 'AWS_KMS',
        })
      }
    }
  })

  test.each(offered)('of spec %s is for nothing else', (KeySpec) => {
    const every = [
      'ENCRYPT_DECRYPT',
      'SIGN_VERIFY',
      'GENERATE_VERIFY_MAC',
      'KEY_AGREEMENT',
      'ENCAPSULATE_DECAPSULATE',
    ] as const
    for (const KeyUsage of every.filter((each) => !keySpec(KeySpec).usages.includes(each))) {
      expect(refusal({ KeySpec, KeyUsage })).toEqual([
        'ValidationException',
        `KeyUsage ${KeyUsage} is not compatible with KeySpec ${KeySpec}`,
      ])
    }
  })

  test.each(KEY_SPECS)('of spec %s names its usage unless it is symmetric', (KeySpec) => {
    expect(refusal({ KeySpec })).toEqual(
      KeySpec === 'SYMMETRIC_DEFAULT'
        ? null
        : [
            'ValidationException',
            'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
          ],
    )
  })

  test.each(offered)('of spec %s is imported, or that is refused by name', (KeySpec) => {
    const [KeyUsage = 'SIGN_VERIFY'] = keySpec(KeySpec).usages
    expect(refusal({ KeySpec, KeyUsage, Origin: 'EXTERNAL' })).toEqual(
      /^ML_/.test(KeySpec)
        ? ['ValidationException', `KeySpec ${KeySpec} is not supported for Origin EXTERNAL`]
        : null,
    )
  })

  test('has one spec, not two', () => {
    expect(refusal({ KeySpec: 'RSA_2048', CustomerMasterKeySpec: 'RSA_2048' })).toEqual([
      'ValidationException',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    ])
  })

  test('of spec SM2 is not made here', () => {
    for (const KeyUsage of keySpec('SM2').usages) {
      expect(refusal({ KeySpec: 'SM2', KeyUsage })).toEqual(['UnsupportedOperationException'])
    }
  })
})
