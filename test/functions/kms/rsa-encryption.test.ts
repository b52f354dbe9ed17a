import { constants, publicEncrypt } from 'node:crypto'
import {
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  type EncryptionAlgorithmSpec,
} from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeKeyUse, dryRunSucceeded, publicKeyOf } from '../../support/key-use.ts'
import { bytes, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const made = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' } as const
const [key, other, symmetric] = [
  await givenKey(kms, made),
  await givenKey(kms, made),
  await givenKey(kms),
]
const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
const invalid = refused('InvalidCiphertextException', null)
const contextRefused = refused(
  'ValidationException',
  'EncryptionContext is not supported when encrypting/decrypting with asymmetric CMKs.',
)

const encrypt = (input: object = {}) =>
  kms.send(
    new EncryptCommand({
      KeyId: key.keyId,
      Plaintext: bytes('hello'),
      EncryptionAlgorithm,
      ...input,
    }),
  )
const block = Buffer.from((await encrypt()).CiphertextBlob ?? [])
const decrypt = (input: object = {}) =>
  kms.send(
    new DecryptCommand({ KeyId: key.keyId, CiphertextBlob: block, EncryptionAlgorithm, ...input }),
  )
const blobOf = async (plaintext: Uint8Array) =>
  (await encrypt({ KeyId: symmetric.keyId, Plaintext: plaintext, EncryptionAlgorithm: undefined }))
    .CiphertextBlob

const signing = { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' } as const
const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const
const common = { target: stack, kms, key, plan: made }
describeKeyUse(
  { ...common, name: 'Encrypt', input: { Plaintext: 'aGVsbG8=', EncryptionAlgorithm } },
  [signing, hmac],
)
describeKeyUse(
  {
    ...common,
    name: 'Decrypt',
    input: { CiphertextBlob: block.toString('base64'), EncryptionAlgorithm },
  },
  [signing, hmac],
)

describe.each([
  ['RSA_2048', 256],
  ['RSA_3072', 384],
  ['RSA_4096', 512],
] as const)('A key of spec %s', async (KeySpec, modulusBytes) => {
  const { keyId: KeyId, arn } = await givenKey(kms, { ...made, KeySpec })

  test.each([
    ['RSAES_OAEP_SHA_1', 42, 'sha1'],
    ['RSAES_OAEP_SHA_256', 66, 'sha256'],
  ] as const)('%s takes all but %i bytes of a block', async (algorithm, overhead, oaepHash) => {
    const room = modulusBytes - overhead
    const terms = { KeyId, EncryptionAlgorithm: algorithm }
    for (const length of [1, room]) {
      const Plaintext = Buffer.alloc(length, 7)
      const { $metadata: _, ...sealed } = await encrypt({ ...terms, Plaintext })
      expect(sealed).toEqual({
        KeyId: arn,
        EncryptionAlgorithm: algorithm,
        CiphertextBlob: expect.any(Uint8Array),
      })
      expect(sealed.CiphertextBlob).toHaveLength(modulusBytes)
      const { $metadata: __, ...opened } = await decrypt({
        ...terms,
        CiphertextBlob: sealed.CiphertextBlob,
      })
      expect({ ...opened, Plaintext: Buffer.from(opened.Plaintext ?? []) }).toEqual({
        KeyId: arn,
        EncryptionAlgorithm: algorithm,
        Plaintext,
      })
    }
    expect(await refusalOf(encrypt({ ...terms, Plaintext: Buffer.alloc(room + 1) }))).toEqual(
      refused(
        'ValidationException',
        `Algorithm ${algorithm} and key spec ${KeySpec} cannot encrypt data larger than ${room} bytes.`,
      ),
    )
    const outside = publicEncrypt(
      {
        key: (await publicKeyOf(kms, KeyId)).key,
        padding: constants.RSA_PKCS1_OAEP_PADDING,
        oaepHash,
      },
      Buffer.from('made elsewhere'),
    )
    const { Plaintext } = await decrypt({ ...terms, CiphertextBlob: outside })
    expect(Buffer.from(Plaintext ?? []).toString()).toBe('made elsewhere')
  })
})

test('Encrypt never gives the same block twice', async () => {
  const answers = await Promise.all(Array.from({ length: 8 }, () => encrypt()))
  const blocks = answers.map(({ CiphertextBlob }) => Buffer.from(CiphertextBlob ?? []))
  expect(new Set(blocks.map((bytes) => bytes.toString('hex'))).size).toBe(8)
})

test('An encryption context is refused, unless it is empty', async () => {
  const EncryptionContext = { team: 'payments' }
  expect(await refusalOf(encrypt({ EncryptionContext }))).toEqual(contextRefused)
  expect(await refusalOf(decrypt({ EncryptionContext }))).toEqual(contextRefused)
  const { CiphertextBlob } = await encrypt({ EncryptionContext: {} })
  const { Plaintext } = await decrypt({ CiphertextBlob, EncryptionContext: {} })
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
})

describe('The algorithm must be one of the key:', () => {
  const misfit = (algorithm: string, spec: string) =>
    refused(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ${spec}.`,
    )
  const cases: readonly [EncryptionAlgorithmSpec | undefined, string][] = [
    [undefined, 'SYMMETRIC_DEFAULT'],
    ['SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT'],
    ['SM2PKE', 'SM2PKE'],
  ]

  test.each(cases)('Encrypt under an RSA key with %s', async (algorithm, named) => {
    expect(await refusalOf(encrypt({ EncryptionAlgorithm: algorithm }))).toEqual(
      misfit(named, 'RSA_2048'),
    )
  })

  test('Decrypt, with the algorithm of another key spec', async () => {
    expect(await refusalOf(decrypt({ EncryptionAlgorithm: 'SM2PKE' }))).toEqual(
      misfit('SM2PKE', 'RSA_2048'),
    )
    expect(await refusalOf(decrypt({ KeyId: symmetric.keyId }))).toEqual(
      misfit(EncryptionAlgorithm, 'SYMMETRIC_DEFAULT'),
    )
  })

  test('the state of the key is told first, and the encryption context and the length after it', async () => {
    const disabled = await givenKey(kms, made)
    await kms.send(new DisableKeyCommand({ KeyId: disabled.keyId }))
    const wrong = {
      EncryptionAlgorithm: undefined,
      EncryptionContext: { a: 'b' },
      Plaintext: Buffer.alloc(4096),
    }
    expect((await refusalOf(encrypt({ ...wrong, KeyId: disabled.keyId }))).name).toBe(
      'DisabledException',
    )
    expect(await refusalOf(encrypt(wrong))).toEqual(misfit('SYMMETRIC_DEFAULT', 'RSA_2048'))
    expect(await refusalOf(encrypt({ ...wrong, EncryptionAlgorithm }))).toEqual(contextRefused)
  })
})

describe('Decrypt', () => {
  test('needs the key of a block named', async () => {
    expect(await refusalOf(decrypt({ KeyId: undefined }))).toEqual(
      refused('ValidationException', 'KeyId must not be null'),
    )
  })

  test('takes a block without its algorithm for a blob that is none', async () => {
    expect(await refusalOf(decrypt({ EncryptionAlgorithm: undefined }))).toEqual(invalid)
    expect(await refusalOf(decrypt({ EncryptionAlgorithm: undefined, KeyId: undefined }))).toEqual(
      invalid,
    )
  })

  test('knows that no other key opens a blob, whatever it is for and in whatever state', async () => {
    const wrong = refused(
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
    const CiphertextBlob = await blobOf(bytes('hello'))
    const keys = [
      key,
      await givenKey(kms, hmac),
      await givenKey(kms, { Origin: 'EXTERNAL' }),
      await givenKey(kms, { ...made, Origin: 'EXTERNAL' }),
    ]
    for (const { keyId: KeyId } of keys) {
      const attempt = decrypt({ CiphertextBlob, KeyId, EncryptionAlgorithm: undefined })
      expect(await refusalOf(attempt)).toEqual(wrong)
    }
  })

  test('answers every ciphertext that does not open with the same bytes', async () => {
    const altered = Buffer.from(block)
    altered[200] = (altered[200] ?? 0) ^ 1
    const wrong: readonly (readonly [Uint8Array, object])[] = [
      [altered, {}],
      [block, { KeyId: other.keyId }],
      [block, { EncryptionAlgorithm: 'RSAES_OAEP_SHA_1' }],
      [block.subarray(1), {}],
      [Buffer.concat([block, Buffer.alloc(1)]), {}],
      [Buffer.alloc(256), {}],
      [Buffer.alloc(256, 0xff), {}],
      [Buffer.alloc(1), {}],
      [(await blobOf(bytes('hello'))) ?? Buffer.alloc(0), {}],
      [
        publicEncrypt(
          { key: (await publicKeyOf(kms, key.keyId)).key, padding: constants.RSA_PKCS1_PADDING },
          Buffer.from('hello'),
        ),
        {},
      ],
    ]
    for (const [ciphertext, input] of wrong) {
      const { status, body } = await callKms(stack, 'Decrypt', {
        KeyId: key.keyId,
        EncryptionAlgorithm,
        CiphertextBlob: Buffer.from(ciphertext).toString('base64'),
        ...input,
      })
      expect({ status, body }).toEqual({
        status: 400,
        body: '{"__type":"InvalidCiphertextException"}',
      })
    }
  })

  test('refuses a block with any bit changed', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(block.length * 8 - 1), async (bit) => {
        const altered = Buffer.from(block)
        altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(await refusalOf(decrypt({ CiphertextBlob: altered }))).toEqual(invalid)
      }),
      { numRuns: 25 },
    )
  })

  test('fails in a dry run for what it would fail for', async () => {
    expect(await refusalOf(decrypt({ DryRun: true, CiphertextBlob: Buffer.alloc(256) }))).toEqual(
      invalid,
    )
    expect(await refusalOf(decrypt({ DryRun: true }))).toEqual(dryRunSucceeded)
  })

  test('can be tried without a ciphertext', async () => {
    const DryRunModifiers = ['IGNORE_CIPHERTEXT']
    const CiphertextBlob = undefined
    expect(await refusalOf(decrypt({ DryRun: true, DryRunModifiers, CiphertextBlob }))).toEqual(
      dryRunSucceeded,
    )
  })
})

describe('Of symmetric keys too', () => {
  const text = fc.string({ unit: 'grapheme', maxLength: 40 })
  const context = fc.dictionary(text, text, { maxKeys: 6, noNullPrototype: true })
  const plaintext = fc.oneof(
    fc.uint8Array({ minLength: 1, maxLength: 100 }),
    fc.integer({ min: 1, max: 4096 }).map((length) => Buffer.alloc(length, length % 251)),
  )
  const terms = { KeyId: symmetric.keyId, EncryptionAlgorithm: undefined }

  test('Decrypt gives back what Encrypt was given, under any encryption context', async () => {
    await fc.assert(
      fc.asyncProperty(plaintext, context, async (Plaintext, EncryptionContext) => {
        const { CiphertextBlob } = await encrypt({ ...terms, Plaintext, EncryptionContext })
        const opened = await decrypt({ ...terms, CiphertextBlob, EncryptionContext })
        expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Buffer.from(Plaintext))
        expect(opened.KeyMaterialId).toBe(symmetric.materialId)
      }),
      { numRuns: 40 },
    )
  })

  test('Decrypt opens no blob that was changed beyond the name of its key', async () => {
    const blob = Buffer.from((await blobOf(bytes('hello'))) ?? [])
    const named = 25 // account and key id come before the material id
    const place = fc.oneof(fc.constantFrom(0, 1), fc.integer({ min: named, max: blob.length - 1 }))
    await fc.assert(
      fc.asyncProperty(place, fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const altered = Buffer.from(blob)
        altered[at] = (altered[at] ?? 0) ^ change
        expect(await refusalOf(decrypt({ ...terms, CiphertextBlob: altered }))).toEqual(invalid)
      }),
      { numRuns: 40 },
    )
  })
})
