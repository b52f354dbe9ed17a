import {
  type CreateKeyCommandInput,
  DecryptCommand,
  DisableKeyCommand,
  EncryptCommand,
  type KMSClient,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { expireImportedMaterial } from '../../../functions/schedule/expire-imported-material.ts'
import { parseRegion, type Region } from '../../../shared/ids.ts'
import { parseKeyReference } from '../../../shared/keys/key-reference.ts'
import {
  givenImporting,
  givenParameters,
  type ImportOptions,
  importInto,
  materialNamed,
} from '../../support/import.ts'
import { bytes } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { DAY, encrypted, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, services } = stack
const A = materialNamed('A')
const B = materialNamed('B')
const C = materialNamed('C')
const NEW = { ImportType: 'NEW_KEY_MATERIAL' } as const

const inDays = (days: number): ImportOptions => ({
  ExpirationModel: 'KEY_MATERIAL_EXPIRES',
  ValidTo: new Date(stack.now() + days * DAY),
})

async function givenExpiring(days = 2, input: CreateKeyCommandInput = {}) {
  const key = await givenImporting(kms, input)
  const { KeyMaterialId = '' } = await key.import(A, inDays(days))
  return { ...key, materialId: KeyMaterialId }
}

const encrypt = (KeyId: string, client: KMSClient = kms) =>
  client.send(new EncryptCommand({ KeyId, Plaintext: bytes('hello') }))
const pendingImport = (arn: string) =>
  refused('KMSInvalidStateException', `${arn} is pending import.`)
/** The bytes of each material that the key has, as they lie in the store. */
const stored = async ({ arn }: { readonly arn: string }) => {
  const { account } = stack.admin
  const region = parseRegion('us-east-1') as Region
  const reference = parseKeyReference(arn, { account, region }, false)
  const found = await services.keys.find(reference, region, true)
  return found?.bundle.materials.map(({ wrapped }) => wrapped !== null)
}

describe('Material that expires', () => {
  test('stops working at its time, also before its bytes are removed', async () => {
    const key = await givenExpiring(2)
    await stack.advance(2 * DAY - MINUTE)
    await encrypt(key.keyId)
    await stack.advance(2 * MINUTE)
    expect(await refusalOf(encrypt(key.keyId))).toEqual(pendingImport(key.arn))
    const metadata = await key.metadata()
    expect(metadata).toMatchObject({
      KeyState: 'PendingImport',
      CurrentKeyMaterialId: key.materialId,
    })
    expect(metadata).not.toHaveProperty('ValidTo')
    expect(metadata).not.toHaveProperty('ExpirationModel')
    expect(await stored(key)).toEqual([true])
    expect(await expireImportedMaterial(services)).toBe(1)
    expect(await stored(key)).toEqual([false])
    expect(await expireImportedMaterial(services)).toBe(0)
  })

  test('is kept until its time has come', async () => {
    const key = await givenExpiring(2)
    await stack.advance(DAY)
    expect(await expireImportedMaterial(services)).toBe(0)
    await encrypt(key.keyId)
    await stack.advance(2 * DAY)
    await expireImportedMaterial(services)
  })

  test('works again when it is imported again', async () => {
    const key = await givenExpiring(1)
    const CiphertextBlob = await encrypted(kms, key.keyId)
    await stack.advance(1.01 * DAY)
    await expireImportedMaterial(services)
    const parameters = await givenParameters(kms, key.keyId)
    expect((await refusalOf(key.import(B, { parameters }))).name).toBe(
      'IncorrectKeyMaterialException',
    )
    await key.import(A, { parameters })
    const { Plaintext } = await kms.send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(Plaintext ?? [])).toEqual(bytes('hello'))
  })

  test('is recorded, with its id', async () => {
    const key = await givenExpiring(1)
    await stack.advance(1.01 * DAY)
    await expireImportedMaterial(services)
    const records = await stack.records()
    const record = records.findLast(({ eventName }) => eventName === 'DeleteExpiredKeyMaterial')
    expect(record).toMatchObject({
      eventType: 'AwsServiceEvent',
      requestParameters: null,
      responseElements: null,
      resources: [{ ARN: key.arn }],
      serviceEventDetails: { keyId: key.keyId, keyMaterialId: key.materialId },
    })
  })

  test('that was imported again with a later date stays', async () => {
    const key = await givenExpiring(1)
    const due = services.store.keys.dueForExpiry
    await stack.advance(1.01 * DAY)
    const candidates = await due(stack.now(), 100)
    await key.import(A, { parameters: await givenParameters(kms, key.keyId) })
    const keys = { ...services.store.keys, dueForExpiry: async () => candidates }
    expect(await expireImportedMaterial({ ...services, store: { ...services.store, keys } })).toBe(
      0,
    )
    await encrypt(key.keyId)
  })

  test('does not keep other material from going when it cannot be removed', async () => {
    const [first, second] = [await givenExpiring(1), await givenExpiring(1)]
    await stack.advance(1.01 * DAY)
    const { keys } = services.store
    const failing = {
      ...services,
      store: {
        ...services.store,
        keys: {
          ...keys,
          putMaterial: (...put: Parameters<typeof keys.putMaterial>) =>
            put[0].keyId === first.keyId
              ? Promise.reject(new Error('The store fails.'))
              : keys.putMaterial(...put),
        },
      },
    }
    expect(await expireImportedMaterial(failing)).toBe(1)
    expect(await stored(second)).toEqual([false])
    expect(await expireImportedMaterial(services)).toBe(1)
  })

  test('waits with its end while it waits for its rotation', async () => {
    const key = await givenImporting(kms)
    await key.import(A)
    const { KeyMaterialId } = await key.import(B, { ...NEW, ...inDays(1) })
    await stack.advance(2 * DAY)
    expect(await expireImportedMaterial(services)).toBe(0)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
    await stack.advance(5 * MINUTE)
    await stack.rotate()
    expect(await key.metadata()).toMatchObject({
      KeyState: 'PendingImport',
      CurrentKeyMaterialId: KeyMaterialId,
    })
    expect(await expireImportedMaterial(services)).toBe(1)
    expect(await stored(key)).toEqual([true, false])
  })
})

describe('A key that was rotated', () => {
  async function givenRotated() {
    const key = await givenImporting(kms)
    const { KeyMaterialId: first = '' } = await key.import(A)
    const CiphertextBlob = await encrypted(kms, key.keyId)
    const { KeyMaterialId: second = '' } = await key.import(B, NEW)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
    await stack.advance(5 * MINUTE)
    await stack.rotate()
    expect((await key.metadata())?.CurrentKeyMaterialId).toBe(second)
    return { ...key, first, second, CiphertextBlob }
  }

  test('needs all its material, also what is not current', async () => {
    const key = await givenRotated()
    await key.remove(key.first)
    expect(await refusalOf(encrypt(key.keyId))).toEqual(pendingImport(key.arn))
    // Without an id it is the missing one that is wanted.
    expect(await refusalOf(key.import(C))).toEqual(
      refused(
        'IncorrectKeyMaterialException',
        `Imported key material does not have the expected identifier (${key.first}).`,
      ),
    )
    expect((await key.import(A)).KeyMaterialId).toBe(key.first)
    const { Plaintext, KeyMaterialId } = await kms.send(
      new DecryptCommand({ CiphertextBlob: key.CiphertextBlob }),
    )
    expect(Buffer.from(Plaintext ?? [])).toEqual(bytes('hello'))
    expect(KeyMaterialId).toBe(key.first)
  })

  test('stays pending until the last material came back', async () => {
    const key = await givenRotated()
    await key.remove(key.first)
    await key.remove()
    await key.import(B)
    expect((await key.metadata())?.KeyState).toBe('PendingImport')
    await key.import(A)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
  })

  test('that is disabled is enabled by what completes it', async () => {
    const key = await givenRotated()
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    await key.remove(key.first)
    await key.import(A)
    expect((await key.metadata())?.KeyState).toBe('Enabled')
  })

  test('takes no former material as new', async () => {
    const key = await givenRotated()
    expect((await refusalOf(key.import(A, NEW))).message).toBe(
      `Key material (id: ${key.first}) being imported as NEW_KEY_MATERIAL is already associated with KMS key ${key.arn}.`,
    )
  })

  test('shows the earliest of the dates', async () => {
    const key = await givenRotated()
    const [late, early] = [inDays(9), inDays(3)]
    await key.import(A, { ...early, KeyMaterialId: key.first })
    await key.import(B, { ...late, KeyMaterialId: key.second })
    const seconds = Math.floor((early.ValidTo?.getTime() ?? 0) / 1000) * 1000
    expect((await key.metadata())?.ValidTo).toEqual(new Date(seconds))
  })

  test('shows no dates while any of its material is missing, also when it is pending deletion', async () => {
    const key = await givenRotated()
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    expect((await key.metadata())?.ExpirationModel).toBe('KEY_MATERIAL_DOES_NOT_EXPIRE')
    await key.remove(key.first)
    expect((await key.metadata())?.KeyState).toBe('PendingDeletion')
    expect(await key.metadata()).not.toHaveProperty('ExpirationModel')
  })
})

describe('A token', () => {
  test('lasts a day', async () => {
    const key = await givenImporting(kms)
    await stack.advance(DAY - MINUTE)
    await key.import(A)
    await stack.advance(2 * MINUTE)
    expect(await refusalOf(key.import(A))).toEqual(refused('ExpiredImportTokenException', null))
  })
})

describe('A replica', () => {
  const { europe } = stack

  async function givenReplica() {
    const key = await givenImporting(kms, { MultiRegion: true })
    const { KeyMaterialId: materialId = '' } = await key.import(A)
    await kms.send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: 'eu-west-1' }))
    await stack.advance(10 * MINUTE)
    const parameters = await givenParameters(europe, key.keyId)
    const arn = key.arn.replace('us-east-1', 'eu-west-1')
    return {
      ...key,
      materialId,
      replica: {
        arn,
        import: (material: Uint8Array, options: ImportOptions = {}) =>
          importInto(europe, key.keyId, material, { parameters, ...options }),
      },
    }
  }

  test('takes the material of its primary, and then opens what that encrypted', async () => {
    const { keyId, materialId, replica } = await givenReplica()
    const CiphertextBlob = await encrypted(kms, keyId)
    expect(await refusalOf(encrypt(keyId, europe))).toEqual(pendingImport(replica.arn))
    expect((await replica.import(A)).KeyMaterialId).toBe(materialId)
    const { Plaintext } = await europe.send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(Plaintext ?? [])).toEqual(bytes('hello'))
  })

  test('takes no other, nor anything as new, nor a description, nor its primary’s token', async () => {
    const { parameters, materialId, replica } = await givenReplica()
    expect(await refusalOf(replica.import(B))).toEqual(
      refused(
        'IncorrectKeyMaterialException',
        `Imported key material does not have the expected identifier (${materialId}).`,
      ),
    )
    expect(await refusalOf(replica.import(A, NEW))).toEqual(
      refused(
        'ValidationException',
        'Input parameter ImportType NEW_KEY_MATERIAL cannot be used on replica Multi-Region keys',
      ),
    )
    expect(await refusalOf(replica.import(A, { KeyMaterialDescription: 'mine' }))).toEqual(
      refused(
        'ValidationException',
        'Key material description can only be specified on primary Multi-Region keys',
      ),
    )
    expect(await refusalOf(replica.import(A, { parameters }))).toEqual(
      refused('InvalidImportTokenException', null),
    )
  })

  test('holds up the rotation until it has what its primary is to rotate to', async () => {
    const key = await givenReplica()
    await key.replica.import(A)
    const { KeyMaterialId: pending } = await key.import(B, NEW)
    const rotate = () => kms.send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
    expect((await refusalOf(rotate())).message).toBe(
      'Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.',
    )
    expect((await key.replica.import(B)).KeyMaterialId).toBe(pending)
    await rotate()
    await stack.advance(5 * MINUTE)
    await stack.rotate()
    const CiphertextBlob = await encrypted(europe, key.keyId)
    expect((await kms.send(new DecryptCommand({ CiphertextBlob }))).KeyMaterialId).toBe(pending)
  })

  test('of a rotated primary needs every material of it', async () => {
    const key = await givenImporting(kms, { MultiRegion: true })
    await key.import(A)
    await key.import(B, NEW)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
    await stack.advance(5 * MINUTE)
    await stack.rotate()
    await kms.send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: 'eu-west-1' }))
    await stack.advance(10 * MINUTE)
    const parameters = await givenParameters(europe, key.keyId)
    const arn = key.arn.replace('us-east-1', 'eu-west-1')
    await importInto(europe, key.keyId, B, { parameters })
    expect(await refusalOf(encrypt(key.keyId, europe))).toEqual(pendingImport(arn))
    await importInto(europe, key.keyId, A, { parameters })
    await encrypt(key.keyId, europe)
  })

  test('loses what waits when its primary does', async () => {
    const key = await givenReplica()
    await key.replica.import(A)
    const { KeyMaterialId: pending } = await key.import(B, NEW)
    await key.replica.import(B)
    await key.remove(pending)
    await key.import(C, NEW)
    expect((await refusalOf(key.replica.import(B))).name).toBe('IncorrectKeyMaterialException')
    await key.replica.import(C)
  })
})

test('Two imports that meet are both answered', async () => {
  const key = await givenImporting(kms)
  await key.import(A)
  const answers = await Promise.all([key.import(A), key.import(A), key.import(A)])
  expect(new Set(answers.map(({ KeyMaterialId }) => KeyMaterialId)).size).toBe(1)
})
