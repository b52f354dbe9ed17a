import { createHmac, generateKeyPairSync, randomBytes } from 'node:crypto'
import {
  CreateAliasCommand,
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetParametersForImportCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenExternalKey,
  givenParameters,
  type ImportOptions,
  importInto,
  materialNamed,
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

/** One wrapping key for each KMS key is enough; making them takes long. */
async function givenImporting(input: Parameters<typeof givenExternalKey>[1] = {}) {
  const key = await givenExternalKey(kms, input)
  const parameters = await givenParameters(kms, key.keyId)
  const put = (material: Uint8Array, options: ImportOptions = {}) =>
    importInto(kms, key.keyId, material, { parameters, ...options })
  const metadata = async () =>
    (await kms.send(new DescribeKeyCommand({ KeyId: key.keyId }))).KeyMetadata
  const remove = (KeyMaterialId?: string) =>
    kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.keyId, KeyMaterialId }))
  return { ...key, parameters, import: put, metadata, remove }
}

async function givenImported(material: Uint8Array = A, options: ImportOptions = {}) {
  const key = await givenImporting()
  const { KeyMaterialId = '' } = await key.import(material, options)
  return { ...key, materialId: KeyMaterialId }
}

const encrypt = (KeyId: string) =>
  kms.send(new EncryptCommand({ KeyId, Plaintext: bytes('hello') }))
const inDays = (days: number) => new Date(Date.now() + days * DAY)

describe('The first import', () => {
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

  test('of two that race lets one material become the key’s', async () => {
    const key = await givenImporting()
    const attempts = await Promise.allSettled([key.import(A), key.import(B)])
    const done = attempts.filter(({ status }) => status === 'fulfilled')
    // The one that came second found a key that has material, and was refused or is waiting.
    expect(done.length).toBeGreaterThanOrEqual(1)
    expect(await key.metadata()).toMatchObject({ KeyState: 'Enabled' })
    await encrypt(key.keyId)
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

describe('GetParametersForImport', () => {
  test('gives a key, and a token that lasts a day', async () => {
    const { keyId, arn } = await givenExternalKey(kms)
    const before = Date.now()
    const { $metadata, ...answer } = await kms.send(
      new GetParametersForImportCommand({
        KeyId: arn,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_2048',
      }),
    )
    expect(answer).toEqual({
      KeyId: `arn:aws:kms:us-east-1:${stack.account}:key/${keyId}`,
      ImportToken: expect.any(Uint8Array),
      PublicKey: expect.any(Uint8Array),
      ParametersValidTo: expect.any(Date),
    })
    expect(answer.PublicKey).toHaveLength(294)
    const left = (answer.ParametersValidTo?.getTime() ?? 0) - before
    expect(left).toBeGreaterThanOrEqual(DAY - SECOND)
    expect(left).toBeLessThanOrEqual(DAY + 10 * SECOND)
  })

  test('gives another key each time, and those before stay valid', async () => {
    const { keyId } = await givenExternalKey(kms)
    const [first, second] = [await givenParameters(kms, keyId), await givenParameters(kms, keyId)]
    expect(first.PublicKey).not.toEqual(second.PublicKey)
    await importInto(kms, keyId, A, { parameters: first })
    await importInto(kms, keyId, A, { parameters: second })
  })

  test.for([
    ['RSA_3072', 422],
    ['RSA_4096', 550],
  ] as const)('makes wrapping keys of %s', async ([spec, length]) => {
    const { keyId } = await givenExternalKey(kms)
    const parameters = await givenParameters(kms, keyId, 'RSAES_OAEP_SHA_1', spec)
    expect(parameters.PublicKey).toHaveLength(length)
    expect(parameters.ImportToken.length).toBeLessThanOrEqual(6144)
    await importInto(kms, keyId, A, { parameters })
  })

  test('refuses keys whose material was made here, and those pending deletion', async () => {
    const own = await givenKey(kms)
    expect(await refusalOf(givenParameters(kms, own.keyId))).toEqual(
      refused(
        'UnsupportedOperationException',
        `${own.arn} origin is AWS_KMS which is not valid for this operation.`,
      ),
    )
    const { keyId, arn } = await givenExternalKey(kms)
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
    expect(await refusalOf(givenParameters(kms, keyId))).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test.for([
    ['SYMMETRIC_DEFAULT', 'RSAES_PKCS1_V1_5', 'RSA_2048'],
    ['SYMMETRIC_DEFAULT', 'RSA_AES_KEY_WRAP_SHA_256', 'RSA_4096'],
    ['SYMMETRIC_DEFAULT', 'SM2PKE', 'SM2'],
    ['RSA_2048', 'RSAES_OAEP_SHA_256', 'RSA_4096'],
    ['ECC_NIST_P521', 'RSAES_OAEP_SHA_1', 'RSA_2048'],
  ] as const)('has no way for %s to come by %s with %s', async ([KeySpec, algorithm, spec]) => {
    const KeyUsage = KeySpec === 'SYMMETRIC_DEFAULT' ? 'ENCRYPT_DECRYPT' : 'SIGN_VERIFY'
    const { keyId } = await givenExternalKey(kms, { KeySpec, KeyUsage })
    expect(await refusalOf(givenParameters(kms, keyId, algorithm, spec))).toEqual(
      refused(
        'ValidationException',
        `Wrapping algorithm ${algorithm} and wrapping key spec ${spec} cannot be used to import a ${KeySpec} key.`,
      ),
    )
  })

  test('works on a disabled key', async () => {
    const { keyId, parameters } = await givenImported()
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    expect((await givenParameters(kms, keyId)).PublicKey).not.toEqual(parameters.PublicKey)
  })
})

describe('DeleteImportedKeyMaterial', () => {
  test('makes the key wait for the same material', async () => {
    const key = await givenImported()
    const { $metadata, ...answer } = await key.remove()
    expect(answer).toEqual({ KeyId: key.arn, KeyMaterialId: key.materialId })
    const metadata = await key.metadata()
    expect(metadata).toMatchObject({
      KeyState: 'PendingImport',
      Enabled: false,
      CurrentKeyMaterialId: key.materialId,
    })
    expect(metadata).not.toHaveProperty('ExpirationModel')
    expect(metadata).not.toHaveProperty('ValidTo')
    expect(await refusalOf(encrypt(key.keyId))).toEqual(
      refused('KMSInvalidStateException', `${key.arn} is pending import.`),
    )
  })

  test('succeeds again when there is nothing left', async () => {
    const key = await givenImported()
    await key.remove()
    expect((await key.remove(key.materialId)).KeyMaterialId).toBe(key.materialId)
  })

  test('succeeds for a key that never had any', async () => {
    const key = await givenImporting()
    const { $metadata, ...answer } = await key.remove()
    expect(answer).toEqual({ KeyId: key.arn })
  })

  test('knows the ids of the key’s own material only', async () => {
    const key = await givenImported()
    const { materialId } = await givenImported()
    expect(await refusalOf(key.remove(materialId))).toEqual(
      refused(
        'ValidationException',
        `Key material (id: ${materialId}) has never been imported into KMS key ${key.arn}.`,
      ),
    )
  })

  test('leaves a key that is pending deletion as it is', async () => {
    const key = await givenImported()
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    await key.remove()
    expect((await key.metadata())?.KeyState).toBe('PendingDeletion')
  })

  test('refuses keys whose material was made here', async () => {
    const { keyId, arn } = await givenKey(kms)
    const command = new DeleteImportedKeyMaterialCommand({ KeyId: keyId })
    expect(await refusalOf(kms.send(command))).toEqual(
      refused(
        'UnsupportedOperationException',
        `${arn} origin is AWS_KMS which is not valid for this operation.`,
      ),
    )
  })
})
