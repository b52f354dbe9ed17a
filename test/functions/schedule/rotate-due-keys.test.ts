import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  type KMSClient,
  ListKeyRotationsCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, afterEach, describe, expect, test, vi } from 'vitest'
import { handler, rotateDueKeys } from '../../../functions/schedule/rotate-due-keys.ts'
import { cutShort } from '../../support/cut-short.ts'
import { type GivenKey, givenKey } from '../../support/kms.ts'
import { DAY, encrypted, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, europe } = stack
const rotating: string[] = []

/** So that a later test counts its own rotations alone. */
afterEach(async () => {
  for (const KeyId of rotating.splice(0)) {
    await kms.send(new DisableKeyRotationCommand({ KeyId })).catch(() => {})
  }
})

const statusOf = (KeyId: string, client = kms) =>
  client.send(new GetKeyRotationStatusCommand({ KeyId }))
const rotationsOf = async (KeyId: string, client: KMSClient = kms) =>
  (await client.send(new ListKeyRotationsCommand({ KeyId }))).Rotations ?? []
const currentOf = async (KeyId: string, client: KMSClient = kms) =>
  (await client.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.CurrentKeyMaterialId
const opens = async (CiphertextBlob: Uint8Array, client: KMSClient = kms) => {
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
}

async function givenRotatingKey(RotationPeriodInDays = 90): Promise<GivenKey> {
  const key = await givenKey(kms)
  await enableRotation(key.keyId, RotationPeriodInDays)
  return key
}

async function enableRotation(KeyId: string, RotationPeriodInDays: number): Promise<void> {
  await kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }))
  rotating.push(KeyId)
}

const told = async (keyId: string, name = 'RotateKey') =>
  (await stack.records()).filter(
    ({ eventName, resources }) =>
      eventName === name && resources?.some(({ ARN }) => ARN.endsWith(keyId)),
  )

test('A key rotates when its period is over, and not before', async () => {
  const { keyId, arn, materialId } = await givenRotatingKey()
  const old = await encrypted(kms, keyId)
  const { NextRotationDate } = await statusOf(keyId)
  await stack.advance(90 * DAY - MINUTE)
  expect(await stack.rotate()).toBe(0)
  expect(await currentOf(keyId)).toBe(materialId)
  await stack.advance(MINUTE)
  expect(await stack.rotate()).toBe(1)
  const current = await currentOf(keyId)
  expect(current).not.toBe(materialId)
  expect(await rotationsOf(keyId)).toEqual([
    {
      KeyId: arn,
      KeyMaterialId: current,
      KeyMaterialState: 'CURRENT',
      RotationDate: NextRotationDate,
      RotationType: 'AUTOMATIC',
    },
  ])
  await opens(old)
  await opens(await encrypted(kms, keyId))
  const { NextRotationDate: later } = await statusOf(keyId)
  expect(Number(later) - Number(NextRotationDate)).toBe(90 * DAY)
  expect(await stack.rotate()).toBe(0)
})

test('Key id, ARN, description, tags and aliases stay as they are', async () => {
  const { keyId } = await givenRotatingKey()
  const before = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
  await stack.advance(90 * DAY)
  await stack.rotate()
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
  expect({ ...KeyMetadata, CurrentKeyMaterialId: '' }).toEqual({
    ...before.KeyMetadata,
    CurrentKeyMaterialId: '',
  })
})

test('Period after period, each rotation has its own date', async () => {
  const { keyId } = await givenRotatingKey(100)
  const start = Number((await statusOf(keyId)).NextRotationDate)
  for (let period = 1; period <= 4; period++) {
    await stack.advance(100 * DAY)
    await stack.rotate()
  }
  const dates = (await rotationsOf(keyId)).map(({ RotationDate }) => Number(RotationDate))
  expect(dates).toEqual([0, 1, 2, 3].map((period) => start + period * 100 * DAY))
})

test('A clock that is moved on by a year rotates a key at each of its dates', async () => {
  const { keyId } = await givenRotatingKey(90)
  const first = Number((await statusOf(keyId)).NextRotationDate)
  const answer = await fetch(`${stack.admin.endpoint}/_keyhold/clock`, {
    method: 'POST',
    body: JSON.stringify({ advance: 'P365D' }),
  })
  expect(answer.status).toBe(200)
  const dates = (await rotationsOf(keyId)).map(({ RotationDate }) => Number(RotationDate))
  expect(dates).toEqual([0, 1, 2, 3].map((period) => first + period * 90 * DAY))
  expect(await told(keyId)).toHaveLength(4)
})

test('A key that could not be rotated for long rotates once, and its period restarts', async () => {
  const { keyId } = await givenRotatingKey()
  await stack.advance(400 * DAY)
  const now = stack.now()
  expect(await stack.rotate()).toBe(1)
  const [rotation] = await rotationsOf(keyId)
  expect(Math.abs(Number(rotation?.RotationDate) - now)).toBeLessThan(MINUTE)
  const { NextRotationDate } = await statusOf(keyId)
  expect(Number(NextRotationDate)).toBe(Number(rotation?.RotationDate) + 90 * DAY)
})

describe('A disabled key', () => {
  test('rotates once when it is enabled again', async () => {
    const { keyId, materialId } = await givenRotatingKey()
    const { NextRotationDate } = await statusOf(keyId)
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    await stack.advance(300 * DAY)
    expect(await stack.rotate()).toBe(0)
    expect(await statusOf(keyId)).toMatchObject({
      KeyRotationEnabled: true,
      RotationPeriodInDays: 90,
      NextRotationDate,
    })
    expect(await currentOf(keyId)).toBe(materialId)
    await kms.send(new EnableKeyCommand({ KeyId: keyId }))
    expect(await stack.rotate()).toBe(1)
    expect(await rotationsOf(keyId)).toHaveLength(1)
    expect(await stack.rotate()).toBe(0)
    expect(Number((await statusOf(keyId)).NextRotationDate)).toBeGreaterThan(stack.now() + 89 * DAY)
  })

  test('is not looked at again and again', async () => {
    const { keyId } = await givenRotatingKey()
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    const isDue = async () => {
      const due = await stack.services.store.rotations.due(stack.now(), 1000)
      return due.some((name) => name.keyId === keyId)
    }
    await stack.advance(90 * DAY)
    expect(await isDue()).toBe(true)
    let looks = 0
    for (let day = 0; day < 64; day++) {
      if (await isDue()) looks += 1
      await stack.rotate()
      expect(await isDue()).toBe(false)
      await stack.advance(DAY)
    }
    expect(looks).toBeGreaterThan(1)
    expect(looks).toBeLessThan(10)
  })

  test('that was enabled while a schedule took it for disabled is not forgotten', async () => {
    const { keyId } = await givenRotatingKey()
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    await stack.advance(90 * DAY)
    const { services } = stack
    const { rotations } = services.store
    const enablingFirst = {
      ...rotations,
      async put(...[key, next, rev]: Parameters<typeof rotations.put>) {
        if (key.keyId === keyId) await kms.send(new EnableKeyCommand({ KeyId: keyId }))
        await rotations.put(key, next, rev)
      },
    }
    await stack.rotate({ ...services, store: { ...services.store, rotations: enablingFirst } })
    await stack.rotate()
    expect(await rotationsOf(keyId)).toHaveLength(1)
  })

  test('has the rotation ended that had happened before, and is told of once', async () => {
    const { keyId, materialId } = await givenRotatingKey()
    await stack.advance(90 * DAY)
    await stack.rotate(cutShort(stack.services, 2, true).services)
    expect(await currentOf(keyId)).not.toBe(materialId)
    expect(await told(keyId)).toEqual([])
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    await stack.advance(DAY)
    await stack.rotate()
    expect(await told(keyId)).toHaveLength(1)
    await kms.send(new EnableKeyCommand({ KeyId: keyId }))
    expect(await stack.rotate()).toBe(0)
    expect(await rotationsOf(keyId)).toHaveLength(1)
  })

  test('ends the on-demand rotation that was asked for before', async () => {
    const { keyId, materialId } = await givenKey(kms)
    await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
    await kms.send(new DisableKeyCommand({ KeyId: keyId }))
    await stack.advance(2 * MINUTE)
    expect(await stack.rotate()).toBe(1)
    expect(await currentOf(keyId)).not.toBe(materialId)
    const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
    expect(KeyMetadata?.KeyState).toBe('Disabled')
  })
})

test('A key pending deletion does not rotate, and does again when it is kept and enabled', async () => {
  const { keyId, arn, materialId } = await givenRotatingKey()
  await stack.advance(80 * DAY)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays: 30 }))
  await stack.advance(15 * DAY)
  expect(await stack.rotate()).toBe(0)
  const { $metadata, ...status } = await statusOf(keyId)
  expect(status).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  expect(await statusOf(keyId)).toMatchObject({
    KeyRotationEnabled: true,
    RotationPeriodInDays: 90,
  })
  await stack.rotate()
  expect(await currentOf(keyId)).toBe(materialId)
  await kms.send(new EnableKeyCommand({ KeyId: keyId }))
  expect(await stack.rotate()).toBe(1)
})

test('A key pending deletion ends the on-demand rotation that was asked for before', async () => {
  const { keyId, materialId } = await givenKey(kms)
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
  expect(await statusOf(keyId)).toHaveProperty('OnDemandRotationStartDate')
  await stack.advance(2 * MINUTE)
  expect(await stack.rotate()).toBe(1)
  await kms.send(new CancelKeyDeletionCommand({ KeyId: keyId }))
  expect(await currentOf(keyId)).not.toBe(materialId)
  expect(await rotationsOf(keyId)).toMatchObject([{ RotationType: 'ON_DEMAND' }])
})

test('The audit trail tells of each rotation once', async () => {
  const { keyId, arn, materialId } = await givenRotatingKey()
  await stack.advance(90 * DAY)
  await stack.rotate()
  const records = await told(keyId)
  expect(records).toHaveLength(1)
  expect(records[0]).toMatchObject({
    userIdentity: { accountId: stack.admin.account, invokedBy: 'AWS Internal' },
    eventSource: 'kms.amazonaws.com',
    eventName: 'RotateKey',
    eventType: 'AwsServiceEvent',
    requestParameters: null,
    responseElements: null,
    readOnly: false,
    resources: [{ accountId: stack.admin.account, type: 'AWS::KMS::Key', ARN: arn }],
    serviceEventDetails: {
      rotationType: 'AUTOMATIC',
      keyOrigin: 'AWS_KMS',
      previousKeyMaterialId: materialId,
      currentKeyMaterialId: await currentOf(keyId),
      keyId,
    },
  })
  expect(await told(keyId, 'SynchronizeMultiRegionKey')).toEqual([])
})

test('A key whose rotation fails keeps no other one from rotating, and gets its turn later', async () => {
  const [bad, good] = [await givenRotatingKey(), await givenRotatingKey()]
  await stack.advance(90 * DAY)
  const { services } = stack
  const failing = {
    ...services.store.keys,
    async putMaterial(...[next, rev]: Parameters<typeof services.store.keys.putMaterial>) {
      if (next.keyId === bad.keyId) throw new Error('The store fails.')
      await services.store.keys.putMaterial(next, rev)
    },
  }
  await stack.rotate({ ...services, store: { ...services.store, keys: failing } })
  expect(await rotationsOf(good.keyId)).toHaveLength(1)
  expect(await rotationsOf(bad.keyId)).toHaveLength(0)
  const due = await services.store.rotations.due(stack.now(), 1000)
  expect(due.map(({ keyId }) => keyId)).not.toContain(bad.keyId)
  await stack.advance(10 * MINUTE)
  expect(await stack.rotate()).toBe(1)
  expect(await rotationsOf(bad.keyId)).toHaveLength(1)
})

/** A primary in us-east-1 with a replica in eu-west-1, usable. */
async function givenSet(): Promise<GivenKey> {
  const key = await givenKey(kms, { MultiRegion: true })
  await kms.send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  return key
}

const KINDS = { 'single-Region key': () => givenKey(kms), 'set of two': givenSet } as const

describe.for(Object.entries(KINDS))('The rotation of a %s', ([kind, given]) => {
  const clients = kind === 'set of two' ? [kms, europe] : [kms]

  test.for([true, false])(
    'that was cut short at any of its writes (which got through: %s) harms nothing and is taken up',
    async (through) => {
      for (let at = 1; ; at++) {
        const { keyId, materialId } = await given()
        await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
        const old = await encrypted(kms, keyId)
        await stack.advance(2 * MINUTE)
        const cut = cutShort(stack.services, at, through)
        await stack.rotate(cut.services)
        for (const client of clients) {
          const meanwhile = await encrypted(client, keyId)
          for (const opener of clients) await opens(meanwhile, opener)
          await opens(old, client)
        }
        await stack.advance(30 * MINUTE)
        await stack.rotate()
        const [rotation, ...more] = await rotationsOf(keyId)
        expect(more).toEqual([])
        expect(rotation).toMatchObject({ RotationType: 'ON_DEMAND', KeyMaterialState: 'CURRENT' })
        expect(rotation?.KeyMaterialId).not.toBe(materialId)
        for (const client of clients) {
          expect(await currentOf(keyId, client)).toBe(rotation?.KeyMaterialId)
          expect(await rotationsOf(keyId, client)).toMatchObject([
            { KeyMaterialId: rotation?.KeyMaterialId, RotationDate: rotation?.RotationDate },
          ])
          await opens(old, client)
        }
        expect(await statusOf(keyId)).not.toHaveProperty('OnDemandRotationStartDate')
        expect(new Set((await told(keyId)).map(({ eventID }) => eventID)).size).toBe(1)
        const bundle = await bundleOf(keyId)
        expect(bundle?.materials).toHaveLength(2)
        if (!cut.died) {
          expect(at).toBeGreaterThan(4)
          break
        }
      }
    },
  )

  test('that several runs do at once is one rotation', async () => {
    const { keyId } = await given()
    await enableRotation(keyId, 90)
    const old = await encrypted(kms, keyId)
    await stack.advance(90 * DAY)
    await Promise.all(Array.from({ length: 4 }, () => stack.rotate()))
    await stack.rotate()
    for (const client of clients) {
      expect(await rotationsOf(keyId, client)).toHaveLength(1)
      await opens(old, client)
      for (const opener of clients) await opens(await encrypted(client, keyId), opener)
    }
    expect(new Set((await told(keyId)).map(({ eventID }) => eventID)).size).toBe(1)
    expect((await bundleOf(keyId))?.materials).toHaveLength(2)
  })

  test('races with calls that change it, and none of them is lost', async () => {
    const { keyId } = await given()
    await enableRotation(keyId, 90)
    await stack.advance(90 * DAY)
    const enable = new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 200 })
    await Promise.all([stack.rotate(), kms.send(enable), stack.rotate()])
    await stack.rotate()
    expect(await statusOf(keyId)).toMatchObject({ RotationPeriodInDays: 200 })
    const rotations = await rotationsOf(keyId)
    expect(rotations.length).toBeLessThanOrEqual(1)
    expect(await currentOf(keyId)).toBe(
      rotations.at(-1)?.KeyMaterialId ?? (await bundleOf(keyId))?.materials[0]?.materialId,
    )
    await opens(await encrypted(kms, keyId))
  })
})

const bundleOf = (keyId: string) => {
  const { store, regions } = stack.services
  return store.keys.get(stack.admin.account, regions[0] as never, keyId as never)
}

test('A replica shows the rotation of its set, and what is encrypted in one Region opens in the other', async () => {
  const { keyId } = await givenSet()
  await enableRotation(keyId, 120)
  expect(await statusOf(keyId, europe)).toMatchObject({
    KeyRotationEnabled: true,
    RotationPeriodInDays: 120,
  })
  await stack.advance(120 * DAY)
  expect(await stack.rotate()).toBe(1)
  expect(await currentOf(keyId, europe)).toBe(await currentOf(keyId))
  await opens(await encrypted(kms, keyId), europe)
  await opens(await encrypted(europe, keyId), kms)
  expect(await told(keyId, 'SynchronizeMultiRegionKey')).toHaveLength(1)
})

test('New material lies there for a while before it is used', async () => {
  const { keyId, materialId } = await givenKey(kms)
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  await stack.advance(2 * MINUTE)
  const running = rotateDueKeys(stack.services, 400)
  await vi.waitFor(async () => expect((await bundleOf(keyId))?.materials).toHaveLength(2))
  expect(await currentOf(keyId)).toBe(materialId)
  await running
  expect(await currentOf(keyId)).not.toBe(materialId)
})

test('The function tells how many rotations there were', async () => {
  expect(await handler()).toEqual({ rotated: 0 })
})
