/** What policies can ask of encryption, shared secrets and data key pairs, and what their records show. */
import { generateKeyPairSync, randomUUID } from 'node:crypto'
import {
  CreateAliasCommand,
  EncryptCommand,
  GenerateDataKeyPairCommand,
  GenerateDataKeyPairWithoutPlaintextCommand,
  ReEncryptCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { givenInProcessStack } from '../../support/in-process-stack.ts'
import { bytes, givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms } from '../../support/raw-call.ts'
import { refusalOf } from '../../support/refusal.ts'

const own = await givenInProcessStack()
afterAll(() => own.close())
const kms = kmsClient(own.stack)

const userWho = async (Action: unknown, Condition?: object) =>
  own.user([{ Effect: 'Allow', Action, Resource: '*', ...(Condition ? { Condition } : {}) }])
const outcome = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'allowed',
    (error: Error) => error.name,
  )

const key = await givenKey(kms)
const RSA = 'RSAES_OAEP_SHA_256'
const rsa = await givenKey(kms, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
const curve = await givenKey(kms, { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
const kem = await givenKey(kms, { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
const PublicKey = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey.export({
  format: 'der',
  type: 'spki',
})

describe('kms:ReEncryptOnSameKey compares the keys that the names lead to:', async () => {
  const { CiphertextBlob } = await kms.send(
    new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') }),
  )
  const other = await givenKey(kms)
  const [alias, otherAlias] = [await givenAlias(kms, key.keyId), await givenAlias(kms, other.keyId)]
  const aliasArn = key.arn.replace(/key\/.*/, alias)
  const only = (value: string) =>
    userWho('kms:ReEncrypt*', { Bool: { 'kms:ReEncryptOnSameKey': value } })
  const [same, different] = [await only('true'), await only('false')]
  const move = (by: typeof same, DestinationKeyId: string, SourceKeyId?: string) =>
    outcome(
      kmsClient(by).send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId, SourceKeyId })),
    )

  test.each([
    [key.keyId, undefined],
    [key.arn, key.keyId],
    [alias, undefined],
    [aliasArn, alias],
    [key.keyId.toUpperCase(), aliasArn],
  ])('to %s from %s is the same', async (to, from) => {
    expect(await move(same, to, from)).toBe('allowed')
    expect(await move(different, to, from)).toBe('AccessDeniedException')
  })

  test.each([
    [other.keyId, undefined],
    [other.arn, alias],
    [otherAlias, key.arn],
  ])('to %s from %s is not', async (to, from) => {
    expect(await move(same, to, from)).toBe('AccessDeniedException')
    expect(await move(different, to, from)).toBe('allowed')
  })

  test('a key that does not exist is another one', async () => {
    expect(await move(same, randomUUID())).toBe('AccessDeniedException')
    expect(await move(different, randomUUID())).toBe('NotFoundException')
    expect(await move(different, 'alias/absent')).toBe('NotFoundException')
    expect(await move(different, 'none')).toBe('NotFoundException')
  })

  test('an alias that was moved leads to its new key', async () => {
    const AliasName = `alias/${randomUUID()}`
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.keyId }))
    expect(await move(same, AliasName)).toBe('allowed')
    await callKms(own.stack, 'UpdateAlias', { AliasName, TargetKeyId: other.keyId })
    expect(await move(same, AliasName)).toBe('AccessDeniedException')
  })
})

test('kms:DataKeyPairSpec limits the kinds of key pairs, in both operations', async () => {
  const user = kmsClient(
    await userWho('kms:GenerateDataKeyPair*', {
      StringEquals: {
        'kms:DataKeyPairSpec': 'ECC_NIST_P384',
        'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
        'kms:EncryptionContext:team': 'payments',
      },
    }),
  )
  const input = { KeyId: key.keyId, EncryptionContext: { team: 'payments' } }
  const good = { ...input, KeyPairSpec: 'ECC_NIST_P384' } as const
  for (const Command of [GenerateDataKeyPairCommand, GenerateDataKeyPairWithoutPlaintextCommand]) {
    const attempt = (given: typeof good | object) =>
      outcome(user.send(new Command({ ...good, ...given })))
    expect(await attempt({})).toBe('allowed')
    expect(await attempt({ KeyPairSpec: 'ECC_NIST_P256' })).toBe('AccessDeniedException')
    expect(await attempt({ EncryptionContext: {} })).toBe('AccessDeniedException')
  }
})

test('kms:KeyAgreementAlgorithm is there to be asked for', async () => {
  const input = { KeyId: curve.keyId, KeyAgreementAlgorithm: 'ECDH' }
  const derive = async (algorithm: string) => {
    const user = await userWho('kms:DeriveSharedSecret', {
      StringEquals: { 'kms:KeyAgreementAlgorithm': algorithm },
    })
    const body = { ...input, PublicKey: PublicKey.toString('base64') }
    return (await callKms(user, 'DeriveSharedSecret', body)).status
  }
  expect(await derive('ECDH')).toBe(200)
  expect(await derive('X25519')).toBe(400)
})

test('kms:EncryptionAlgorithm is that of the request', async () => {
  const condition = { StringEquals: { 'kms:EncryptionAlgorithm': RSA } }
  const user = kmsClient(await userWho('kms:Encrypt', condition))
  const encrypt = (EncryptionAlgorithm: typeof RSA | 'RSAES_OAEP_SHA_1') =>
    outcome(
      user.send(
        new EncryptCommand({ KeyId: rsa.keyId, Plaintext: bytes('x'), EncryptionAlgorithm }),
      ),
    )
  expect(await encrypt(RSA)).toBe('allowed')
  expect(await encrypt('RSAES_OAEP_SHA_1')).toBe('AccessDeniedException')
})

test.each([
  [
    'DeriveSharedSecret',
    () => ({
      KeyId: curve.keyId,
      KeyAgreementAlgorithm: 'ECDH',
      PublicKey: PublicKey.toString('base64'),
    }),
  ],
  ['Encapsulate', () => ({ KeyId: kem.keyId, EncapsulationAlgorithm: 'ML_KEM' })],
  [
    'Decapsulate',
    () => ({
      KeyId: kem.keyId,
      EncapsulationAlgorithm: 'ML_KEM',
      SharedSecretCiphertextBlob: 'eA==',
    }),
  ],
  ['GenerateDataKeyPair', () => ({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256' })],
  [
    'GenerateDataKeyPairWithoutPlaintext',
    () => ({ KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256' }),
  ],
])('%s is a permission of its own', async (operation, input) => {
  const nearly = [
    'Encrypt',
    'Decrypt',
    'GenerateDataKey',
    'DeriveSharedSecret',
    'Encapsulate',
    'Decapsulate',
    'GenerateDataKeyPair',
    'GenerateDataKeyPairWithoutPlaintext',
  ]
    .filter((name) => name !== operation)
    .map((name) => `kms:${name}`)
  const told = async (actions: readonly string[]) => {
    const { body } = await callKms(await userWho(actions), operation, input())
    return (JSON.parse(body) as { __type?: string }).__type ?? 'allowed'
  }
  expect(await told(nearly)).toBe('AccessDeniedException')
  expect(await told([`kms:${operation}`])).toBe(
    operation === 'Decapsulate' ? 'InvalidCiphertextException' : 'allowed',
  )
})

describe('The record of', () => {
  /** Calls, and gives the answer with the one record that the call has left. */
  async function recorded(operation: string, input: object) {
    const { headers, body } = await callKms(own.stack, operation, input)
    const found = (await own.records()).filter(
      ({ requestID }) => requestID === headers['x-amzn-requestid'],
    )
    expect(found).toHaveLength(1)
    const record = found[0] as AuditRecord
    return { record, answer: JSON.parse(body) as Readonly<Record<string, string>> }
  }
  const resource = ({ arn }: { readonly arn: string }) => ({
    accountId: own.stack.account,
    type: 'AWS::KMS::Key',
    ARN: arn,
  })
  /** No more of the answer than the ciphertexts' and keys' owner knows: no value of it that is not a name. */
  const expectNoSecret = (record: AuditRecord, answer: Readonly<Record<string, string>>) => {
    const text = JSON.stringify(record)
    const secrets = ['Plaintext', 'CiphertextBlob', 'SharedSecret', 'SharedSecretCiphertextBlob']
      .concat('PrivateKeyPlaintext', 'PrivateKeyCiphertextBlob')
      .flatMap((name) => answer[name] ?? [])
    expect(secrets.length).toBeGreaterThan(0)
    for (const secret of secrets) expect(text).not.toContain(secret)
  }

  test('DeriveSharedSecret shows the peer and no secret', async () => {
    const publicKey = PublicKey.toString('base64')
    const input = { KeyId: curve.keyId, KeyAgreementAlgorithm: 'ECDH', PublicKey: publicKey }
    const { record, answer } = await recorded('DeriveSharedSecret', input)
    expect(record).toMatchObject({
      eventName: 'DeriveSharedSecret',
      readOnly: true,
      requestParameters: { keyId: curve.keyId, keyAgreementAlgorithm: 'ECDH', publicKey },
      responseElements: null,
      resources: [resource(curve)],
    })
    expectNoSecret(record, answer)
    const { record: refusal } = await recorded('DeriveSharedSecret', {
      ...input,
      PublicKey: 'eA==',
    })
    expect(refusal).toMatchObject({ errorCode: 'ValidationException', responseElements: null })
    expect(refusal).not.toHaveProperty('errorMessage')
  })

  test('Encapsulate and Decapsulate shows the algorithm and no secret', async () => {
    const input = { KeyId: kem.keyId, EncapsulationAlgorithm: 'ML_KEM' }
    const made = await recorded('Encapsulate', input)
    const { SharedSecretCiphertextBlob } = made.answer
    const opened = await recorded('Decapsulate', { ...input, SharedSecretCiphertextBlob })
    expect(opened.answer.SharedSecret).toBe(made.answer.SharedSecret)
    for (const { record, answer } of [made, opened]) {
      expect(record).toMatchObject({
        readOnly: true,
        responseElements: null,
        resources: [resource(kem)],
      })
      expect(record.requestParameters).toEqual({
        keyId: kem.keyId,
        encapsulationAlgorithm: 'ML_KEM',
      })
      expectNoSecret(record, { ...made.answer, ...answer })
    }
  })

  test.each(['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext'])(
    '%s shows the spec, the context and the material',
    async (operation) => {
      const EncryptionContext = { team: 'payments' }
      const input = { KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext }
      const { record, answer } = await recorded(operation, input)
      expect(record).toMatchObject({
        eventName: operation,
        readOnly: true,
        responseElements: null,
        additionalEventData: { keyMaterialId: key.materialId },
        resources: [resource(key)],
      })
      expect(record.requestParameters).toEqual({
        keyId: key.keyId,
        keyPairSpec: 'ECC_NIST_P256',
        encryptionContext: EncryptionContext,
      })
      expectNoSecret(record, answer)
    },
  )

  test('encryption under an RSA key shows the algorithm, and no material', async () => {
    const terms = { KeyId: rsa.keyId, EncryptionAlgorithm: RSA }
    const sealed = await recorded('Encrypt', { ...terms, Plaintext: 'c2VjcmV0IHRleHQ=' })
    const { CiphertextBlob } = sealed.answer
    const opened = await recorded('Decrypt', { ...terms, CiphertextBlob })
    expect(opened.answer.Plaintext).toBe('c2VjcmV0IHRleHQ=')
    expect(sealed.record.requestParameters).toEqual({
      keyId: rsa.keyId,
      encryptionAlgorithm: RSA,
    })
    expect(opened.record.requestParameters).toEqual({ keyId: rsa.arn, encryptionAlgorithm: RSA })
    for (const { record } of [sealed, opened]) {
      expect(record).not.toHaveProperty('additionalEventData')
      expect(record.resources).toEqual([resource(rsa)])
      expectNoSecret(record, { ...sealed.answer, ...opened.answer })
    }
    const moved = await recorded('ReEncrypt', {
      CiphertextBlob,
      SourceKeyId: rsa.keyId,
      SourceEncryptionAlgorithm: RSA,
      DestinationKeyId: key.keyId,
    })
    expect(moved.record.additionalEventData).toEqual({ destinationKeyMaterialId: key.materialId })
    expect(moved.record.resources).toEqual([resource(rsa), resource(key)])
  })
})

test('A user without any permission learns nothing of a key pair', async () => {
  const user = await userWho('kms:ListKeys')
  const attempt = kmsClient(user).send(
    new GenerateDataKeyPairCommand({ KeyId: rsa.keyId, KeyPairSpec: 'SM2' }),
  )
  expect((await refusalOf(attempt)).name).toBe('AccessDeniedException')
})
