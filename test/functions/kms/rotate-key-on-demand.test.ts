import {
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { cutShort } from '../../support/cut-short.ts'
import { givenExternalKey, importInto, materialNamed } from '../../support/import.ts'
import { givenKey } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { DAY, encrypted, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, europe } = stack

const rotate = async (KeyId: string) => {
  const { $metadata, ...answer } = await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
  return answer
}
const statusOf = (KeyId: string) => kms.send(new GetKeyRotationStatusCommand({ KeyId }))
const rotationsOf = async (KeyId: string, client: KMSClient = kms) =>
  (await client.send(new ListKeyRotationsCommand({ KeyId }))).Rotations ?? []
const metadataOf = async (KeyId: string) =>
  (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata
const currentOf = async (KeyId: string) => (await metadataOf(KeyId))?.CurrentKeyMaterialId

/** Lets what was asked for happen. */
async function complete(): Promise<void> {
  await stack.advance(2 * MINUTE)
  await stack.rotate()
}

const stage = (client: KMSClient, KeyId: string, name: string) =>
  importInto(client, KeyId, materialNamed(name), { ImportType: 'NEW_KEY_MATERIAL' })

async function givenImportedKey() {
  const key = await givenExternalKey(kms)
  const { KeyMaterialId = '' } = await importInto(kms, key.keyId, materialNamed('first'))
  return { ...key, materialId: KeyMaterialId }
}

test('It answers at once, and the material changes two minutes later', async () => {
  const { keyId, arn, materialId } = await givenKey(kms)
  const asked = stack.now()
  expect(await rotate(keyId)).toEqual({ KeyId: arn })
  const { OnDemandRotationStartDate, KeyRotationEnabled } = await statusOf(keyId)
  expect(KeyRotationEnabled).toBe(false)
  expect(Math.abs(Number(OnDemandRotationStartDate) - asked)).toBeLessThan(MINUTE)
  await stack.advance(1.5 * MINUTE)
  await stack.rotate()
  expect(await currentOf(keyId)).toBe(materialId)
  await stack.advance(0.5 * MINUTE)
  await stack.rotate()
  expect(await currentOf(keyId)).not.toBe(materialId)
  expect(await statusOf(keyId)).not.toHaveProperty('OnDemandRotationStartDate')
  expect(await rotationsOf(keyId)).toMatchObject([{ RotationType: 'ON_DEMAND' }])
})

test('It can be repeated while it is in progress, and is one rotation', async () => {
  const { keyId, arn } = await givenKey(kms)
  await Promise.all([rotate(keyId), rotate(keyId)])
  expect(await rotate(keyId)).toEqual({ KeyId: arn })
  await complete()
  await complete()
  expect(await rotationsOf(keyId)).toHaveLength(1)
})

test('It leaves the schedule of automatic rotation as it is', async () => {
  const { keyId } = await givenKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }))
  const { NextRotationDate } = await statusOf(keyId)
  await rotate(keyId)
  expect(await statusOf(keyId)).toMatchObject({ KeyRotationEnabled: true, NextRotationDate })
  await complete()
  expect(await statusOf(keyId)).toMatchObject({ KeyRotationEnabled: true, NextRotationDate })
})

test('Disabling automatic rotation does not end it', async () => {
  const { keyId } = await givenKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }))
  await rotate(keyId)
  await kms.send(new DisableKeyRotationCommand({ KeyId: keyId }))
  await complete()
  expect(await rotationsOf(keyId)).toHaveLength(1)
})

test('A key rotates on demand 25 times, and no more', async () => {
  const { keyId, arn } = await givenKey(kms)
  for (let count = 0; count < 25; count++) {
    await rotate(keyId)
    await complete()
  }
  expect(await rotationsOf(keyId)).toHaveLength(25)
  expect(await refusalOf(rotate(keyId))).toEqual(
    refused(
      'LimitExceededException',
      `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
    ),
  )
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  await stack.advance(90 * DAY)
  await stack.rotate()
  expect((await rotationsOf(keyId)).at(-1)).toMatchObject({ RotationType: 'AUTOMATIC' })
})

test('It is refused within the 20 minutes before an automatic rotation, and until that has happened', async () => {
  const { keyId } = await givenKey(kms)
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  await stack.advance(90 * DAY - 20 * MINUTE)
  expect((await refusalOf(rotate(keyId))).name).toBe('ConflictException')
  await stack.advance(20 * MINUTE)
  expect((await refusalOf(rotate(keyId))).name).toBe('ConflictException')
  await stack.rotate()
  await rotate(keyId)
  await complete()
  expect((await rotationsOf(keyId)).map(({ RotationType }) => RotationType)).toEqual([
    'AUTOMATIC',
    'ON_DEMAND',
  ])
})

test('A key with imported material needs material that waits', async () => {
  const { keyId, arn, materialId } = await givenImportedKey()
  expect(await refusalOf(rotate(keyId))).toEqual(
    refused(
      'KMSInvalidStateException',
      `No available key material pending rotation for the key: ${arn}.`,
    ),
  )
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  const old = await encrypted(kms, keyId)
  await rotate(keyId)
  expect(await currentOf(keyId)).toBe(materialId)
  await complete()
  expect(await currentOf(keyId)).toBe(KeyMaterialId)
  expect(await rotationsOf(keyId)).toMatchObject([
    { KeyMaterialId, RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' },
  ])
  expect(old.length).toBeGreaterThan(0)
  expect((await refusalOf(rotate(keyId))).name).toBe('KMSInvalidStateException')
})

test('A key that waits for its first import is refused for its state', async () => {
  const { keyId, arn } = await givenExternalKey(kms)
  expect(await refusalOf(rotate(keyId))).toEqual(
    refused('KMSInvalidStateException', `${arn} is pending import.`),
  )
})

test('Without the material that it was asked for, the request ends and is not counted', async () => {
  const { keyId, materialId } = await givenImportedKey()
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  await rotate(keyId)
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId, KeyMaterialId }))
  await complete()
  expect(await currentOf(keyId)).toBe(materialId)
  expect(await rotationsOf(keyId)).toEqual([])
  expect(await statusOf(keyId)).not.toHaveProperty('OnDemandRotationStartDate')
  const { account, regions, store } = { ...stack.admin, ...stack.services }
  const bundle = await store.keys.get(account, regions[0] as never, keyId as never)
  expect(bundle?.rotation).toMatchObject({ onDemandCount: 0, dueAt: null })
})

test('Material that takes the place of what was deleted is rotated to by the same request', async () => {
  const { keyId } = await givenImportedKey()
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  await rotate(keyId)
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId, KeyMaterialId }))
  const third = await stage(kms, keyId, 'third')
  await complete()
  expect(await currentOf(keyId)).toBe(third.KeyMaterialId)
})

test('Rotating to material that has expired meanwhile happens, and then it is missing', async () => {
  const { keyId } = await givenImportedKey()
  const { KeyMaterialId } = await importInto(kms, keyId, materialNamed('short'), {
    ImportType: 'NEW_KEY_MATERIAL',
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: new Date(stack.now() + DAY),
  })
  await stack.advance(2 * DAY)
  expect((await metadataOf(keyId))?.KeyState).toBe('Enabled')
  await rotate(keyId)
  await complete()
  expect(await metadataOf(keyId)).toMatchObject({
    KeyState: 'PendingImport',
    CurrentKeyMaterialId: KeyMaterialId,
  })
})

test('Keys of a set with imported material rotate when each of them has it', async () => {
  const { keyId } = await givenExternalKey(kms, { MultiRegion: true })
  await importInto(kms, keyId, materialNamed('first'))
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  await importInto(europe, keyId, materialNamed('first'))
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  expect(await refusalOf(rotate(keyId))).toEqual(
    refused(
      'KMSInvalidStateException',
      'Cannot perform key material rotation: Key material has not been imported for replicas of the Multi-Region key.',
    ),
  )
  await importInto(europe, keyId, materialNamed('second'))
  await rotate(keyId)
  await complete()
  for (const client of [kms, europe]) {
    expect(await rotationsOf(keyId, client)).toMatchObject([
      { KeyMaterialId, RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' },
    ])
    expect((await encrypted(client, keyId)).length).toBeGreaterThan(0)
  }
})

test('Keys of a set stay as they are when one of them lost the material meanwhile', async () => {
  const { keyId } = await givenExternalKey(kms, { MultiRegion: true })
  await importInto(kms, keyId, materialNamed('first'))
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  await importInto(europe, keyId, materialNamed('first'))
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  await importInto(europe, keyId, materialNamed('second'))
  await rotate(keyId)
  await europe.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId, KeyMaterialId }))
  await complete()
  expect(await statusOf(keyId)).not.toHaveProperty('OnDemandRotationStartDate')
  for (const client of [kms, europe]) expect(await rotationsOf(keyId, client)).toEqual([])
})

test('Material that is deleted while its rotation has begun leaves room for other material', async () => {
  const { keyId } = await givenImportedKey()
  const { KeyMaterialId } = await stage(kms, keyId, 'second')
  await rotate(keyId)
  await stack.advance(2 * MINUTE)
  await stack.rotate(cutShort(stack.services, 1, true).services)
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId, KeyMaterialId }))
  await stack.rotate()
  expect(await rotationsOf(keyId)).toEqual([])
  const third = await stage(kms, keyId, 'third')
  await rotate(keyId)
  await complete()
  expect(await currentOf(keyId)).toBe(third.KeyMaterialId)
})
