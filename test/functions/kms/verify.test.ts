import { SignCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  caller,
  describeDryRun,
  describeNaming,
  describeStates,
  describeUsage,
  type KeyOperation,
  refusedWith,
  violations,
} from '../../support/key-operation.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { changed } from '../../support/signatures.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const plan = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
const key = await givenKey(kms, plan)
const message = Buffer.from('message')
const signed = await kms.send(
  new SignCommand({ KeyId: key.keyId, Message: message, SigningAlgorithm: 'ECDSA_SHA_256' }),
)
const signature = Buffer.from(signed.Signature ?? [])
const operation: KeyOperation = {
  target: stack,
  kms,
  name: 'Verify',
  key,
  plan,
  input: {
    Message: base64(message),
    Signature: base64(signature),
    SigningAlgorithm: 'ECDSA_SHA_256',
  },
}
const verify = caller(operation)
const invalid = refusedWith('KMSInvalidSignatureException')

test('Verify answers that the signature is valid, and with nothing else but key and algorithm', async () => {
  expect(await verify()).toEqual({
    status: 200,
    json: { KeyId: key.arn, SignatureValid: true, SigningAlgorithm: 'ECDSA_SHA_256' },
  })
})

describeNaming(operation)
describeStates(operation)
describeUsage(operation, [
  { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
])
describeDryRun(operation)

describe('Verify refuses without a word', () => {
  test('any change of the signature, whatever its length', async () => {
    await fc.assert(
      fc.asyncProperty(changed(signature), async (other) => {
        if (other.length === 0) return
        expect(await verify({ Signature: base64(other) })).toEqual(invalid)
      }),
      { numRuns: 60 },
    )
  })

  test('any other message', async () => {
    await fc.assert(
      fc.asyncProperty(changed(message), async (other) => {
        if (other.length === 0 || other.length > 4096) return
        expect(await verify({ Message: base64(other) })).toEqual(invalid)
      }),
      { numRuns: 30 },
    )
  })

  test('a signature of another key, and of another kind of message', async () => {
    const { keyId } = await givenKey(kms, plan)
    expect(await verify({ KeyId: keyId })).toEqual(invalid)
    const Message = base64(Buffer.alloc(32))
    expect(await verify({ MessageType: 'DIGEST', Message })).toEqual(invalid)
  })

  test('also in a dry run', async () => {
    expect(await verify({ Signature: 'AAAA', DryRun: true })).toEqual(invalid)
  })

  test.each([
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'RAW'],
    ['RSA_2048', 'RSASSA_PSS_SHA_256', 'DIGEST'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'RAW'],
    ['RSA_2048', 'RSASSA_PKCS1_V1_5_SHA_256', 'DIGEST'],
    ['ECC_NIST_P521', 'ECDSA_SHA_512', 'DIGEST'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_SHA_512', 'RAW'],
    ['ECC_NIST_EDWARDS25519', 'ED25519_PH_SHA_512', 'DIGEST'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'RAW'],
    ['ML_DSA_44', 'ML_DSA_SHAKE_256', 'EXTERNAL_MU'],
  ] as const)('what is no signature at all, of %s with %s, %s', async (...each) => {
    const [KeySpec, SigningAlgorithm, MessageType] = each
    const { keyId: KeyId } = await givenKey(kms, { KeySpec, KeyUsage: 'SIGN_VERIFY' })
    const length = SigningAlgorithm.endsWith('SHA_256') && MessageType === 'DIGEST' ? 32 : 64
    const Message = base64(Buffer.alloc(length))
    for (const size of [1, 63, 64, 65, 255, 256, 257, 2420, 6144]) {
      for (const fill of [0, 0xff]) {
        const Signature = base64(Buffer.alloc(size, fill))
        const input = { KeyId, SigningAlgorithm, MessageType, Message, Signature }
        expect(await verify(input)).toEqual(invalid)
      }
    }
  })
})

describe('Verify refuses', () => {
  test('the algorithm of other key specs', async () => {
    expect(await verify({ SigningAlgorithm: 'ECDSA_SHA_384' })).toEqual(
      refusedWith(
        'InvalidKeyUsageException',
        'Algorithm ECDSA_SHA_384 is incompatible with key spec ECC_NIST_P256.',
      ),
    )
  })

  test('a kind of message, and a digest, that the algorithm does not take', async () => {
    expect(await verify({ MessageType: 'EXTERNAL_MU' })).toEqual(
      refusedWith(
        'ValidationException',
        'Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.',
      ),
    )
    expect(await verify({ MessageType: 'DIGEST', Message: 'AAAA' })).toEqual(
      refusedWith('ValidationException', 'Digest is invalid length for algorithm ECDSA_SHA_256.'),
    )
  })

  test('a grant token that is none', async () => {
    const { json } = await verify({ GrantTokens: ['token'] })
    expect(json).toMatchObject({ __type: 'InvalidGrantTokenException' })
  })
})

test('Verify tells what is missing and what is too long', async () => {
  expect(jsonOf(await callKms(stack, 'Verify', {}))).toEqual(
    violations(
      "Value null at 'keyId' must not be null",
      "Value at 'message' must not be null",
      "Value null at 'signature' must not be null",
      "Value null at 'signingAlgorithm' must not be null",
    ),
  )
  expect(await verify({ Signature: base64(Buffer.alloc(6145)) })).toEqual(
    violations("Value at 'signature' must have length less than or equal to 6144"),
  )
  expect(await verify({ Signature: '' })).toEqual(
    violations("Value at 'signature' must have length greater than or equal to 1"),
  )
})
