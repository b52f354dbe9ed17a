import { encapsulate as encapsulateOutside } from 'node:crypto'
import { DecapsulateCommand, EncapsulateCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { describeKeyUse, publicKeyOf } from '../../support/key-use.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const made = { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' } as const
const key = await givenKey(kms, made)
const EncapsulationAlgorithm = 'ML_KEM'

const encapsulate = (input: object = {}) =>
  kms.send(new EncapsulateCommand({ KeyId: key.keyId, EncapsulationAlgorithm, ...input }))
const { SharedSecret, SharedSecretCiphertextBlob } = await encapsulate()
const ciphertext = Buffer.from(SharedSecretCiphertextBlob ?? [])
const decapsulate = (input: object = {}) =>
  kms.send(
    new DecapsulateCommand({
      KeyId: key.keyId,
      EncapsulationAlgorithm,
      SharedSecretCiphertextBlob: ciphertext,
      ...input,
    }),
  )
const secretOf = async (input: object): Promise<Buffer> =>
  Buffer.from((await decapsulate(input)).SharedSecret ?? [])

const others = [
  { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
] as const
const common = { target: stack, kms, key, plan: made }
describeKeyUse({ ...common, name: 'Encapsulate', input: { EncapsulationAlgorithm } }, others)
const blob = { SharedSecretCiphertextBlob: ciphertext.toString('base64') }
describeKeyUse(
  { ...common, name: 'Decapsulate', input: { EncapsulationAlgorithm, ...blob } },
  others,
)

test('Encapsulate and Decapsulate answer with the key, the algorithm and the secret', async () => {
  const { $metadata: _, ...made } = await encapsulate()
  expect(made).toEqual({
    KeyId: key.arn,
    EncapsulationAlgorithm,
    SharedSecret: expect.any(Uint8Array),
    SharedSecretCiphertextBlob: expect.any(Uint8Array),
  })
  const { $metadata: __, ...opened } = await decapsulate()
  expect(opened).toEqual({ KeyId: key.arn, EncapsulationAlgorithm, SharedSecret })
})

describe.each([
  ['ML_KEM_512', 768],
  ['ML_KEM_768', 1088],
  ['ML_KEM_1024', 1568],
] as const)('A key of spec %s', async (KeySpec, length) => {
  const { keyId: KeyId } = await givenKey(kms, { ...made, KeySpec })

  test(`carries a secret of 32 bytes in ${length}`, async () => {
    const first = await encapsulate({ KeyId })
    const second = await encapsulate({ KeyId })
    expect(first.SharedSecret).toHaveLength(32)
    expect(first.SharedSecretCiphertextBlob).toHaveLength(length)
    expect(second.SharedSecret).not.toEqual(first.SharedSecret)
    const { SharedSecretCiphertextBlob } = first
    expect(await secretOf({ KeyId, SharedSecretCiphertextBlob })).toEqual(
      Buffer.from(first.SharedSecret ?? []),
    )
  })

  test('opens what was made elsewhere under its public half', async () => {
    const { key: publicKey } = await publicKeyOf(kms, KeyId)
    const outside = encapsulateOutside(publicKey)
    const SharedSecretCiphertextBlob = outside.ciphertext
    expect(await secretOf({ KeyId, SharedSecretCiphertextBlob })).toEqual(outside.sharedKey)
  })

  test('refuses a ciphertext of another length, in a dry run too', async () => {
    const invalid = refused('InvalidCiphertextException', null)
    for (const wrong of [1, length - 1, length + 1, 6144]) {
      const input = { KeyId, SharedSecretCiphertextBlob: Buffer.alloc(wrong, 1) }
      expect(await refusalOf(decapsulate(input))).toEqual(invalid)
      expect(await refusalOf(decapsulate({ ...input, DryRun: true }))).toEqual(invalid)
    }
  })
})

test('Decapsulate gives another secret, always the same, for a ciphertext that was changed', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(ciphertext.length * 8 - 1), async (bit) => {
      const SharedSecretCiphertextBlob = Buffer.from(ciphertext)
      SharedSecretCiphertextBlob[bit >> 3] =
        (SharedSecretCiphertextBlob[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const secret = await secretOf({ SharedSecretCiphertextBlob })
      expect(secret).toHaveLength(32)
      expect(secret).not.toEqual(Buffer.from(SharedSecret ?? []))
      expect(await secretOf({ SharedSecretCiphertextBlob })).toEqual(secret)
    }),
    { numRuns: 20 },
  )
})

test('Decapsulate gives another secret under another key', async () => {
  const { keyId: KeyId } = await givenKey(kms, made)
  expect(await secretOf({ KeyId })).not.toEqual(Buffer.from(SharedSecret ?? []))
})

test.each([
  ['Encapsulate', []],
  [
    'Decapsulate',
    [
      "Value null at 'sharedSecretCiphertextBlob' failed to satisfy constraint: Member must not be null",
    ],
  ],
])('%s tells broken constraints, all in one sentence', async (operation, more) => {
  const { status, json } = jsonOf(
    await callKms(stack, operation, { EncapsulationAlgorithm: 'KEM' }),
  )
  const { __type, message } = json as { __type: string; message: string }
  expect([status, __type]).toEqual([400, 'ValidationException'])
  expect(message.split(/: (?=Value)|; /).sort()).toEqual(
    [
      `${more.length + 2} validation errors detected`,
      "Value 'KEM' at 'encapsulationAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ML_KEM]",
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
      ...more,
    ].sort(),
  )
})
