import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  CreateAliasCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  ImportKeyMaterialCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenImporting as given,
  givenExternalKey,
  givenParameters,
  type ImportOptions,
  givenImported as imported,
  importInto,
  materialNamed,
  wrapForImport,
} from '../../support/import.ts'
import { bytes, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms: KMSClient = kmsClient(stack)
const A = materialNamed('A')
const B = materialNamed('B')
const SECOND = 1000
const DAY = 24 * 60 * 60 * SECOND

const givenImporting = (input: CreateKeyCommandInput = {}) => given(kms, input)
const givenImported = () => imported(kms, A)

const encrypt = (KeyId: string) =>
  kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('hello') }))
const inDays = (days: number) => new Date(Date.now() + days * DAY)

describe('The first import', () => {
  test('needs nothing but the token, the material and how long it is to last', async () => {
    const { keyId, arn, parameters } = await givenImporting()
    const { $metadata, ...answer } = await kms.send(
      new ImportKeyMaterialCommand({
        KeyId: arn,
        ImportToken: parameters.ImportToken,
        EncryptedKeyMaterial: wrapForImport(parameters, A),
        ValidTo: inDays(1),
      }),
    )
    expect(answer.KeyId).toBe(arn)
    await encrypt(keyId)
  })

  test('enables the key and names its material', async () => {
    const key = await givenImporting()
    expect(await key.metadata()).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
    const { $metadata, ...answer } = await key.import(A)
    expect(answer).toEqual({
      KeyId: key.arn,
      KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    })
    expect(await key.metadata()).toMatchObject({
      KeyState: 'Enabled',
      Enabled: true,
      Origin: 'EXTERNAL',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      CurrentKeyMaterialId: answer.KeyMaterialId,
    })
    expect(await key.metadata()).not.toHaveProperty('ValidTo')
  })

  test('makes the key work', async () => {
    const { keyId, materialId } = await givenImported()
    const { CiphertextBlob } = await encrypt(keyId)
    const { Plaintext, KeyMaterialId } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(Plaintext ?? [])).toEqual(bytes('hello'))
    expect(KeyMaterialId).toBe(materialId)
  })

  test('keeps whole seconds of the date when the material expires', async () => {
    const key = await givenImporting()
    const ValidTo = new Date(Math.floor(inDays(10).getTime() / SECOND) * SECOND + 987)
    await key.import(A, { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo })
    expect(await key.metadata()).toMatchObject({
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ValidTo: new Date(ValidTo.getTime() - 987),
    })
  })

  test('names the same material differently under each key', async () => {
    expect((await givenImported()).materialId).not.toBe((await givenImported()).materialId)
  })

  test('of two that race lets one material become the key’s, and refuses the other', async () => {
    const key = await givenImporting()
    const attempts = await Promise.allSettled([key.import(A), key.import(B)])
    const refusals = attempts.filter(({ status }) => status === 'rejected')
    expect(refusals).toMatchObject([{ reason: { name: 'IncorrectKeyMaterialException' } }])
    expect(await key.metadata()).toMatchObject({ KeyState: 'Enabled' })
    await encrypt(key.keyId)
  })

  test('takes the same material from two that race', async () => {
    const key = await givenImporting()
    const [one, other] = await Promise.all([key.import(A), key.import(A)])
    expect(one.KeyMaterialId).toBe(other.KeyMaterialId)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
  })
})

describe('Importing the same material again', () => {
  test('changes when it expires', async () => {
    const key = await givenImported()
    const again = await key.import(A, { ExpirationModel: undefined, ValidTo: inDays(3) })
    expect(again.KeyMaterialId).toBe(key.materialId)
    expect((await key.metadata())?.ExpirationModel).toBe('KEY_MATERIAL_EXPIRES')
    await key.import(A)
    expect((await key.metadata())?.ExpirationModel).toBe('KEY_MATERIAL_DOES_NOT_EXPIRE')
  })

  test('brings back what was deleted, and what was encrypted under it', async () => {
    const key = await givenImported()
    const { CiphertextBlob } = await encrypt(key.keyId)
    await key.remove()
    expect((await refusalOf(encrypt(key.keyId))).name).toBe('KMSInvalidStateException')
    await key.import(A)
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(Plaintext ?? [])).toEqual(bytes('hello'))
  })

  test('enables a disabled key', async () => {
    const key = await givenImported()
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    await key.import(A)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
  })

  test('works with the token of the import before', async () => {
    const key = await givenImported()
    await key.import(A)
    expect((await key.import(A)).KeyMaterialId).toBe(key.materialId)
  })

  test.for(['deleted', 'present'])('is the only thing allowed while it is %s', async (how) => {
    const key = await givenImported()
    if (how === 'deleted') await key.remove()
    expect(await refusalOf(key.import(B))).toEqual(
      refused(
        'IncorrectKeyMaterialException',
        `Imported key material does not have the expected identifier (${key.materialId}).`,
      ),
    )
  })

  test('is checked against the id that is given', async () => {
    const key = await givenImported()
    const other = 'f'.repeat(64)
    expect((await key.import(A, { KeyMaterialId: key.materialId })).KeyMaterialId).toBe(
      key.materialId,
    )
    expect(await refusalOf(key.import(A, { KeyMaterialId: other }))).toEqual(
      refused(
        'IncorrectKeyMaterialException',
        `Imported key material does not have the expected identifier (${other}).`,
      ),
    )
  })
})

describe('New material', () => {
  const NEW = { ImportType: 'NEW_KEY_MATERIAL' } as const

  test('waits and changes nothing yet', async () => {
    const key = await givenImported()
    const { KeyMaterialId } = await key.import(B, NEW)
    expect(KeyMaterialId).not.toBe(key.materialId)
    expect((await key.metadata())?.CurrentKeyMaterialId).toBe(key.materialId)
    expect((await kms.send(new DecryptCommand(await encrypt(key.keyId)))).KeyMaterialId).toBe(
      key.materialId,
    )
  })

  test('does not enable a disabled key', async () => {
    const key = await givenImported()
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    await key.import(B, NEW)
    expect((await key.metadata())?.KeyState).toBe('Disabled')
  })

  test('must not be known already', async () => {
    const key = await givenImported()
    const known = (id: string | undefined) =>
      refused(
        'IncorrectKeyMaterialException',
        `Key material (id: ${id}) being imported as NEW_KEY_MATERIAL is already associated with KMS key ${key.arn}.`,
      )
    expect(await refusalOf(key.import(A, NEW))).toEqual(known(key.materialId))
    const { KeyMaterialId } = await key.import(B, NEW)
    expect(await refusalOf(key.import(B, NEW))).toEqual(known(KeyMaterialId))
  })

  test('waits alone', async () => {
    const key = await givenImported()
    const { KeyMaterialId: pending } = await key.import(B, NEW)
    const attempt = await refusalOf(key.import(materialNamed('C'), NEW))
    expect(attempt).toMatchObject({ name: 'KMSInvalidStateException', status: 400 })
    expect(attempt.message).toMatch(
      new RegExp(
        `^New key material \\(id: [0-9a-f]{64}\\) cannot be imported into KMS key ${key.arn}, because another key material \\(id: ${pending}\\) is pending rotation\\.$`,
      ),
    )
  })

  test('may come again, or make place for other, once it was deleted', async () => {
    const key = await givenImported()
    const { KeyMaterialId: pending } = await key.import(B, NEW)
    expect((await key.remove(pending)).KeyMaterialId).toBe(pending)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
    expect((await key.import(B, NEW)).KeyMaterialId).toBe(pending)
    await key.remove(pending)
    await key.import(materialNamed('C'), NEW)
  })

  test('that waits can be imported again by its id', async () => {
    const key = await givenImported()
    const { KeyMaterialId } = await key.import(B, NEW)
    expect((await key.import(B, { KeyMaterialId })).KeyMaterialId).toBe(KeyMaterialId)
    expect((await key.metadata())?.CurrentKeyMaterialId).toBe(key.materialId)
  })

  test('comes with no id', async () => {
    const key = await givenImported()
    expect(await refusalOf(key.import(B, { ...NEW, KeyMaterialId: key.materialId }))).toEqual(
      refused(
        'ValidationException',
        'Input parameter keyMaterialId cannot be used with NEW_KEY_MATERIAL importType.',
      ),
    )
  })

  test('is what a key without any is given, and nothing else', async () => {
    const key = await givenImporting()
    expect(await refusalOf(key.import(A, { ImportType: 'EXISTING_KEY_MATERIAL' }))).toEqual(
      refused('IncorrectKeyMaterialException', null),
    )
    await key.import(A, NEW)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
  })
})

describe('Keys that are not symmetric', () => {
  const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const

  test('show no material id', async () => {
    const key = await givenImporting(hmac)
    const { $metadata, ...answer } = await key.import(A)
    expect(answer).toEqual({ KeyId: key.arn })
    expect((await key.remove()).KeyMaterialId).toBeUndefined()
  })

  test('keep their one material for ever', async () => {
    const key = await givenImporting(hmac)
    await key.import(A)
    await key.remove()
    expect((await refusalOf(key.import(B))).name).toBe('IncorrectKeyMaterialException')
    await key.import(A)
    const { Mac } = await kms.send(
      new GenerateMacCommand({
        KeyId: key.keyId,
        MacAlgorithm: 'HMAC_SHA_256',
        Message: bytes('hello'),
      }),
    )
    expect(Buffer.from(Mac ?? [])).toEqual(createHmac('sha256', A).update('hello').digest())
  })

  test.for([
    ['importType', { ImportType: 'NEW_KEY_MATERIAL' }],
    ['keyMaterialId', { KeyMaterialId: 'a'.repeat(64) }],
    ['keyMaterialDescription', { KeyMaterialDescription: 'from the safe' }],
  ] as const)('take no %s', async ([parameter, options]) => {
    const key = await givenImporting(hmac)
    expect(await refusalOf(key.import(A, options))).toEqual(
      refused(
        'ValidationException',
        `Input parameter ${parameter} cannot be used with HMAC_256 imported keys.`,
      ),
    )
  })
})

describe('Expiry', () => {
  test.for<[string, ImportOptions, string]>([
    [
      'must be dated',
      { ExpirationModel: 'KEY_MATERIAL_EXPIRES' },
      'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
    ],
    [
      'is meant when nothing is said',
      { ExpirationModel: undefined },
      'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
    ],
    [
      'is not dated when there is none',
      { ValidTo: inDays(1) },
      'A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
    ],
    [
      'is not in the past',
      { ExpirationModel: undefined, ValidTo: inDays(-1) },
      'ValidTo must be in the future',
    ],
    [
      'is at most 365 days away',
      { ExpirationModel: undefined, ValidTo: inDays(365.01) },
      'ValidTo must be less than 365 days in the future',
    ],
  ])('%s', async ([, options, message]) => {
    const key = await givenExternalKey(kms)
    // What the token and the material are does not matter yet.
    const parameters = { ...(await somebodysParameters), ImportToken: bytes('no token') }
    expect(await refusalOf(importInto(kms, key.keyId, A, { parameters, ...options }))).toEqual(
      refused('ValidationException', message),
    )
  })

  test('may be 365 days away', async () => {
    const key = await givenImporting()
    await key.import(A, { ExpirationModel: undefined, ValidTo: inDays(365) })
  })
})

const somebodysParameters = givenExternalKey(kms).then(({ keyId }) => givenParameters(kms, keyId))

describe('A token', () => {
  test('of another key is refused', async () => {
    const { keyId } = await givenExternalKey(kms)
    const attempt = importInto(kms, keyId, A, { parameters: await somebodysParameters })
    expect(await refusalOf(attempt)).toEqual(refused('InvalidImportTokenException', null))
  })

  test('is refused when a bit of it was changed, or when it was cut', async () => {
    const { parameters, import: put } = await givenImporting()
    const token = Buffer.from(parameters.ImportToken)
    const changed = [0, 4, 20, 70, 300, token.length - 1].map((at) => {
      const other = Buffer.from(token)
      other[at] = (other[at] ?? 0) ^ 1
      return other
    })
    for (const ImportToken of [...changed, token.subarray(0, -1), token.subarray(0, 3)]) {
      expect(await refusalOf(put(A, { ImportToken }))).toEqual(
        refused('InvalidImportTokenException', null),
      )
    }
  })

  test('comes before the material is looked at', async () => {
    const { import: put } = await givenImporting()
    const options = { ImportToken: bytes('none'), EncryptedKeyMaterial: bytes('none') }
    expect((await refusalOf(put(A, options))).name).toBe('InvalidImportTokenException')
  })
})

describe('Material is refused', () => {
  const invalid = refused('InvalidCiphertextException', null)

  test('that was not wrapped for the key', async () => {
    const { import: put } = await givenImporting()
    expect(await refusalOf(put(A, { EncryptedKeyMaterial: randomBytes(256) }))).toEqual(invalid)
  })

  test.for([1, 16, 31, 33, 64])('of %i bytes for a symmetric key', async (length) => {
    const { import: put, metadata } = await givenImporting()
    expect(await refusalOf(put(randomBytes(length)))).toEqual(invalid)
    expect((await metadata())?.KeyState).toBe('PendingImport')
  })

  test.for([
    ['HMAC_224', 27],
    ['HMAC_256', 31],
    ['HMAC_384', 47],
    ['HMAC_512', 63],
    ['HMAC_512', 129],
  ] as const)('for %s when it has %i bytes', async ([KeySpec, length]) => {
    const { import: put } = await givenImporting({ KeySpec, KeyUsage: 'GENERATE_VERIFY_MAC' })
    expect(await refusalOf(put(randomBytes(length)))).toEqual(invalid)
  })

  test('that is a key of another curve', async () => {
    const { import: put } = await givenImporting({
      KeySpec: 'ECC_NIST_P256',
      KeyUsage: 'SIGN_VERIFY',
    })
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'secp256k1' })
    const other = privateKey.export({ type: 'pkcs8', format: 'der' })
    expect(await refusalOf(put(other))).toEqual(invalid)
  })
})

describe('ImportKeyMaterial refuses', () => {
  const attempt = async (KeyId: string) =>
    refusalOf(importInto(kms, KeyId, A, { parameters: await somebodysParameters }))

  test('a key whose material was made here, whatever its state', async () => {
    const { keyId, arn } = await givenKey(kms)
    const refusal = refused(
      'UnsupportedOperationException',
      `${arn} origin is AWS_KMS which is not valid for this operation.`,
    )
    expect(await attempt(keyId)).toEqual(refusal)
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    expect(await attempt(keyId)).toEqual(refusal)
  })

  test('a key that is pending deletion', async () => {
    const { keyId, arn } = await givenExternalKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
    expect(await attempt(keyId)).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test('aliases and keys that are not there', async () => {
    const { keyId, arn } = await givenExternalKey(kms)
    const AliasName = newAliasName()
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: keyId }))
    expect(await attempt(AliasName)).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
    const missing = `${arn.slice(0, -12)}000000000000`
    expect(await attempt(missing)).toEqual(
      refused('NotFoundException', `Key '${missing}' does not exist`),
    )
  })
})
