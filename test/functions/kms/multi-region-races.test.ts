/** Rotation, replication, promotion and deletion of one set of multi-Region keys at the same time. */
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  EncryptCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { rotateDueKeys } from '../../../functions/schedule/rotate-due-keys.ts'
import { type KeyId, parseKeyId, type Region } from '../../../shared/ids.ts'
import { prepareRotation } from '../../../shared/keys/key-rotation.ts'
import { createReplica } from '../../../shared/keys/replication.ts'
import { bytes } from '../../support/kms.ts'
import {
  EAST,
  givenMultiRegionStack,
  IRELAND,
  type MultiRegionKey,
  WEST,
} from '../../support/multi-region.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
afterEach(() => vi.restoreAllMocks())
const { account, clock, kms, services } = stack
const { store, keys } = services
const [MINUTE, DAY] = [60 * 1000, 24 * 60 * 60 * 1000]

/** Lets something happen right before the next write of a key's row, or of its material. */
function beforeNext(write: 'update' | 'putMaterial', happens: () => Promise<unknown>): void {
  const real: (...args: never[]) => Promise<void> = store.keys[write]
  vi.spyOn(store.keys, write).mockImplementationOnce(async (...args: readonly unknown[]) => {
    await happens()
    await real(...(args as never[]))
  })
}

function gate() {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { open, passed }
}

const nameOf = ({ keyId }: MultiRegionKey) => ({
  account,
  region: EAST as Region,
  keyId: parseKeyId(keyId) as KeyId,
})
const promote = ({ keyId }: MultiRegionKey, to: string, from: string = EAST) =>
  kms(from).send(new UpdatePrimaryRegionCommand({ KeyId: keyId, PrimaryRegion: to }))
const schedule = ({ keyId }: MultiRegionKey, region: string, PendingWindowInDays: number) =>
  kms(region).send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays }))
const currentIn = async (key: MultiRegionKey, region: string) =>
  (await stack.describe(key, region)).CurrentKeyMaterialId

async function givenDueRotation(key: MultiRegionKey, primary: string = EAST): Promise<void> {
  await kms(primary).send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
  clock.offset += 10 * MINUTE
}

/** What any key of the set encrypts, every key of it decrypts; and all of them agree on what is current. */
async function expectOneSet(key: MultiRegionKey, regions: readonly string[]): Promise<void> {
  const current = await currentIn(key, EAST)
  for (const region of regions) {
    expect(await currentIn(key, region)).toBe(current)
    const sealed = await kms(region).send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') }),
    )
    for (const other of regions) {
      const opened = await kms(other).send(
        new DecryptCommand({ CiphertextBlob: sealed.CiphertextBlob }),
      )
      expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
    }
  }
}

test('A rotation during which another key becomes the primary is that of the whole set', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  const before = await currentIn(key, EAST)
  await givenDueRotation(key)
  beforeNext('update', () => promote(key, WEST))
  expect(await rotateDueKeys(services)).toBe(1)
  expect(await currentIn(key, WEST)).not.toBe(before)
  await expectOneSet(key, [EAST, WEST, IRELAND])
})

test('A new primary gets material that was made before it became that and not shared yet', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  const before = await currentIn(key, EAST)
  await givenDueRotation(key)
  beforeNext('putMaterial', () => promote(key, WEST))
  expect(await rotateDueKeys(services)).toBe(1)
  expect(await currentIn(key, WEST)).not.toBe(before)
  await expectOneSet(key, [EAST, WEST, IRELAND])
})

test('Material that a cut left in a former primary keeps no new one from rotating', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  await givenDueRotation(key)
  const first = store.keys.putMaterial
  const left: string[] = []
  vi.spyOn(store.keys, 'putMaterial').mockImplementationOnce(async (...args) => {
    left.push(args[0].materialId)
    await first(...args)
    throw new Error('The store is gone.')
  })
  await expect(prepareRotation(nameOf(key), services)).rejects.toThrow('The store is gone.')
  await promote(key, WEST)
  clock.offset += MINUTE
  expect(await rotateDueKeys(services)).toBe(1)
  await expectOneSet(key, [EAST, WEST, IRELAND])
  expect(await currentIn(key, EAST)).not.toBe(left[0])
  await givenDueRotation(key, WEST)
  expect(await rotateDueKeys(services)).toBe(1)
  await expectOneSet(key, [EAST, WEST, IRELAND])
})

test('A replica that joins between the sharing of new material and its first use follows', async () => {
  const key = await stack.key()
  const primary = (await stack.stored(key, EAST)) ?? expect.unreachable()
  const { document: policy } = primary.policy
  const plan = { region: WEST as Region, description: '', tags: [], policy }
  await givenDueRotation(key)
  const [shared, joined, rotated] = [gate(), gate(), gate()]
  beforeNext('update', async () => {
    shared.open()
    await joined.passed
  })
  let rotating = Promise.resolve(0)
  const relatedKeys: typeof store.relatedKeys = {
    ...store.relatedKeys,
    async put(next, rev) {
      if (next.replicas.length === 1) {
        rotating = rotateDueKeys(services)
        await shared.passed
      }
      await store.relatedKeys.put(next, rev)
    },
  }
  const own: typeof store.keys = {
    ...store.keys,
    async putMaterial(...args) {
      joined.open()
      await rotated.passed
      await store.keys.putMaterial(...args)
    },
  }
  const slow = { ...services, store: { ...store, keys: own, relatedKeys } }
  const making = createReplica(keys.found(primary), plan, slow)
  await joined.passed
  expect(await rotating).toBe(1)
  rotated.open()
  await making
  clock.offset += 1000
  expect(await currentIn(key, EAST)).not.toBe(primary.key.current)
  await expectOneSet(key, [EAST, WEST])
})

test('A primary that became a replica while its deletion was scheduled waits for its date', async () => {
  const key = await stack.keyWithReplicas(WEST)
  beforeNext('update', () => promote(key, WEST))
  const now = clock.now()
  const answer = await schedule(key, EAST, 7)
  expect(answer.KeyState).toBe('PendingDeletion')
  expect((answer.DeletionDate?.getTime() ?? 0) - now).toBeLessThanOrEqual(7 * DAY + MINUTE)
  const described = await stack.describe(key, EAST)
  expect(described).toMatchObject({ KeyState: 'PendingDeletion' })
  expect(described.DeletionDate).toEqual(answer.DeletionDate)
})

test('A replica that became the primary while its deletion was scheduled waits for its replicas', async () => {
  const key = await stack.keyWithReplicas(WEST)
  beforeNext('update', () => promote(key, WEST))
  const { DeletionDate, ...answer } = await schedule(key, WEST, 9)
  expect(answer).toMatchObject({ KeyState: 'PendingReplicaDeletion', PendingWindowInDays: 9 })
  expect(DeletionDate).toBeUndefined()
  expect((await stack.describe(key, WEST)).PendingDeletionWindowInDays).toBe(9)
})

test('A promotion lets the keys wait as they have to whose deletion came before it', async () => {
  const key = await stack.keyWithReplicas(WEST)
  const { put } = store.relatedKeys
  vi.spyOn(store.relatedKeys, 'put').mockImplementationOnce(async (...args) => {
    await schedule(key, EAST, 7)
    await schedule(key, WEST, 9)
    await put(...args)
  })
  await promote(key, WEST)
  expect((await stack.describe(key, EAST)).KeyState).toBe('PendingDeletion')
  expect(await stack.describe(key, WEST)).toMatchObject({
    KeyState: 'PendingReplicaDeletion',
    PendingDeletionWindowInDays: 9,
  })
  for (const region of [EAST, WEST]) {
    await kms(region).send(new CancelKeyDeletionCommand({ KeyId: key.keyId }))
    expect((await stack.describe(key, region)).KeyState).toBe('Disabled')
  }
})

test('A primary that got its first replica while its deletion was scheduled waits for it', async () => {
  const key = await stack.key()
  beforeNext('update', () => stack.replicate(key, WEST))
  expect(await schedule(key, EAST, 8)).toMatchObject({
    KeyState: 'PendingReplicaDeletion',
    PendingWindowInDays: 8,
  })
})
