import { diffieHellman, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { DeriveSharedSecretCommand } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { describeKeyUse, publicKeyOf } from '../../support/key-use.ts'
import { type GivenKey, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const made = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' } as const
const key = await givenKey(kms, made)
const encoded = (publicKey: KeyObject) => publicKey.export({ format: 'der', type: 'spki' })
const peer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
const PublicKey = encoded(peer.publicKey)

const derive = (input: object = {}) =>
  kms.send(
    new DeriveSharedSecretCommand({
      KeyId: key.keyId,
      KeyAgreementAlgorithm: 'ECDH',
      PublicKey,
      ...input,
    }),
  )
const secretOf = async (input: object): Promise<Buffer> =>
  Buffer.from((await derive(input)).SharedSecret ?? [])

describeKeyUse(
  {
    target: stack,
    kms,
    key,
    plan: made,
    name: 'DeriveSharedSecret',
    input: { KeyAgreementAlgorithm: 'ECDH', PublicKey: PublicKey.toString('base64') },
  },
  [
    { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
    { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
    { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
  ],
)

test('DeriveSharedSecret answers with the secret, and where the key comes from', async () => {
  const { $metadata: _, SharedSecret, ...answer } = await derive()
  expect(answer).toEqual({
    KeyId: key.arn,
    KeyAgreementAlgorithm: 'ECDH',
    KeyOrigin: 'AWS_KMS',
  })
  const own = (await publicKeyOf(kms, key.keyId)).key
  const agreed = diffieHellman({ privateKey: peer.privateKey, publicKey: own })
  expect(Buffer.from(SharedSecret ?? [])).toEqual(agreed)
})

describe.each([
  ['ECC_NIST_P256', 'prime256v1', 32],
  ['ECC_NIST_P384', 'secp384r1', 48],
  ['ECC_NIST_P521', 'secp521r1', 66],
] as const)('On %s', async (KeySpec, namedCurve, length) => {
  const given = (): Promise<GivenKey> => givenKey(kms, { ...made, KeySpec })
  const [one, two] = [await given(), await given()]
  const [first, second] = [await publicKeyOf(kms, one.keyId), await publicKeyOf(kms, two.keyId)]

  test(`two keys agree on ${length} bytes, and others do not`, async () => {
    const there = await secretOf({ KeyId: one.keyId, PublicKey: second.spki })
    expect(there).toHaveLength(length)
    expect(await secretOf({ KeyId: two.keyId, PublicKey: first.spki })).toEqual(there)
    const own = await secretOf({ KeyId: one.keyId, PublicKey: first.spki })
    expect(own).toHaveLength(length)
    expect(own).not.toEqual(there)
  })

  test('whoever has a key pair of the curve agrees with the key', async () => {
    for (let i = 0; i < 5; i++) {
      const pair = generateKeyPairSync('ec', { namedCurve })
      const agreed = diffieHellman({ privateKey: pair.privateKey, publicKey: first.key })
      const input = { KeyId: one.keyId, PublicKey: encoded(pair.publicKey) }
      expect(await secretOf(input)).toEqual(agreed)
    }
  })
})

describe('DeriveSharedSecret refuses without a word', () => {
  const ofCurve = (namedCurve: string) =>
    encoded(generateKeyPairSync('ec', { namedCurve }).publicKey)
  const offCurve = Buffer.from(PublicKey)
  offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1
  const wrong: readonly (readonly [string, Buffer])[] = [
    ['what is no key', Buffer.from('none')],
    ['a key of another curve', ofCurve('secp384r1')],
    ['a key of another curve of the same size', ofCurve('secp256k1')],
    ['a point that is not on the curve', offCurve],
    ['bytes after the key', Buffer.concat([PublicKey, Buffer.alloc(1)])],
    ['a key cut short', PublicKey.subarray(0, -1)],
    ['an RSA key', encoded(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)],
    [
      'a key of Diffie-Hellman over another kind of curve',
      encoded(generateKeyPairSync('x25519').publicKey),
    ],
    ['a private key', peer.privateKey.export({ format: 'der', type: 'pkcs8' })],
    ['a key as text', Buffer.from(peer.publicKey.export({ format: 'pem', type: 'spki' }))],
    ['a point without its key', PublicKey.subarray(-65)],
    [
      'the point at infinity',
      Buffer.from('3019301306072a8648ce3d020106082a8648ce3d03010703020000', 'hex'),
    ],
  ]

  test.each(wrong)('%s, in a dry run too', async (_what, bytes) => {
    const silent = refused('ValidationException', null)
    expect(await refusalOf(derive({ PublicKey: bytes }))).toEqual(silent)
    expect(await refusalOf(derive({ PublicKey: bytes, DryRun: true }))).toEqual(silent)
  })
})

test('DeriveSharedSecret tells broken constraints, all in one sentence', async () => {
  const answer = await callKms(stack, 'DeriveSharedSecret', {
    KeyAgreementAlgorithm: 'X25519',
    PublicKey: '',
  })
  const { status, json } = jsonOf(answer)
  const { __type, message } = json as { __type: string; message: string }
  expect([status, __type]).toEqual([400, 'ValidationException'])
  expect(message.split(/: (?=Value)|; /).sort()).toEqual([
    '3 validation errors detected',
    "Value 'X25519' at 'keyAgreementAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [ECDH]",
    "Value at 'publicKey' failed to satisfy constraint: Member must have length greater than or equal to 1",
    "Value null at 'keyId' failed to satisfy constraint: Member must not be null",
  ])
})
