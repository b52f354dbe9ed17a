import { createPublicKey } from 'node:crypto'
import { GetPublicKeyCommand } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  caller,
  describeNaming,
  describeStates,
  type KeyOperation,
  refusedWith,
  violations,
} from '../../support/key-operation.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const plan = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
const operation: KeyOperation = {
  target: stack,
  kms,
  name: 'GetPublicKey',
  key: await givenKey(kms, plan),
  plan,
  input: {},
  takesDisabled: true,
}
const getPublicKey = caller(operation)

const rsa = {
  EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'],
  SigningAlgorithms: [
    'RSASSA_PKCS1_V1_5_SHA_256',
    'RSASSA_PKCS1_V1_5_SHA_384',
    'RSASSA_PKCS1_V1_5_SHA_512',
    'RSASSA_PSS_SHA_256',
    'RSASSA_PSS_SHA_384',
    'RSASSA_PSS_SHA_512',
  ],
}

test.each([
  ['RSA_2048', 'ENCRYPT_DECRYPT', 'EncryptionAlgorithms', rsa.EncryptionAlgorithms, 'rsa', 294],
  ['RSA_2048', 'SIGN_VERIFY', 'SigningAlgorithms', rsa.SigningAlgorithms, 'rsa', 294],
  ['ECC_NIST_P256', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256'], 'ec', 91],
  ['ECC_NIST_P384', 'KEY_AGREEMENT', 'KeyAgreementAlgorithms', ['ECDH'], 'ec', 120],
  ['ECC_NIST_P521', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_512'], 'ec', 158],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', 'SigningAlgorithms', ['ECDSA_SHA_256'], 'ec', 88],
  [
    'ECC_NIST_EDWARDS25519',
    'SIGN_VERIFY',
    'SigningAlgorithms',
    ['ED25519_PH_SHA_512', 'ED25519_SHA_512'],
    'ed25519',
    44,
  ],
  ['ML_DSA_65', 'SIGN_VERIFY', 'SigningAlgorithms', ['ML_DSA_SHAKE_256'], 'ml-dsa-65', 1974],
  [
    'ML_KEM_768',
    'ENCAPSULATE_DECAPSULATE',
    'EncapsulationAlgorithms',
    ['ML_KEM'],
    'ml-kem-768',
    1206,
  ],
] as const)('GetPublicKey of %s for %s lists %s', async (...each) => {
  const [KeySpec, KeyUsage, member, algorithms, type, length] = each
  const { keyId, arn } = await givenKey(kms, { KeySpec, KeyUsage })
  const { $metadata, ...answer } = await kms.send(new GetPublicKeyCommand({ KeyId: keyId }))
  expect(answer).toEqual({
    KeyId: arn,
    PublicKey: expect.any(Uint8Array),
    CustomerMasterKeySpec: KeySpec,
    KeySpec,
    KeyUsage,
    [member]: algorithms,
  })
  expect(answer.PublicKey).toHaveLength(length)
  const key = Buffer.from(answer.PublicKey ?? [])
  const parsed = createPublicKey({ key, format: 'der', type: 'spki' })
  expect(parsed.asymmetricKeyType).toBe(type)
  expect(parsed.export({ format: 'der', type: 'spki' })).toEqual(key)
})

test('The public key of a key is always the same, and no other key has it', async () => {
  const [first, second] = [await getPublicKey(), await getPublicKey()]
  expect(first).toEqual(second)
  const other = await getPublicKey({ KeyId: (await givenKey(kms, plan)).keyId })
  const publicKeys = [first, other].map(({ json }) => (json as { PublicKey: string }).PublicKey)
  expect(new Set(publicKeys).size).toBe(2)
})

describeNaming(operation)
describeStates(operation)

describe('GetPublicKey refuses', () => {
  test.each([{}, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }] as const)(
    'a key that has none: %o',
    async (made) => {
      const { keyId } = await givenKey(kms, made)
      expect(await getPublicKey({ KeyId: keyId })).toEqual(
        refusedWith('UnsupportedOperationException'),
      )
    },
  )

  test('the state before the spec', async () => {
    const { keyId, arn } = await givenKey(kms)
    await callKms(stack, 'ScheduleKeyDeletion', { KeyId: keyId })
    expect(await getPublicKey({ KeyId: keyId })).toEqual(
      refusedWith('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test('to guess a key', async () => {
    expect(jsonOf(await callKms(stack, 'GetPublicKey', {}))).toEqual(
      violations("Value null at 'keyId' must not be null"),
    )
  })
})
