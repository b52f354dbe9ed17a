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
