import { DecryptCommand, EncryptCommand } from '@aws-sdk/client-kms'
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

test('Encrypt answers with the key ARN, the algorithm and a blob, and with nothing else', async () => {
  const { $metadata, ...answer } = await kms.send(
    new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') }),
  )
  expect(answer).toEqual({
    KeyId: key.arn,
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    CiphertextBlob: expect.any(Uint8Array),
  })
  expect(answer.CiphertextBlob).toHaveLength(5 + 133)
  expect($metadata.httpStatusCode).toBe(200)
})

test.for([1, 4096])('Encrypt takes %i bytes, and Decrypt gives them back', async (length) => {
  const Plaintext = Buffer.alloc(length, 7)
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: key.arn, Plaintext }))
  const answer = await kms.send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(answer.Plaintext ?? [])).toEqual(Plaintext)
})

test('Encrypt never gives the same blob twice', async () => {
  const command = () => new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') })
  const blobs = await Promise.all(Array.from({ length: 20 }, () => kms.send(command())))
  const texts = blobs.map(({ CiphertextBlob }) => Buffer.from(CiphertextBlob ?? []).toString('hex'))
  expect(new Set(texts).size).toBe(20)
})

test('A blob does not hold its plaintext', async () => {
  const Plaintext = bytes('a text that would be seen')
  const { CiphertextBlob } = await kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext }))
  expect(Buffer.from(CiphertextBlob ?? []).includes(Plaintext)).toBe(false)
})

describe('Encrypt finds its key by', () => {
  test('alias name and alias ARN, and answers with the key ARN', async () => {
    const alias = await givenAlias(kms, key.keyId)
    const aliasArn = key.arn.replace(/key\/.*/, alias)
    for (const KeyId of [alias, aliasArn]) {
      const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))
      expect(answer.KeyId).toBe(key.arn)
    }
  })

  test('key id and key ARN in capitals too, and answers in lower case', async () => {
    const upper = key.keyId.toUpperCase()
    for (const KeyId of [upper, key.arn.replace(key.keyId, upper)]) {
      const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('x') }))
      expect(answer.KeyId).toBe(key.arn)
    }
  })
})

describe('Encrypt refuses', () => {
  const attempt = (input: object) =>
    refusalOf(
      kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello'), ...input })),
    )

  test('a disabled key', async () => {
    const { arn } = await givenDisabledKey(kms)
    expect(await attempt({ KeyId: arn })).toEqual(
      refused('DisabledException', `${arn} is disabled.`),
    )
  })

  test('a key pending deletion', async () => {
    const { arn } = await givenKeyPendingDeletion(kms)
    expect(await attempt({ KeyId: arn })).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test('another algorithm than the one of symmetric keys', async () => {
    expect(await attempt({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).toEqual(
      refused(
        'InvalidKeyUsageException',
        'Algorithm RSAES_OAEP_SHA_256 is incompatible with key spec SYMMETRIC_DEFAULT.',
      ),
    )
  })

  test('the wrong state before the wrong algorithm', async () => {
    const { arn } = await givenDisabledKey(kms)
    const { name } = await attempt({ KeyId: arn, EncryptionAlgorithm: 'SM2PKE' })
    expect(name).toBe('DisabledException')
  })

  test('a grant token, as there are no grants', async () => {
    expect(await attempt({ GrantTokens: ['token'] })).toEqual(
      refused('InvalidGrantTokenException', null),
    )
  })

  test('an encryption context above its limit', async () => {
    const EncryptionContext = { a: 'x'.repeat(8191), b: '' }
    expect((await attempt({ EncryptionContext })).name).toBe('ValidationException')
    await kms.send(
      new EncryptCommand({
        KeyId: key.keyId,
        Plaintext: bytes('x'),
        EncryptionContext: { a: 'x'.repeat(8191) },
      }),
    )
  })
})

describe('A dry run of Encrypt', () => {
  const attempt = (input: object) =>
    refusalOf(
      kms.send(
        new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x'), DryRun: true, ...input }),
      ),
    )

  test('says that it would succeed', async () => {
    expect(await attempt({})).toEqual(
      refused(
        'DryRunOperationException',
        'The request would have succeeded, but the DryRun option is set.',
      ),
    )
  })

  test('says what it would fail for', async () => {
    const { arn } = await givenDisabledKey(kms)
    expect((await attempt({ KeyId: arn })).name).toBe('DisabledException')
  })
})

describe('Encrypt tells broken constraints', () => {
  const validation = async (input: object) => jsonOf(await callKms(stack, 'Encrypt', input))
  const told = (message: string) => ({
    status: 400,
    json: { __type: 'ValidationException', message },
  })
  const Plaintext = bytes('x').toString('base64')

  test('all in one sentence, without the plaintext', async () => {
    expect(await validation({ KeyId: '', Plaintext: '', EncryptionAlgorithm: 'NONE' })).toEqual(
      told(
        "4 validation errors detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
          "Value '' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$; " +
          "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
          "Value 'NONE' at 'encryptionAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [RSAES_OAEP_SHA_1, RSAES_OAEP_SHA_256, SM2PKE, SYMMETRIC_DEFAULT]",
      ),
    )
  })

  test('what is missing, a secret without saying that it is null', async () => {
    expect(await validation({})).toEqual(
      told(
        "2 validation errors detected: Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
          "Value at 'plaintext' failed to satisfy constraint: Member must not be null",
      ),
    )
  })

  test('a plaintext of 4097 bytes', async () => {
    const long = Buffer.alloc(4097, 7).toString('base64')
    expect(await validation({ KeyId: key.keyId, Plaintext: long })).toEqual(
      told(
        "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
      ),
    )
  })

  test('a key id that is not ASCII', async () => {
    expect(await validation({ KeyId: 'schlüssel', Plaintext })).toEqual(
      told(
        "1 validation error detected: Value 'schlüssel' at 'keyId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^\\p{ASCII}+$",
      ),
    )
  })

  test('too many grant tokens, without any of them', async () => {
    const GrantTokens = Array.from({ length: 11 }, () => 'token')
    expect(await validation({ KeyId: key.keyId, Plaintext, GrantTokens })).toEqual(
      told(
        "1 validation error detected: Value at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 10",
      ),
    )
  })
})
