import { createHash, createPublicKey, verify as verifyByNode } from 'node:crypto'
import {
  GetPublicKeyCommand,
  type KeySpec,
  SignCommand,
  type SigningAlgorithmSpec,
  VerifyCommand,
} from '@aws-sdk/client-kms'
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
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const plan = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
const operation: KeyOperation = {
  target: stack,
  kms,
  name: 'Sign',
  key: await givenKey(kms, plan),
  plan,
  input: { Message: base64(Buffer.from('message')), SigningAlgorithm: 'ECDSA_SHA_256' },
}
const sign = caller(operation)

test('Sign answers with the key ARN, the algorithm and a signature, and with nothing else', async () => {
  const { status, json } = await sign()
  expect(status).toBe(200)
  expect(json).toEqual({
    KeyId: operation.key.arn,
    Signature: expect.stringMatching(/^ME/), // SEQUENCE, of less than 128 bytes
    SigningAlgorithm: 'ECDSA_SHA_256',
  })
})

describeNaming(operation)
describeStates(operation)
describeUsage(operation, [
  { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
])
describeDryRun(operation)

const digestOf = (algorithm: string, message: Buffer): Buffer =>
  createHash(`sha${algorithm.slice(-3)}`)
    .update(message)
    .digest()

interface SigningCase {
  readonly spec: KeySpec
  readonly algorithms: readonly SigningAlgorithmSpec[]
  /** Of a signature; ECDSA's DER has no one length. */
  readonly length: number | null
}
const rsaAlgorithms = ['PKCS1_V1_5_SHA_256', 'PKCS1_V1_5_SHA_384', 'PKCS1_V1_5_SHA_512']
  .concat('PSS_SHA_256', 'PSS_SHA_384', 'PSS_SHA_512')
  .map((name) => `RSASSA_${name}` as SigningAlgorithmSpec)

describe.each<SigningCase>([
  { spec: 'RSA_2048', algorithms: rsaAlgorithms, length: 256 },
  { spec: 'RSA_3072', algorithms: rsaAlgorithms, length: 384 },
  { spec: 'RSA_4096', algorithms: rsaAlgorithms, length: 512 },
  { spec: 'ECC_NIST_P256', algorithms: ['ECDSA_SHA_256'], length: null },
  { spec: 'ECC_NIST_P384', algorithms: ['ECDSA_SHA_384'], length: null },
  { spec: 'ECC_NIST_P521', algorithms: ['ECDSA_SHA_512'], length: null },
  { spec: 'ECC_SECG_P256K1', algorithms: ['ECDSA_SHA_256'], length: null },
])('With a key of spec $spec', ({ spec, algorithms, length }) => {
  test('a message and its digest are signed alike, for whoever has the public key', async () => {
    const { keyId: KeyId } = await givenKey(kms, { KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
    const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }))
    const key = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
    const raw = Buffer.alloc(4096, 7)
    for (const SigningAlgorithm of algorithms) {
      const digest = digestOf(SigningAlgorithm, raw)
      const kinds = { RAW: raw, DIGEST: digest } as const
      for (const MessageType of ['RAW', 'DIGEST'] as const) {
        const command = { KeyId, SigningAlgorithm, Message: kinds[MessageType], MessageType }
        const { Signature = new Uint8Array() } = await kms.send(new SignCommand(command))
        if (length !== null) expect(Signature).toHaveLength(length)
        const padding = SigningAlgorithm.includes('PSS') ? 6 : 1
        const rsa = { padding, saltLength: digest.length }
        const input = spec.startsWith('RSA') ? { key, ...rsa } : key
        const hash = `sha${SigningAlgorithm.slice(-3)}`
        expect(verifyByNode(hash, raw, input, Signature)).toBe(true)
        for (const other of ['RAW', 'DIGEST'] as const) {
          const asked = { ...command, Signature, MessageType: other, Message: kinds[other] }
          const { SignatureValid } = await kms.send(new VerifyCommand(asked))
          expect(SignatureValid).toBe(true)
        }
      }
    }
  })
})

test('Ed25519 signs messages, and Ed25519ph what it is given as a digest', async () => {
  const KeySpec = 'ECC_NIST_EDWARDS25519'
  const { keyId: KeyId } = await givenKey(kms, { KeySpec, KeyUsage: 'SIGN_VERIFY' })
  const Message = Buffer.alloc(64, 7)
  const pure = { KeyId, Message, SigningAlgorithm: 'ED25519_SHA_512' } as const
  const prehashed = {
    KeyId,
    Message,
    SigningAlgorithm: 'ED25519_PH_SHA_512',
    MessageType: 'DIGEST',
  } as const
  const signatures: string[] = []
  for (const command of [pure, prehashed]) {
    const { Signature } = await kms.send(new SignCommand(command))
    expect(Signature).toHaveLength(64)
    signatures.push(base64(Signature ?? new Uint8Array()))
    const { SignatureValid } = await kms.send(new VerifyCommand({ ...command, Signature }))
    expect(SignatureValid).toBe(true)
    expect(base64((await kms.send(new SignCommand(command))).Signature as Uint8Array)).toBe(
      signatures.at(-1),
    )
  }
  expect(signatures[0]).not.toBe(signatures[1])
})

test.each([
  ['ML_DSA_44', 2420],
  ['ML_DSA_65', 3309],
  ['ML_DSA_87', 4627],
] as const)('A key of spec %s signs a message and its mu alike', async (KeySpec, length) => {
  const { keyId: KeyId } = await givenKey(kms, { KeySpec, KeyUsage: 'SIGN_VERIFY' })
  const { PublicKey = new Uint8Array() } = await kms.send(new GetPublicKeyCommand({ KeyId }))
  const spki = createPublicKey({ key: Buffer.from(PublicKey), format: 'der', type: 'spki' })
  const message = Buffer.from('message')
  const shake = (...parts: readonly Uint8Array[]) =>
    parts.reduce((hash, part) => hash.update(part), createHash('shake256', { outputLength: 64 }))
  const tr = shake(spki.export({ format: 'raw-public' })).digest()
  const mu = shake(tr, Buffer.of(0, 0), message).digest()
  const kinds = { RAW: message, EXTERNAL_MU: mu } as const
  const SigningAlgorithm = 'ML_DSA_SHAKE_256'
  for (const MessageType of ['RAW', 'EXTERNAL_MU'] as const) {
    const command = { KeyId, SigningAlgorithm, MessageType, Message: kinds[MessageType] } as const
    const { Signature = new Uint8Array() } = await kms.send(new SignCommand(command))
    expect(Signature).toHaveLength(length)
    expect(verifyByNode(null, message, spki, Signature)).toBe(true)
    for (const other of ['RAW', 'EXTERNAL_MU'] as const) {
      const asked = { ...command, Signature, MessageType: other, Message: kinds[other] }
      expect((await kms.send(new VerifyCommand(asked))).SignatureValid).toBe(true)
    }
  }
})

describe('Sign refuses', () => {
  const usage = (algorithm: string) =>
    refusedWith(
      'InvalidKeyUsageException',
      `Algorithm ${algorithm} is incompatible with key spec ECC_NIST_P256.`,
    )

  test.each([
    'RSASSA_PSS_SHA_256',
    'ECDSA_SHA_384',
    'ML_DSA_SHAKE_256',
    'SM2DSA',
    'SYMMETRIC_DEFAULT',
  ])('the algorithm %s of other key specs', async (SigningAlgorithm) => {
    expect(await sign({ SigningAlgorithm })).toEqual(usage(SigningAlgorithm))
  })

  test('a kind of message that the key spec does not take', async () => {
    expect(await sign({ MessageType: 'EXTERNAL_MU' })).toEqual(
      refusedWith(
        'ValidationException',
        'Message type EXTERNAL_MU is incompatible with key spec ECC_NIST_P256.',
      ),
    )
  })

  test('a digest of another length', async () => {
    const Message = base64(Buffer.alloc(48))
    expect(await sign({ MessageType: 'DIGEST', Message })).toEqual(
      refusedWith('ValidationException', 'Digest is invalid length for algorithm ECDSA_SHA_256.'),
    )
  })

  test('the wrong state before the wrong algorithm', async () => {
    const { keyId, arn } = await givenKey(kms, plan)
    await callKms(stack, 'DisableKey', { KeyId: keyId })
    expect(await sign({ KeyId: keyId, SigningAlgorithm: 'SM2DSA' })).toEqual(
      refusedWith('DisabledException', `${arn} is disabled.`),
    )
  })

  test('a grant token that is none', async () => {
    const { json } = await sign({ GrantTokens: ['token'] })
    expect(json).toMatchObject({ __type: 'InvalidGrantTokenException' })
  })
})

describe('Sign tells broken constraints', () => {
  test('of what is missing, without saying that the message is null', async () => {
    expect(jsonOf(await callKms(stack, 'Sign', {}))).toEqual(
      violations(
        "Value null at 'keyId' must not be null",
        "Value at 'message' must not be null",
        "Value null at 'signingAlgorithm' must not be null",
      ),
    )
  })

  test('of an empty message', async () => {
    expect(await sign({ Message: '' })).toEqual(
      violations("Value at 'message' must have length greater than or equal to 1"),
    )
  })

  test('of a message of 4097 bytes, a kind of message and an algorithm that are none', async () => {
    const Message = base64(Buffer.alloc(4097))
    expect(await sign({ Message, MessageType: 'HASH', SigningAlgorithm: 'NONE' })).toEqual(
      violations(
        "Value at 'message' must have length less than or equal to 4096",
        "Value 'HASH' at 'messageType' must satisfy enum value set: [RAW, DIGEST, EXTERNAL_MU]",
        "Value 'NONE' at 'signingAlgorithm' must satisfy enum value set: [RSASSA_PSS_SHA_256, RSASSA_PSS_SHA_384, RSASSA_PSS_SHA_512, RSASSA_PKCS1_V1_5_SHA_256, RSASSA_PKCS1_V1_5_SHA_384, RSASSA_PKCS1_V1_5_SHA_512, ECDSA_SHA_256, ECDSA_SHA_384, ECDSA_SHA_512, ED25519_SHA_512, ED25519_PH_SHA_512, SM2DSA, ML_DSA_SHAKE_256]",
      ),
    )
  })
})
