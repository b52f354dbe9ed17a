import { createPrivateKey, createPublicKey } from 'node:crypto'
import {
  DecryptCommand,
  DisableKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { describeKeyUse, dryRunSucceeded } from '../../support/key-use.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)
const rsa = await givenKey(kms, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
const EncryptionContext = { team: 'payments' }

const withPlaintext = (input: object = {}) =>
  kms.send(
    new GenerateDataKeyPairCommand({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256', ...input }),
  )
const withoutPlaintext = (input: object = {}) =>
  kms.send(
    new GenerateDataKeyPairWithoutPlaintextCommand({
      KeyId: key.keyId,
      KeyPairSpec: 'ECC_NIST_P256',
      ...input,
    }),
  )
const both = [
  ['GenerateDataKeyPair', withPlaintext],
  ['GenerateDataKeyPairWithoutPlaintext', withoutPlaintext],
] as const

const buffer = (bytes: Uint8Array | undefined): Buffer => Buffer.from(bytes ?? [])
const publicHalf = (pkcs8: Buffer): Buffer =>
  createPublicKey(createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })).export({
    format: 'der',
    type: 'spki',
  })

/** By spec: Node's name of the algorithm, and the bytes of PKCS#8 (of RSA about as many) and of SubjectPublicKeyInfo. */
const specs = [
  ['RSA_2048', 'rsa', 1217, 294],
  ['RSA_3072', 'rsa', 1793, 422],
  ['RSA_4096', 'rsa', 2374, 550],
  ['ECC_NIST_P256', 'ec', 150, 91],
  ['ECC_NIST_P384', 'ec', 194, 120],
  ['ECC_NIST_P521', 'ec', 250, 158],
  ['ECC_SECG_P256K1', 'ec', 144, 88],
  ['ECC_NIST_EDWARDS25519', 'ed25519', 48, 44],
  ['ML_KEM_512', 'ml-kem-512', 86, 822],
  ['ML_KEM_768', 'ml-kem-768', 86, 1206],
  ['ML_KEM_1024', 'ml-kem-1024', 86, 1590],
] as const

test.each(specs)(
  'GenerateDataKeyPair gives a pair of %s, whose private key Decrypt gives back',
  async (KeyPairSpec, type, privateLength, publicLength) => {
    const { $metadata: _, ...answer } = await withPlaintext({ KeyPairSpec, EncryptionContext })
    expect(answer).toEqual({
      KeyId: key.arn,
      KeyMaterialId: key.materialId,
      KeyPairSpec,
      PrivateKeyCiphertextBlob: expect.any(Uint8Array),
      PrivateKeyPlaintext: expect.any(Uint8Array),
      PublicKey: expect.any(Uint8Array),
    })
    const privateKey = buffer(answer.PrivateKeyPlaintext)
    const opened = createPrivateKey({ key: privateKey, format: 'der', type: 'pkcs8' })
    expect(opened.asymmetricKeyType).toBe(type)
    if (type === 'rsa') {
      expect(Math.abs(privateKey.length - privateLength)).toBeLessThan(6)
      expect(opened.asymmetricKeyDetails).toEqual({
        modulusLength: Number(KeyPairSpec.slice(4)),
        publicExponent: 65_537n,
      })
    } else {
      expect(privateKey).toHaveLength(privateLength)
    }
    expect(buffer(answer.PublicKey)).toEqual(publicHalf(privateKey))
    expect(answer.PublicKey).toHaveLength(publicLength)
    const { PrivateKeyCiphertextBlob: CiphertextBlob } = answer
    expect(buffer(CiphertextBlob)).toHaveLength(privateKey.length + 133)
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
    expect(buffer(Plaintext)).toEqual(privateKey)
    const elsewhere = kms.send(new DecryptCommand({ CiphertextBlob }))
    expect(await refusalOf(elsewhere)).toEqual(refused('InvalidCiphertextException', null))
  },
)

test('GenerateDataKeyPairWithoutPlaintext gives the same without the private key', async () => {
  const { $metadata: _, ...answer } = await withoutPlaintext({ EncryptionContext })
  expect(answer).toEqual({
    KeyId: key.arn,
    KeyMaterialId: key.materialId,
    KeyPairSpec: 'ECC_NIST_P256',
    PrivateKeyCiphertextBlob: expect.any(Uint8Array),
    PublicKey: expect.any(Uint8Array),
  })
  const { Plaintext } = await kms.send(
    new DecryptCommand({ CiphertextBlob: answer.PrivateKeyCiphertextBlob, EncryptionContext }),
  )
  expect(publicHalf(buffer(Plaintext))).toEqual(buffer(answer.PublicKey))
})

describe.each(both)('%s', (operation, generate) => {
  const attempt = (input: object) => refusalOf(generate(input))

  const input = { KeyPairSpec: 'ECC_NIST_P256' }
  describeKeyUse({ target: stack, kms, key, plan: {}, name: operation, input }, [
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
    { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
  ])

  test('gives another pair every time', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => generate()))
    const keys = answers.map(({ PublicKey }) => buffer(PublicKey).toString('hex'))
    expect(new Set(keys).size).toBe(10)
  })

  test('refuses RSA keys, though they encrypt, but only once their state is told', async () => {
    expect(await attempt({ KeyId: rsa.keyId, KeyPairSpec: 'SM2' })).toEqual(
      refused(
        'InvalidKeyUsageException',
        'You cannot generate a data key pair with an asymmetric CMK',
      ),
    )
    const made = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
    const { keyId: KeyId, arn } = await givenKey(kms, made)
    await kms.send(new DisableKeyCommand({ KeyId }))
    expect(await attempt({ KeyId })).toEqual(refused('DisabledException', `${arn} is disabled.`))
  })

  test('makes no pair of SM2, in a dry run neither', async () => {
    const unsupported = refused('UnsupportedOperationException', null)
    expect(await attempt({ KeyPairSpec: 'SM2' })).toEqual(unsupported)
    expect(await attempt({ KeyPairSpec: 'SM2', DryRun: true })).toEqual(unsupported)
  })

  test('can be tried with the spec that takes longest', async () => {
    expect(await attempt({ KeyPairSpec: 'RSA_4096', DryRun: true })).toEqual(dryRunSucceeded)
  })

  test('refuses an encryption context that is too large, in a dry run too', async () => {
    const large = { EncryptionContext: { a: 'x'.repeat(9000) } }
    expect((await attempt(large)).name).toBe('ValidationException')
    expect((await attempt({ ...large, DryRun: true })).name).toBe('ValidationException')
  })

  test('tells broken constraints, all in one sentence', async () => {
    const { json } = jsonOf(await callKms(stack, operation, { KeyId: '' }))
    const { __type, message } = json as { __type: string; message: string }
    expect(__type).toBe('ValidationException')
    expect(message.split(/: (?=Value)|; /).sort()).toEqual([
      '3 validation errors detected',
      "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
      "Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
      "Value null at 'keyPairSpec' failed to satisfy constraint: Member must not be null",
    ])
  })
})
