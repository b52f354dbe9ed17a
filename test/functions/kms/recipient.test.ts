import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateKeyCommand,
  DecryptCommand,
  DeriveSharedSecretCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyPairCommand,
  GenerateRandomCommand,
  GetPublicKeyCommand,
  type KMSClient,
  type RecipientInfo,
} from '@aws-sdk/client-kms'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { documentOf, givenEnclave, openEnveloped, pcr } from '../../support/attestation.ts'
import { pemOf } from '../../support/certificates.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { bytes, givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'

const enclave = givenEnclave()
let stack: InProcessStack
let folder = ''
let kms: KMSClient

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyhold-attestation-'))
  const file = join(folder, 'roots.pem')
  await writeFile(file, `${pemOf(givenEnclave().root)}\n${pemOf(enclave.root)}`)
  process.env.KEYHOLD_ATTESTATION_ROOT = file
  stack = await givenInProcessStack()
  kms = kmsClient(stack.stack)
})

afterAll(async () => {
  delete process.env.KEYHOLD_ATTESTATION_ROOT
  await stack.close()
  await rm(folder, { recursive: true, force: true })
})

const recipient = (differs: Readonly<Record<string, unknown>> = {}): RecipientInfo => ({
  KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
  AttestationDocument: documentOf(enclave, differs),
})
const opened = (enveloped: Uint8Array | undefined) =>
  openEnveloped(enveloped ?? new Uint8Array(), enclave.keyPair.privateKey)
const encrypted = async (KeyId: string) =>
  (await kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('hello') }))).CiphertextBlob

describe('For a recipient', () => {
  test('Decrypt gives the plaintext to the enclave alone', async () => {
    const { keyId, arn } = await givenKey(kms)
    const CiphertextBlob = await encrypted(keyId)
    const command = new DecryptCommand({ CiphertextBlob, Recipient: recipient() })
    const { $metadata, ...answer } = await kms.send(command)
    expect(answer).toEqual({
      KeyId: arn,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      CiphertextForRecipient: expect.any(Uint8Array),
    })
    expect(opened(answer.CiphertextForRecipient)).toEqual(bytes('hello'))
  })

  test('GenerateDataKey gives the data key to the enclave, and its ciphertext to everybody', async () => {
    const { keyId, arn } = await givenKey(kms)
    const { $metadata, ...answer } = await kms.send(
      new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', Recipient: recipient() }),
    )
    expect(answer).toEqual({
      KeyId: arn,
      CiphertextBlob: expect.any(Uint8Array),
      CiphertextForRecipient: expect.any(Uint8Array),
    })
    const { Plaintext } = await kms.send(
      new DecryptCommand({ CiphertextBlob: answer.CiphertextBlob }),
    )
    expect(opened(answer.CiphertextForRecipient)).toEqual(Buffer.from(Plaintext ?? []))
  })

  test('GenerateDataKeyPair gives the private key to the enclave', async () => {
    const { keyId, arn } = await givenKey(kms)
    const { $metadata, ...answer } = await kms.send(
      new GenerateDataKeyPairCommand({
        KeyId: keyId,
        KeyPairSpec: 'ECC_NIST_P256',
        Recipient: recipient(),
      }),
    )
    expect(answer).toEqual({
      KeyId: arn,
      KeyPairSpec: 'ECC_NIST_P256',
      PublicKey: expect.any(Uint8Array),
      PrivateKeyCiphertextBlob: expect.any(Uint8Array),
      CiphertextForRecipient: expect.any(Uint8Array),
    })
    const { Plaintext } = await kms.send(
      new DecryptCommand({ CiphertextBlob: answer.PrivateKeyCiphertextBlob }),
    )
    expect(opened(answer.CiphertextForRecipient)).toEqual(Buffer.from(Plaintext ?? []))
  })

  test('GenerateRandom gives its bytes to the enclave', async () => {
    const { $metadata, ...answer } = await kms.send(
      new GenerateRandomCommand({ NumberOfBytes: 1024, Recipient: recipient() }),
    )
    expect(answer).toEqual({ CiphertextForRecipient: expect.any(Uint8Array) })
    expect(opened(answer.CiphertextForRecipient)).toHaveLength(1024)
  })

  test('DeriveSharedSecret gives the secret to the enclave', async () => {
    const { KeyMetadata } = await kms.send(
      new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }),
    )
    const KeyId = KeyMetadata?.KeyId
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }))
    const input = { KeyId, PublicKey, KeyAgreementAlgorithm: 'ECDH' } as const
    const { SharedSecret } = await kms.send(new DeriveSharedSecretCommand(input))
    const { $metadata, ...answer } = await kms.send(
      new DeriveSharedSecretCommand({ ...input, Recipient: recipient() }),
    )
    expect(answer).toEqual({
      KeyId: KeyMetadata?.Arn,
      KeyAgreementAlgorithm: 'ECDH',
      KeyOrigin: 'AWS_KMS',
      CiphertextForRecipient: expect.any(Uint8Array),
    })
    expect(opened(answer.CiphertextForRecipient)).toEqual(Buffer.from(SharedSecret ?? []))
  })

  test('a dry run gives nothing', async () => {
    const { keyId } = await givenKey(kms)
    const command = new GenerateDataKeyCommand({
      KeyId: keyId,
      KeySpec: 'AES_128',
      Recipient: recipient(),
      DryRun: true,
    })
    expect((await refusalOf(kms.send(command))).name).toBe('DryRunOperationException')
  })

  test('the audit record says who it was', async () => {
    const { keyId, arn } = await givenKey(kms)
    const CiphertextBlob = await encrypted(keyId)
    await kms.send(new DecryptCommand({ CiphertextBlob, Recipient: recipient() }))
    const record = (await stack.records()).findLast(
      ({ eventName, resources }) => eventName === 'Decrypt' && resources?.[0]?.ARN === arn,
    )
    const hex = (index: number) => pcr(index).toString('hex')
    expect(record).toMatchObject({
      responseElements: null,
      additionalEventData: {
        recipient: {
          attestationDocumentModuleId: 'i-0123456789abcdef0-enc0123456789abcdef',
          attestationDocumentEnclaveImageDigest: hex(0),
          attestationDocumentEnclavePCR1: hex(1),
          attestationDocumentEnclavePCR2: hex(2),
          attestationDocumentEnclavePCR3: hex(3),
          attestationDocumentEnclavePCR4: hex(4),
          attestationDocumentEnclavePCR8: hex(8),
        },
      },
    })
  })
})

describe('Refused is', () => {
  const random = (Recipient: RecipientInfo) =>
    refusalOf(kms.send(new GenerateRandomCommand({ NumberOfBytes: 16, Recipient })))
  const because = (why: string) =>
    refused('ValidationException', `The attestation document is not valid: ${why}.`)

  test('a recipient without a document', async () => {
    expect(await random({ KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' })).toEqual(
      refused('ValidationException', 'The recipient has no attestation document.'),
    )
  })

  test('what is no document', async () => {
    expect(await random({ AttestationDocument: bytes('document') })).toEqual(
      because('it is not a COSE_Sign1 message with algorithm ES384'),
    )
  })

  test('a document under another root', async () => {
    expect(await random({ AttestationDocument: documentOf(givenEnclave()) })).toEqual(
      because('its certificates do not lead to a root that is trusted here'),
    )
  })

  test('a document that is too old', async () => {
    expect(await random(recipient({ timestamp: Date.now() - 301_000 }))).toEqual(
      because('it is older than five minutes'),
    )
  })

  test('a document without a public key', async () => {
    expect(await random(recipient({ public_key: null }))).toEqual(because('it has no public_key'))
  })

  test('a bad document, before the state of the key is told', async () => {
    const { keyId } = await givenKey(kms)
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    const Recipient = { AttestationDocument: bytes('document') }
    const command = new GenerateDataKeyCommand({ KeyId: keyId, KeySpec: 'AES_256', Recipient })
    expect((await refusalOf(kms.send(command))).name).toBe('ValidationException')
  })
})

describe('Policies', () => {
  const allowing = (condition: object) =>
    stack.user([
      {
        Effect: 'Allow',
        Action: 'kms:*',
        Resource: '*',
        Condition: { StringEqualsIgnoreCase: condition },
      },
    ])
  const hex = (index: number) => pcr(index).toString('hex')
  const random = (client: KMSClient, Recipient?: RecipientInfo) =>
    client.send(new GenerateRandomCommand({ NumberOfBytes: 16, Recipient }))

  test.for([
    ['kms:RecipientAttestation:ImageSha384', 0],
    ['kms:RecipientAttestation:PCR0', 0],
    ['kms:RecipientAttestation:PCR8', 8],
  ] as const)('can ask for %s', async ([key, index]) => {
    const client = (await allowing({ [key]: hex(index).toUpperCase() })).kms()
    await random(client, recipient())
    const other = { pcrs: new Map([[index, pcr(20)]]) }
    expect((await refusalOf(random(client, recipient(other)))).name).toBe('AccessDeniedException')
    expect((await refusalOf(random(client))).name).toBe('AccessDeniedException')
  })

  test('can ask for the registers of a NitroTPM, which are no enclave’s', async () => {
    const tpm = { pcrs: undefined, nitrotpm_pcrs: new Map([[4, pcr(4)]]) }
    const own = (await allowing({ 'kms:RecipientAttestation:NitroTPMPCR4': hex(4) })).kms()
    await random(own, recipient(tpm))
    expect((await refusalOf(random(own, recipient()))).name).toBe('AccessDeniedException')
    const enclaves = (await allowing({ 'kms:RecipientAttestation:PCR4': hex(4) })).kms()
    expect((await refusalOf(random(enclaves, recipient(tpm)))).name).toBe('AccessDeniedException')
  })

  test('are told nothing by a document that does not verify', async () => {
    const client = (await allowing({ 'kms:RecipientAttestation:PCR0': hex(0) })).kms()
    const AttestationDocument = documentOf(givenEnclave())
    expect((await refusalOf(random(client, { AttestationDocument }))).name).toBe(
      'AccessDeniedException',
    )
  })

  test('of a key can ask too', async () => {
    const { keyId } = await givenKey(kms)
    const CiphertextBlob = await encrypted(keyId)
    const client = (await allowing({ 'kms:RecipientAttestation:PCR3': hex(3) })).kms()
    const decrypt = (Recipient?: RecipientInfo) =>
      client.send(new DecryptCommand({ CiphertextBlob, Recipient }))
    expect(opened((await decrypt(recipient())).CiphertextForRecipient)).toEqual(bytes('hello'))
    expect((await refusalOf(decrypt())).name).toBe('AccessDeniedException')
  })
})

test('Without a root, documents are not supported', async () => {
  const file = process.env.KEYHOLD_ATTESTATION_ROOT ?? ''
  delete process.env.KEYHOLD_ATTESTATION_ROOT
  try {
    const command = new GenerateRandomCommand({ NumberOfBytes: 1, Recipient: recipient() })
    expect(await refusalOf(kms.send(command))).toEqual(
      refused('UnsupportedOperationException', null),
    )
  } finally {
    process.env.KEYHOLD_ATTESTATION_ROOT = file
  }
})

test('A root that cannot be read refuses every document, until it can', async () => {
  const file = process.env.KEYHOLD_ATTESTATION_ROOT ?? ''
  process.env.KEYHOLD_ATTESTATION_ROOT = join(folder, 'later.pem')
  const command = () => new GenerateRandomCommand({ NumberOfBytes: 1, Recipient: recipient() })
  try {
    expect((await refusalOf(kms.send(command()))).name).toBe('KMSInternalException')
    await writeFile(join(folder, 'later.pem'), pemOf(enclave.root))
    expect((await kms.send(command())).CiphertextForRecipient).toBeDefined()
  } finally {
    process.env.KEYHOLD_ATTESTATION_ROOT = file
  }
})
