import { createPublicKey, hash as sha } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { keySpec } from '../../../shared/keys/key-specs.ts'
import { type MessageType, requireSigning } from '../../../shared/keys/signatures.ts'
import { KEY_SPECS, type KeySpec } from '../../../shared/store/records.ts'

const refusal = (
  spec: KeySpec,
  algorithm: string,
  messageType: MessageType = 'RAW',
  message = Buffer.from('message'),
) => {
  try {
    requireSigning(spec, { algorithm, messageType, message })
  } catch (error) {
    const { code, text } = error as { code: string; text: string }
    return [code, text]
  }
  return null
}

const usage = (text: string) => ['InvalidKeyUsageException', text]
const validation = (text: string) => ['ValidationException', text]
const signing = KEY_SPECS.filter(
  (spec) => keySpec(spec).offered && keySpec(spec).algorithms.SIGN_VERIFY !== undefined,
)
const algorithmsOf = (spec: KeySpec) => keySpec(spec).algorithms.SIGN_VERIFY ?? []
const everyAlgorithm = [...new Set(KEY_SPECS.flatMap(algorithmsOf)), 'SYMMETRIC_DEFAULT']

describe.each(signing)('A key of spec %s', (spec) => {
  test('signs with its own algorithms and with no other', () => {
    for (const algorithm of everyAlgorithm) {
      if (algorithmsOf(spec).includes(algorithm)) continue
      expect(refusal(spec, algorithm)).toEqual(
        usage(`Algorithm ${algorithm} is incompatible with key spec ${spec}.`),
      )
    }
  })

  test('verifies what it signed, whatever kind of message', { timeout: 60_000 }, async () => {
    const privateKey = keySpec(spec).open(await keySpec(spec).generate())
    const publicKey = createPublicKey(privateKey)
    let kinds = 0
    for (const algorithm of algorithmsOf(spec)) {
      for (const messageType of ['RAW', 'DIGEST', 'EXTERNAL_MU'] as const) {
        const bits = messageType === 'DIGEST' ? Number(algorithm.slice(-3)) : 512
        const message = Buffer.alloc(bits / 8, 7)
        if (refusal(spec, algorithm, messageType, message) !== null) continue
        kinds += 1
        const scheme = requireSigning(spec, { algorithm, messageType, message })
        const signature = await scheme.sign(privateKey, message)
        expect(await scheme.verify(publicKey, message, signature)).toBe(true)
        message[0] = 8
        expect(await scheme.verify(publicKey, message, signature)).toBe(false)
      }
    }
    expect(kinds).toBe(spec.startsWith('RSA') ? 12 : 2)
  })
})

describe('A kind of message is refused', () => {
  test.each([
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 'EXTERNAL_MU'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'EXTERNAL_MU'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'EXTERNAL_MU'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'DIGEST'],
  ] as const)('by %s with %s: %s', (spec, algorithm, messageType) => {
    expect(refusal(spec, algorithm, messageType)).toEqual(
      validation(`Message type ${messageType} is incompatible with key spec ${spec}.`),
    )
  })

  test.each([
    ['ED25519_PH_SHA_512', 'RAW'],
    ['ED25519_SHA_512', 'DIGEST'],
  ] as const)('by %s: %s', (algorithm, messageType) => {
    expect(refusal('ECC_NIST_EDWARDS25519', algorithm, messageType)).toEqual(
      validation(`Message type ${messageType} is incompatible with algorithm ${algorithm}.`),
    )
  })
})

describe('A length is refused', () => {
  test.each([
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 32],
    ['RSA_3072', 'RSASSA_PKCS1_V1_5_SHA_384', 48],
    ['RSA_4096', 'RSASSA_PKCS1_V1_5_SHA_512', 64],
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 32],
    ['RSA_2048', 'RSASSA_PSS_SHA_384', 48],
    ['RSA_2048', 'RSASSA_PSS_SHA_512', 64],
    ['ECC_NIST_P256', 'ECDSA_SHA_256', 32],
    ['ECC_NIST_P384', 'ECDSA_SHA_384', 48],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 64],
    ['ECC_SECG_P256K1', 'ECDSA_SHA_256', 32],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 64],
  ] as const)('of digests other than what %s takes for %s: %i bytes', (spec, algorithm, length) => {
    for (const other of [1, length - 1, length + 1, 4096]) {
      expect(refusal(spec, algorithm, 'DIGEST', Buffer.alloc(other))).toEqual(
        validation(`Digest is invalid length for algorithm ${algorithm}.`),
      )
    }
    expect(refusal(spec, algorithm, 'DIGEST', Buffer.alloc(length))).toBeNull()
  })

  test.each(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'] as const)('of mu for %s', (spec) => {
    for (const other of [1, 63, 65]) {
      expect(refusal(spec, 'ML_DSA_SHAKE_256', 'EXTERNAL_MU', Buffer.alloc(other))).toEqual(
        validation('External Mu is invalid length for algorithm ML_DSA_SHAKE_256.'),
      )
    }
  })
})

test('The algorithm is told before the kind of message, and that before the length', () => {
  expect(refusal('ML_DSA_44', 'ECDSA_SHA_256', 'DIGEST')?.[0]).toBe('InvalidKeyUsageException')
  expect(refusal('ML_DSA_44', 'ML_DSA_SHAKE_256', 'DIGEST')?.[1]).toMatch(/^Message type/)
  expect(refusal('ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'DIGEST')?.[1]).toMatch(
    /^Message type/,
  )
})

test('Ed25519ph hashes what it is given once more', async () => {
  const privateKey = keySpec('ECC_NIST_EDWARDS25519').open(
    Buffer.from(
      '302e020100300506032b657004220420833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42',
      'hex',
    ),
  )
  const message = sha('sha512', 'abc', 'buffer')
  const scheme = requireSigning('ECC_NIST_EDWARDS25519', {
    algorithm: 'ED25519_PH_SHA_512',
    messageType: 'DIGEST',
    message,
  })
  // RFC 8032, section 7.3, signs 'abc' itself; its digest is another message.
  const signature = await scheme.sign(privateKey, message)
  expect(signature.toString('hex')).not.toMatch(/^98a70222f0b8121aa9d30f813d683f80/)
})
