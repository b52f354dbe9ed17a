import {
  DecryptCommand,
  DisableKeyCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  bytes,
  givenAlias,
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)

const withPlaintext = (input: object) =>
  kms.send(new GenerateDataKeyCommand({ KeyId: key.keyId, ...input }))
const withoutPlaintext = (input: object) =>
  kms.send(new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key.keyId, ...input }))
const both = [
  ['GenerateDataKey', withPlaintext],
  ['GenerateDataKeyWithoutPlaintext', withoutPlaintext],
] as const

test.for<[object, number]>([
  [{ KeySpec: 'AES_128' }, 16],
  [{ KeySpec: 'AES_256' }, 32],
  [{ NumberOfBytes: 1 }, 1],
  [{ NumberOfBytes: 1024 }, 1024],
])('GenerateDataKey of %j gives %i bytes, which Decrypt gives back', async ([input, length]) => {
  const EncryptionContext = { b: '2', a: '1' }
  const { $metadata, Plaintext, CiphertextBlob, ...answer } = await withPlaintext({
    ...input,
    EncryptionContext,
  })
  expect(answer).toEqual({ KeyId: key.arn, KeyMaterialId: key.materialId })
  expect(Plaintext).toHaveLength(length)
  const opened = await kms.send(
    new DecryptCommand({ CiphertextBlob, EncryptionContext: { a: '1', b: '2' } }),
  )
  expect(opened.Plaintext).toEqual(Plaintext)
  const bare = kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(await refusalOf(bare)).toEqual(refused('InvalidCiphertextException', null))
})

test('GenerateDataKeyWithoutPlaintext gives the blob alone', async () => {
  const { $metadata, CiphertextBlob, ...answer } = await withoutPlaintext({ KeySpec: 'AES_256' })
  expect(answer).toEqual({ KeyId: key.arn, KeyMaterialId: key.materialId })
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(opened.Plaintext).toHaveLength(32)
})

test('Every data key is another', async () => {
  const answers = await Promise.all(
    Array.from({ length: 20 }, () => withPlaintext({ KeySpec: 'AES_256' })),
  )
  const keys = answers.map(({ Plaintext }) => Buffer.from(Plaintext ?? []).toString('hex'))
  expect(new Set(keys).size).toBe(20)
})

describe.each(both)('%s', (name, generate) => {
  const attempt = (input: object) => refusalOf(generate({ KeySpec: 'AES_256', ...input }))

  test('takes every name of a key', async () => {
    const alias = await givenAlias(kms, key.keyId)
    for (const KeyId of [key.keyId, key.arn, alias, key.arn.replace(/key\/.*/, alias)]) {
      expect((await generate({ KeyId, KeySpec: 'AES_128' })).KeyId).toBe(key.arn)
    }
  })

  test('wants exactly one of number of bytes and key spec, whatever the state of the key', async () => {
    const neither = refused(
      'ValidationException',
      'Please specify either number of bytes or key spec.',
    )
    const { keyId } = await givenDisabledKey(kms)
    expect(await attempt({ NumberOfBytes: 16 })).toEqual(neither)
    expect(await attempt({ KeySpec: undefined })).toEqual(neither)
    expect(await attempt({ KeySpec: undefined, KeyId: keyId })).toEqual(neither)
  })

  test('refuses keys that are disabled or pending deletion', async () => {
    const disabled = await givenDisabledKey(kms)
    const pending = await givenKeyPendingDeletion(kms)
    expect(await attempt({ KeyId: disabled.keyId })).toEqual(
      refused('DisabledException', `${disabled.arn} is disabled.`),
    )
    expect(await attempt({ KeyId: pending.keyId })).toEqual(
      refused('KMSInvalidStateException', `${pending.arn} is pending deletion.`),
    )
  })

  test('refuses RSA keys, though they encrypt, and keys for something else', async () => {
    const spec = { KeySpec: 'RSA_2048' } as const
    const rsa = await givenKey(kms, { ...spec, KeyUsage: 'ENCRYPT_DECRYPT' })
    expect(await attempt({ KeyId: rsa.keyId })).toEqual(
      refused('InvalidKeyUsageException', 'You cannot generate a data key with an asymmetric CMK'),
    )
    const signing = await givenKey(kms, { ...spec, KeyUsage: 'SIGN_VERIFY' })
    expect(await attempt({ KeyId: signing.keyId })).toEqual(
      refused(
        'InvalidKeyUsageException',
        `${signing.arn} key usage is SIGN_VERIFY which is not valid for ${name}.`,
      ),
    )
    await kms.send(new DisableKeyCommand({ KeyId: rsa.keyId }))
    expect((await attempt({ KeyId: rsa.keyId })).name).toBe('DisabledException')
    const size = { KeySpec: undefined, KeyId: signing.keyId }
    expect((await attempt(size)).name).toBe('ValidationException')
  })

  test('refuses grant tokens', async () => {
    expect(await attempt({ GrantTokens: ['token'] })).toEqual(
      refused('InvalidGrantTokenException', null),
    )
  })

  test('can be tried without being done', async () => {
    expect(await attempt({ DryRun: true })).toEqual(
      refused(
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      ),
    )
  })

  test('tells broken constraints with the list of key specs that AWS shows', async () => {
    const { json } = jsonOf(await callKms(stack, name, { KeySpec: 'AES_512', NumberOfBytes: 1025 }))
    const { __type, message } = json as { __type: string; message: string }
    expect(__type).toBe('ValidationException')
    expect(message.split(/: (?=Value)|; /).sort()).toEqual([
      '3 validation errors detected',
      "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
      "Value 'AES_512' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: [RSA_2048, RSA_3072, RSA_4096, ECC_NIST_P256, ECC_NIST_P384, ECC_NIST_P521, ECC_SECG_P256K1, ECC_NIST_EDWARDS25519, SYMMETRIC_DEFAULT, HMAC_224, HMAC_256, HMAC_384, HMAC_512, SM2, ML_DSA_44, ML_DSA_65, ML_DSA_87]",
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
    ])
  })
})

test('GenerateDataKey refuses an attestation document, as nothing here can check one', async () => {
  const Recipient = {
    KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    AttestationDocument: bytes('document'),
  }
  const attempt = withPlaintext({ KeySpec: 'AES_256', Recipient })
  expect(await refusalOf(attempt)).toEqual(refused('UnsupportedOperationException', null))
})
