import {
  DeleteImportedKeyMaterialCommand,
  ListKeyRotationsCommand,
  type ListKeyRotationsCommandInput,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { givenExternalKey, importInto, materialNamed } from '../../support/import.ts'
import { givenKey } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { DAY, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, europe } = stack

async function list(KeyId: string, input: Partial<ListKeyRotationsCommandInput> = {}, of = kms) {
  const { $metadata, ...answer } = await of.send(new ListKeyRotationsCommand({ KeyId, ...input }))
  return answer
}
const listAll = async (KeyId: string, of = kms) =>
  (await list(KeyId, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }, of)).Rotations

async function rotate(KeyId: string): Promise<void> {
  await kms.send(new RotateKeyOnDemandCommand({ KeyId }))
  await stack.advance(2 * MINUTE)
  await stack.rotate()
}

test('A key that never rotated has no rotations, and one material', async () => {
  const { keyId, arn, materialId } = await givenKey(kms)
  const nothing = { Rotations: [], Truncated: false }
  expect(await list(keyId)).toEqual(nothing)
  expect(await list(keyId, { IncludeKeyMaterial: 'ROTATIONS_ONLY' })).toEqual(nothing)
  expect(await listAll(keyId)).toEqual([
    { KeyId: arn, KeyMaterialId: materialId, KeyMaterialState: 'CURRENT' },
  ])
})

test('Rotations come oldest first; the first material is no rotation', async () => {
  const { keyId, arn, materialId } = await givenKey(kms)
  await rotate(keyId)
  await rotate(keyId)
  const { Rotations = [] } = await list(keyId)
  const entry = {
    KeyId: arn,
    KeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
    RotationDate: expect.any(Date),
    RotationType: 'ON_DEMAND',
  }
  expect(Rotations).toEqual([
    { ...entry, KeyMaterialState: 'NON_CURRENT' },
    { ...entry, KeyMaterialState: 'CURRENT' },
  ])
  expect(await listAll(keyId)).toEqual([
    { KeyId: arn, KeyMaterialId: materialId, KeyMaterialState: 'NON_CURRENT' },
    ...Rotations,
  ])
})

test('Material that a rotation has only prepared is not shown', async () => {
  const { keyId } = await givenKey(kms)
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  expect(await listAll(keyId)).toHaveLength(1)
})

test('Pages follow one another, and a page’s marker is good for the same question alone', async () => {
  const { keyId } = await givenKey(kms)
  const other = await givenKey(kms)
  for (let count = 0; count < 3; count++) await rotate(keyId)
  const all = await listAll(keyId)
  const listed: unknown[] = []
  const markers: (string | undefined)[] = []
  for (let Marker: string | undefined; ; ) {
    const page = await list(keyId, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 3, Marker })
    listed.push(...(page.Rotations ?? []))
    expect(page.Truncated).toBe(page.NextMarker !== undefined)
    if (page.NextMarker === undefined) break
    markers.push(page.NextMarker)
    Marker = page.NextMarker
  }
  expect(listed).toEqual(all)
  expect(markers).toHaveLength(1)
  const [Marker = ''] = markers
  const wrong = refused('InvalidMarkerException', null)
  const attempts = [
    () => list(keyId, { Marker }),
    () => list(other.keyId, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Marker }),
    () => list(keyId, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Marker: `A${Marker}` }),
    () => list(keyId, { Marker: 'nonsense' }),
  ]
  for (const attempt of attempts) expect(await refusalOf(attempt())).toEqual(wrong)
})

test.for([0, 1001])('A limit of %i is refused', async (Limit) => {
  const { keyId } = await givenKey(kms)
  expect((await refusalOf(list(keyId, { Limit }))).name).toBe('ValidationException')
})

test.for([
  { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
] as const)('Other keys have none, and show no material: $KeySpec', async (plan) => {
  const { keyId } = await givenKey(kms, plan)
  expect(await list(keyId)).toEqual({ Rotations: [], Truncated: false })
  for (const IncludeKeyMaterial of ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'] as const) {
    expect(await refusalOf(list(keyId, { IncludeKeyMaterial }))).toEqual(
      refused(
        'ValidationException',
        'Input parameter includeKeyMaterial can only be used with symmetric keys.',
      ),
    )
  }
})

test('Imported material shows whether it is here, its description and when it expires', async () => {
  const { keyId, arn } = await givenExternalKey(kms)
  expect(await listAll(keyId)).toEqual([])
  const ValidTo = new Date(Math.floor(stack.now() / 1000) * 1000 + 100 * DAY)
  const first = await importInto(kms, keyId, materialNamed('first'), {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo,
    KeyMaterialDescription: 'the first',
  })
  const shownFirst = {
    KeyId: arn,
    KeyMaterialId: first.KeyMaterialId,
    KeyMaterialDescription: 'the first',
    ImportState: 'IMPORTED',
    KeyMaterialState: 'CURRENT',
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo,
  }
  expect(await listAll(keyId)).toEqual([shownFirst])

  const second = await importInto(kms, keyId, materialNamed('second'), {
    ImportType: 'NEW_KEY_MATERIAL',
  })
  const shownSecond = {
    KeyId: arn,
    KeyMaterialId: second.KeyMaterialId,
    ImportState: 'IMPORTED',
    KeyMaterialState: 'PENDING_ROTATION',
    ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
  }
  expect(await listAll(keyId)).toEqual([shownFirst, shownSecond])
  expect((await list(keyId)).Rotations).toEqual([])

  await rotate(keyId)
  const rotated = {
    ...shownSecond,
    KeyMaterialState: 'CURRENT',
    RotationDate: expect.any(Date),
    RotationType: 'ON_DEMAND',
  }
  expect(await listAll(keyId)).toEqual([
    { ...shownFirst, KeyMaterialState: 'NON_CURRENT' },
    rotated,
  ])
  expect((await list(keyId)).Rotations).toEqual([rotated])

  const { KeyMaterialId } = first
  await kms.send(new DeleteImportedKeyMaterialCommand({ KeyId: keyId, KeyMaterialId }))
  const { ExpirationModel, ValidTo: _, ...rest } = shownFirst
  expect(await listAll(keyId)).toEqual([
    { ...rest, ImportState: 'PENDING_IMPORT', KeyMaterialState: 'NON_CURRENT' },
    rotated,
  ])
})

test('Material that has expired waits for its import, whether a schedule ran or not', async () => {
  const { keyId } = await givenExternalKey(kms)
  await importInto(kms, keyId, materialNamed('first'), {
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: new Date(stack.now() + DAY),
  })
  await stack.advance(2 * DAY)
  const [entry] = (await listAll(keyId)) ?? []
  expect(entry).toMatchObject({ ImportState: 'PENDING_IMPORT', KeyMaterialState: 'CURRENT' })
  expect(entry).not.toHaveProperty('ValidTo')
  expect(entry).not.toHaveProperty('ExpirationModel')
})

test('Of a set, staged material waits for its import everywhere, then for the rotation', async () => {
  const { keyId } = await givenExternalKey(kms, { MultiRegion: true })
  await importInto(kms, keyId, materialNamed('first'))
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  await importInto(europe, keyId, materialNamed('first'))
  await importInto(kms, keyId, materialNamed('second'), { ImportType: 'NEW_KEY_MATERIAL' })
  expect((await listAll(keyId))?.at(-1)).toMatchObject({
    ImportState: 'IMPORTED',
    KeyMaterialState: 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION',
  })
  await importInto(europe, keyId, materialNamed('second'))
  for (const client of [kms, europe]) {
    expect((await listAll(keyId, client))?.at(-1)).toMatchObject({
      ImportState: 'IMPORTED',
      KeyMaterialState: 'PENDING_ROTATION',
    })
  }
})

test('The record shows what was asked for, and no marker', async () => {
  const { keyId } = await givenKey(kms)
  await list(keyId, { IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 7 })
  const record = (await stack.records()).findLast(
    ({ eventName }) => eventName === 'ListKeyRotations',
  )
  expect(record?.requestParameters).toEqual({
    keyId,
    includeKeyMaterial: 'ALL_KEY_MATERIAL',
    limit: 7,
  })
})
