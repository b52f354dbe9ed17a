import { DecryptCommand, DisableKeyCommand, EncryptCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bytes,
  givenAlias,
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
const context = { team: 'payments', purpose: 'test' }

const encrypted = async (
  KeyId = key.keyId,
  EncryptionContext: Record<string, string> = context,
): Promise<Buffer> => {
  const Plaintext = bytes('hello')
  const answer = await kms.send(new EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
  return Buffer.from(answer.CiphertextBlob ?? [])
}

const blob = await encrypted()
const decrypt = (input: object) =>
  kms.send(new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context, ...input }))
const attempt = (input: object) => refusalOf(decrypt(input))

const invalid = refused('InvalidCiphertextException', null)
const incorrectKey = refused(
  'IncorrectKeyException',
  'The key ID in the request does not identify a CMK that can perform this operation.',
)

test('Decrypt needs no key id, and tells the key, its material and the algorithm', async () => {
  const { $metadata, Plaintext, ...answer } = await decrypt({})
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
  expect(answer).toEqual({
    KeyId: key.arn,
    KeyMaterialId: key.materialId,
    EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
  })
})

test('Decrypt takes every name of the key that made the blob', async () => {
  const alias = await givenAlias(kms, key.keyId)
  const aliasArn = key.arn.replace(/key\/.*/, alias)
  for (const KeyId of [key.keyId, key.keyId.toUpperCase(), key.arn, alias, aliasArn]) {
    expect((await decrypt({ KeyId })).KeyId).toBe(key.arn)
  }
})

describe('The encryption context', () => {
  test('may come in any order', async () => {
    const reversed = Object.fromEntries(Object.entries(context).reverse())
    expect((await decrypt({ EncryptionContext: reversed })).KeyId).toBe(key.arn)
  })

  test('that is empty is as good as none', async () => {
    const [with_, without] = [await encrypted(key.keyId, {}), await encrypted(key.keyId, {})]
    await decrypt({ CiphertextBlob: with_, EncryptionContext: undefined })
    await decrypt({ CiphertextBlob: without, EncryptionContext: {} })
  })

  test.for<[string, Record<string, string> | undefined]>([
    ['none', undefined],
    ['a part of it', { team: 'payments' }],
    ['more than it', { ...context, more: 'x' }],
    ['another value', { ...context, purpose: 'other' }],
    ['a name in capitals', { TEAM: 'payments', purpose: 'test' }],
    ['a value in capitals', { team: 'Payments', purpose: 'test' }],
    ['names and values run together', { teampayments: '', purpose: 'test' }],
    ['names and values swapped', { payments: 'team', test: 'purpose' }],
  ])('must be the same: %s is refused', async ([, EncryptionContext]) => {
    expect(await attempt({ EncryptionContext })).toEqual(invalid)
  })

  test('may hold names that mean something to JavaScript, and binds them', async () => {
    const text = '{"__proto__":"a","constructor":"b","toString":"c"}'
    const Plaintext = bytes('hello').toString('base64')
    const sealed = await callKms(
      stack,
      'Encrypt',
      `{"KeyId":"${key.keyId}","Plaintext":"${Plaintext}","EncryptionContext":${text}}`,
    )
    const { CiphertextBlob } = JSON.parse(sealed.body)
    const opened = (given: string) =>
      callKms(
        stack,
        'Decrypt',
        `{"CiphertextBlob":"${CiphertextBlob}","EncryptionContext":${given}}`,
      )
    expect(JSON.parse((await opened(text)).body)).toMatchObject({ Plaintext })
    const without = await opened('{"constructor":"b","toString":"c"}')
    expect(jsonOf(without)).toEqual({ status: 400, json: { __type: 'InvalidCiphertextException' } })
  })

  test('may hold halves of surrogate pairs, which are not the same as each other', async () => {
    const call = (operation: string, member: string, context_: string) =>
      callKms(stack, operation, `{${member},"EncryptionContext":{"a":"${context_}"}}`)
    const sealed = await call('Encrypt', `"KeyId":"${key.keyId}","Plaintext":"eA=="`, '\\ud800')
    const member = `"CiphertextBlob":"${JSON.parse(sealed.body).CiphertextBlob}"`
    expect((await call('Decrypt', member, '\\ud800')).status).toBe(200)
    expect((await call('Decrypt', member, '\\ud801')).status).toBe(400)
    expect((await call('Decrypt', member, '\\ufffd')).status).toBe(400)
  })
})

describe('A blob is refused, without a word on why,', () => {
  test('with any byte changed', async () => {
    const indexes = Array.from(blob.keys())
    const answers = await Promise.all(
      indexes.map((index) => {
        const CiphertextBlob = Buffer.from(blob)
        CiphertextBlob.writeUInt8(CiphertextBlob.readUInt8(index) ^ 1, index)
        return attempt({ CiphertextBlob })
      }),
    )
    // Account and key id lead to a key that does not exist, which is told as denied; the first byte
    // of the account id leads to more than twelve digits.
    const isAddress = (index: number) => index >= 3 && index < 25
    for (const [index, { name, message }] of answers.entries()) {
      const expected = isAddress(index) ? 'AccessDeniedException' : 'InvalidCiphertextException'
      expect([index, name]).toEqual([index, expected])
      if (!isAddress(index)) expect(message).toBeNull()
    }
  })

  test('cut short anywhere, or with a byte too many', async () => {
    for (const length of [1, 56, 57, 116, 117, 132, blob.length - 1]) {
      expect(await attempt({ CiphertextBlob: blob.subarray(0, length) })).toEqual(invalid)
    }
    expect(await attempt({ CiphertextBlob: Buffer.concat([blob, Buffer.of(0)]) })).toEqual(invalid)
  })

  test('when it is no blob at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 300 }), async (CiphertextBlob) => {
        const { name } = await attempt({ CiphertextBlob })
        expect(name).toBe('InvalidCiphertextException')
      }),
      { numRuns: 30 },
    )
  })

  test('when the named key does not exist either', async () => {
    const absent = '00000000-0000-0000-0000-000000000000'
    const CiphertextBlob = bytes('no blob')
    expect(await attempt({ CiphertextBlob, KeyId: absent })).toEqual(invalid)
  })

  test('when it is of another Region', async () => {
    const abroad = kmsClient({ ...stack, region: 'eu-west-1' })
    const command = new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: context })
    expect(await refusalOf(abroad.send(command))).toEqual(hidden('kms:Decrypt'))
  })
})

const hidden = (action: string) =>
  refused(
    'AccessDeniedException',
    `User: arn:aws:iam::${stack.account}:user/admin is not authorized to perform: ${action} on the resource associated with this ciphertext because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`,
  )

test('A blob of a key that does not exist is refused as if it was not allowed', async () => {
  const CiphertextBlob = Buffer.from(blob)
  CiphertextBlob.fill(0, 9, 25)
  expect(await attempt({ CiphertextBlob })).toEqual(hidden('kms:Decrypt'))
})

describe('The named key', () => {
  test('must be the one that made the blob', async () => {
    const other = await givenKey(kms)
    const alias = await givenAlias(kms, other.keyId)
    for (const KeyId of [other.keyId, other.arn, alias]) {
      expect(await attempt({ KeyId })).toEqual(incorrectKey)
    }
  })

  test('is told to be the wrong one before its state is', async () => {
    const { arn } = await givenKeyPendingDeletion(kms)
    expect(await attempt({ KeyId: arn })).toEqual(incorrectKey)
  })

  test('is told to be the wrong one before the context is', async () => {
    const { arn } = await givenKey(kms)
    expect(await attempt({ KeyId: arn, EncryptionContext: {} })).toEqual(incorrectKey)
  })

  test('must exist', async () => {
    const absent = '00000000-0000-0000-0000-000000000000'
    expect(await attempt({ KeyId: absent })).toEqual(
      refused(
        'NotFoundException',
        `Key 'arn:aws:kms:us-east-1:${stack.account}:key/${absent}' does not exist`,
      ),
    )
  })
})

describe('The state of the key', () => {
  test('disabled is told, also when the context is wrong', async () => {
    const other = await givenKey(kms)
    const CiphertextBlob = await encrypted(other.keyId)
    await kms.send(new DisableKeyCommand({ KeyId: other.keyId }))
    for (const EncryptionContext of [context, {}]) {
      expect(await attempt({ CiphertextBlob, EncryptionContext })).toEqual(
        refused('DisabledException', `${other.arn} is disabled.`),
      )
    }
  })
})

describe('Decrypt with the algorithm of another kind of key', () => {
  test('asks for the key id', async () => {
    expect(await attempt({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' })).toEqual(
      refused('ValidationException', 'KeyId must not be null'),
    )
  })

  test('says that it does not fit the key', async () => {
    expect(await attempt({ EncryptionAlgorithm: 'RSAES_OAEP_SHA_1', KeyId: key.keyId })).toEqual(
      refused(
        'InvalidKeyUsageException',
        'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.',
      ),
    )
  })
})

test('Decrypt refuses an attestation document, as nothing here can check one', async () => {
  const Recipient = {
    KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    AttestationDocument: bytes('document'),
  }
  expect(await attempt({ Recipient })).toEqual(refused('UnsupportedOperationException', null))
})

describe('A dry run of Decrypt', () => {
  const would = refused(
    'DryRunOperationException',
    'The request would have succeeded, but the DryRun option is set.',
  )

  test('says that it would succeed, or why it would not', async () => {
    expect(await attempt({ DryRun: true })).toEqual(would)
    expect(await attempt({ DryRun: true, EncryptionContext: {} })).toEqual(invalid)
  })

  test('can leave the ciphertext out and try the permission and the state alone', async () => {
    const input = { DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'], KeyId: key.keyId }
    expect(await attempt({ ...input, CiphertextBlob: undefined })).toEqual(would)
    expect(await attempt({ ...input, CiphertextBlob: bytes('no blob') })).toEqual(would)
    const { keyId, arn } = await givenKeyPendingDeletion(kms)
    expect(await attempt({ ...input, KeyId: keyId, CiphertextBlob: undefined })).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test('has no modifiers when it is none', async () => {
    expect(await attempt({ DryRunModifiers: ['IGNORE_CIPHERTEXT'], KeyId: key.keyId })).toEqual(
      refused('ValidationException', 'DryRunModifiers can only be specified when DryRun is true'),
    )
  })

  test('needs a key id to leave the ciphertext out', async () => {
    expect(await attempt({ DryRun: true, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })).toEqual(
      refused('ValidationException', 'KeyId must not be null'),
    )
  })
})

test.for<[object, string]>([
  [{}, "Value null at 'ciphertextBlob' failed to satisfy constraint: Member must not be null"],
  [
    { CiphertextBlob: '' },
    "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length greater than or equal to 1",
  ],
  [
    { CiphertextBlob: Buffer.alloc(6145).toString('base64') },
    "Value at 'ciphertextBlob' failed to satisfy constraint: Member must have length less than or equal to 6144",
  ],
])('Decrypt tells what is wrong with the ciphertext: %#', async ([input, fault]) => {
  expect(jsonOf(await callKms(stack, 'Decrypt', input))).toEqual({
    status: 400,
    json: { __type: 'ValidationException', message: `1 validation error detected: ${fault}` },
  })
})
