import { DecryptCommand, EncryptCommand, ReEncryptCommand } from '@aws-sdk/client-kms'
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
const [source, destination] = [await givenKey(kms), await givenKey(kms)]
const context = { team: 'payments' }
const { CiphertextBlob: blob } = await kms.send(
  new EncryptCommand({
    KeyId: source.keyId,
    Plaintext: bytes('hello'),
    EncryptionContext: context,
  }),
)

const reEncrypt = (input: object = {}) =>
  kms.send(
    new ReEncryptCommand({
      CiphertextBlob: blob,
      SourceEncryptionContext: context,
      DestinationKeyId: destination.keyId,
      ...input,
    }),
  )
const attempt = (input: object) => refusalOf(reEncrypt(input))

test('ReEncrypt moves a ciphertext to another key and another context', async () => {
  const { $metadata, CiphertextBlob, ...answer } = await reEncrypt({
    DestinationEncryptionContext: { team: 'ledger' },
  })
  expect(answer).toEqual({
    SourceKeyId: source.arn,
    KeyId: destination.arn,
    SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    SourceKeyMaterialId: source.materialId,
    DestinationKeyMaterialId: destination.materialId,
  })
  const opened = await kms.send(
    new DecryptCommand({ CiphertextBlob, EncryptionContext: { team: 'ledger' } }),
  )
  expect(opened.KeyId).toBe(destination.arn)
  expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
  const old = kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext: context }))
  expect(await refusalOf(old)).toEqual(refused('InvalidCiphertextException', null))
})

test('ReEncrypt under the same key gives a new ciphertext', async () => {
  const { CiphertextBlob, KeyId } = await reEncrypt({ DestinationKeyId: source.arn })
  expect(KeyId).toBe(source.arn)
  expect(Buffer.from(CiphertextBlob ?? [])).not.toEqual(Buffer.from(blob ?? []))
})

test('ReEncrypt takes 4096 bytes', async () => {
  const Plaintext = Buffer.alloc(4096, 1)
  const long = await kms.send(new EncryptCommand({ KeyId: source.keyId, Plaintext }))
  const { CiphertextBlob } = await reEncrypt({
    CiphertextBlob: long.CiphertextBlob,
    SourceEncryptionContext: {},
  })
  const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext)
})

test('Both keys may be named in every way', async () => {
  const from = await givenAlias(kms, source.keyId)
  const to = await givenAlias(kms, destination.keyId)
  for (const [SourceKeyId, DestinationKeyId] of [
    [source.keyId, destination.arn],
    [from, to],
    [source.arn.replace(/key\/.*/, from), destination.arn.replace(/key\/.*/, to)],
  ]) {
    const answer = await reEncrypt({ SourceKeyId, DestinationKeyId })
    expect([answer.SourceKeyId, answer.KeyId]).toEqual([source.arn, destination.arn])
  }
})

describe('ReEncrypt refuses', () => {
  const absent = '00000000-0000-0000-0000-000000000000'
  const missing = refused(
    'NotFoundException',
    `Key 'arn:aws:kms:us-east-1:${stack.account}:key/${absent}' does not exist`,
  )

  test('another source key than the one of the ciphertext, in whatever state the two are', async () => {
    const wrong = refused(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
    const pending = await givenKeyPendingDeletion(kms)
    expect(await attempt({ SourceKeyId: destination.keyId })).toEqual(wrong)
    expect(await attempt({ SourceKeyId: pending.keyId })).toEqual(wrong)
  })

  test('keys that do not exist', async () => {
    expect(await attempt({ SourceKeyId: absent })).toEqual(missing)
    expect(await attempt({ DestinationKeyId: absent })).toEqual(missing)
  })

  test('another context, an altered ciphertext, and one that is none', async () => {
    const invalid = refused('InvalidCiphertextException', null)
    const altered = Buffer.from(blob ?? [])
    altered.writeUInt8(altered.readUInt8(120) ^ 1, 120)
    expect(await attempt({ SourceEncryptionContext: {} })).toEqual(invalid)
    expect(await attempt({ CiphertextBlob: altered })).toEqual(invalid)
    expect(await attempt({ CiphertextBlob: bytes('none') })).toEqual(invalid)
  })

  test('a destination that is disabled or pending deletion', async () => {
    const disabled = await givenDisabledKey(kms)
    const pending = await givenKeyPendingDeletion(kms)
    expect(await attempt({ DestinationKeyId: disabled.keyId })).toEqual(
      refused('DisabledException', `${disabled.arn} is disabled.`),
    )
    expect(await attempt({ DestinationKeyId: pending.keyId })).toEqual(
      refused('KMSInvalidStateException', `${pending.arn} is pending deletion.`),
    )
  })

  test('algorithms of other kinds of keys', async () => {
    const misfit = refused(
      'InvalidKeyUsageException',
      'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
    )
    expect(await attempt({ DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).toEqual(misfit)
    const SourceEncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
    expect(await attempt({ SourceEncryptionAlgorithm, SourceKeyId: source.keyId })).toEqual(misfit)
    expect(await attempt({ SourceEncryptionAlgorithm })).toEqual(
      refused('ValidationException', 'KeyId must not be null'),
    )
  })

  test('grant tokens', async () => {
    expect(await attempt({ GrantTokens: ['token'] })).toEqual(
      refused('InvalidGrantTokenException', null),
    )
  })

  test('a request without its destination', async () => {
    const input = { CiphertextBlob: Buffer.from(blob ?? []).toString('base64') }
    expect(jsonOf(await callKms(stack, 'ReEncrypt', input)).json).toEqual({
      __type: 'ValidationException',
      message:
        "1 validation error detected: Value null at 'destinationKeyId' failed to satisfy constraint: Member must not be null",
    })
  })
})

describe('A dry run of ReEncrypt', () => {
  const would = refused(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )

  test('says that it would succeed, or why it would not', async () => {
    const { arn, keyId } = await givenDisabledKey(kms)
    expect(await attempt({ DryRun: true })).toEqual(would)
    expect(await attempt({ DryRun: true, DestinationKeyId: keyId })).toEqual(
      refused('DisabledException', `${arn} is disabled.`),
    )
    expect(await attempt({ DryRun: true, SourceEncryptionContext: {} })).toEqual(
      refused('InvalidCiphertextException', null),
    )
  })

  test('can leave the ciphertext out', async () => {
    const input = {
      DryRun: true,
      DryRunModifiers: ['IGNORE_CIPHERTEXT'],
      CiphertextBlob: undefined,
    }
    expect(await attempt({ ...input, SourceKeyId: source.keyId })).toEqual(would)
    expect(await attempt(input)).toEqual(refused('ValidationException', 'KeyId must not be null'))
  })
})

describe('Either key of ReEncrypt may be an RSA key:', () => {
  const RSA = 'RSAES_OAEP_SHA_256'
  const made = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
  const encryptedUnder = async (KeyId: string, Plaintext = bytes('hello')) => {
    const input = { KeyId, Plaintext, EncryptionAlgorithm: RSA } as const
    return (await kms.send(new EncryptCommand(input))).CiphertextBlob
  }
  const keys = Promise.all([givenKey(kms, made), givenKey(kms, made)])

  test('from symmetric to RSA', async () => {
    const [rsa] = await keys
    const { $metadata, CiphertextBlob, ...answer } = await reEncrypt({
      DestinationKeyId: rsa.keyId,
      DestinationEncryptionAlgorithm: RSA,
    })
    expect(answer).toEqual({
      SourceKeyId: source.arn,
      KeyId: rsa.arn,
      SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationEncryptionAlgorithm: RSA,
      SourceKeyMaterialId: source.materialId,
    })
    expect(CiphertextBlob).toHaveLength(256)
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob, KeyId: rsa.keyId, EncryptionAlgorithm: RSA }),
    )
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
  })

  test('from RSA to symmetric', async () => {
    const [rsa] = await keys
    const { $metadata, CiphertextBlob, ...answer } = await reEncrypt({
      CiphertextBlob: await encryptedUnder(rsa.keyId),
      SourceKeyId: rsa.keyId,
      SourceEncryptionAlgorithm: RSA,
      SourceEncryptionContext: undefined,
      DestinationEncryptionContext: context,
    })
    expect(answer).toEqual({
      SourceKeyId: rsa.arn,
      KeyId: destination.arn,
      SourceEncryptionAlgorithm: RSA,
      DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      DestinationKeyMaterialId: destination.materialId,
    })
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob, EncryptionContext: context }),
    )
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
  })

  test('from RSA to RSA, with another hash', async () => {
    const [rsa, other] = await keys
    const { $metadata, CiphertextBlob, ...answer } = await reEncrypt({
      CiphertextBlob: await encryptedUnder(rsa.keyId),
      SourceKeyId: rsa.arn,
      SourceEncryptionAlgorithm: RSA,
      SourceEncryptionContext: {},
      DestinationKeyId: other.keyId,
      DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    })
    expect(answer).toEqual({
      SourceKeyId: rsa.arn,
      KeyId: other.arn,
      SourceEncryptionAlgorithm: RSA,
      DestinationEncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    })
    const opened = await kms.send(
      new DecryptCommand({
        CiphertextBlob,
        KeyId: other.keyId,
        EncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
      }),
    )
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
  })

  test('but not with an encryption context on its side', async () => {
    const [rsa] = await keys
    const without = refused(
      'ValidationException',
      'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
    )
    const to = { DestinationKeyId: rsa.keyId, DestinationEncryptionAlgorithm: RSA }
    expect(await attempt({ ...to, DestinationEncryptionContext: context })).toEqual(without)
    const from = { SourceKeyId: rsa.keyId, SourceEncryptionAlgorithm: RSA }
    expect(await attempt({ ...from, CiphertextBlob: await encryptedUnder(rsa.keyId) })).toEqual(
      without,
    )
  })

  test('but not for a plaintext that does not fit into a block', async () => {
    const [rsa] = await keys
    const { CiphertextBlob } = await kms.send(
      new EncryptCommand({ KeyId: source.keyId, Plaintext: Buffer.alloc(191, 1) }),
    )
    const to = { DestinationKeyId: rsa.keyId, DestinationEncryptionAlgorithm: RSA }
    expect(await attempt({ ...to, CiphertextBlob, SourceEncryptionContext: {} })).toEqual(
      refused(
        'ValidationException',
        `Algorithm ${RSA} and key spec RSA_2048 cannot encrypt data larger than 190 bytes.`,
      ),
    )
  })

  test('but with its own algorithm, and opened by its own key', async () => {
    const [rsa, other] = await keys
    const misfit = refused(
      'InvalidKeyUsageException',
      'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
    )
    expect(await attempt({ DestinationKeyId: rsa.keyId })).toEqual(misfit)
    const CiphertextBlob = await encryptedUnder(rsa.keyId)
    const from = { SourceKeyId: other.keyId, SourceEncryptionContext: {}, CiphertextBlob }
    const invalid = refused('InvalidCiphertextException', null)
    expect(await attempt({ ...from, SourceEncryptionAlgorithm: RSA })).toEqual(invalid)
    expect(await attempt(from)).toEqual(invalid)
    expect(await attempt({ SourceKeyId: rsa.keyId })).toEqual(
      refused(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      ),
    )
    const signing = await givenKey(kms, { ...made, KeyUsage: 'SIGN_VERIFY' })
    const to = { DestinationKeyId: signing.keyId, DestinationEncryptionAlgorithm: RSA }
    expect((await attempt(to)).name).toBe('InvalidKeyUsageException')
  })
})
