/** What is left of a replica's making, or of its end, when it is cut short at any of its writes. */
import {
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { deleteDueKeys } from '../../../functions/schedule/delete-due-keys.ts'
import { rotateDueKeys } from '../../../functions/schedule/rotate-due-keys.ts'
import { type KeyId, parseKeyId, type Region } from '../../../shared/ids.ts'
import type { FoundKey } from '../../../shared/keys/keys.ts'
import { regionsOf } from '../../../shared/keys/multi-region.ts'
import { createReplica } from '../../../shared/keys/replication.ts'
import { dyingServices } from '../../support/dying-store.ts'
import { bytes, givenAlias } from '../../support/kms.ts'
import {
  EAST,
  givenMultiRegionStack,
  type MultiRegionKey,
  REGIONS,
  WEST,
} from '../../support/multi-region.ts'
import { refusalOf } from '../../support/refusal.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
const { account, clock, kms, services } = stack
const { store, keys } = services
const [HOUR, DAY] = [60 * 60 * 1000, 24 * 60 * 60 * 1000]
const idOf = ({ keyId }: MultiRegionKey) => parseKeyId(keyId) as KeyId
const setOf = (key: MultiRegionKey) => store.relatedKeys.get(account, idOf(key))
const rawKey = (key: MultiRegionKey, region: string) =>
  store.keys.get(account, region as Region, idOf(key))
const listed = async (key: MultiRegionKey, region: string): Promise<boolean> => {
  const { Keys = [] } = await kms(region).send(new ListKeysCommand({ Limit: 1000 }))
  return Keys.some(({ KeyId }) => KeyId === key.keyId)
}
const isThere = async (key: MultiRegionKey, region: string): Promise<boolean> => {
  try {
    await stack.describe(key, region)
    return true
  } catch (error) {
    expect((error as Error).name).toBe('NotFoundException')
    return false
  }
}
/** Whoever is in the set can be described; whoever can be described or is listed is in the set. */
async function expectTrueSet(key: MultiRegionKey): Promise<void> {
  const set = await setOf(key)
  const regions: readonly string[] = set === null ? [] : regionsOf(set)
  for (const region of REGIONS) {
    expect(await isThere(key, region)).toBe(regions.includes(region))
    if (!regions.includes(region)) expect(await listed(key, region)).toBe(false)
  }
}

async function expectWorking(key: MultiRegionKey): Promise<void> {
  clock.offset += 1000
  await expectTrueSet(key)
  expect(await listed(key, WEST)).toBe(true)
  const { CiphertextBlob } = await kms(EAST).send(
    new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello') }),
  )
  const { Plaintext } = await kms(WEST).send(new DecryptCommand({ CiphertextBlob }))
  expect(Buffer.from(Plaintext ?? []).toString()).toBe('hello')
}

/** Claim, material, policy, key, set, listing. */
const MAKING = 6
const cuts = (writes: number) =>
  Array.from({ length: writes }, (_, at) =>
    [false, true].map((through) => [at + 1, through] as const),
  ).flat()

async function makeUntilCut(key: MultiRegionKey, at: number, through: boolean): Promise<boolean> {
  const dying = dyingServices(services, at, through)
  const primary = (await stack.stored(key, EAST)) ?? expect.unreachable()
  const plan = {
    region: WEST as Region,
    description: 'cut',
    tags: [],
    policy: primary.policy.document,
  }
  await expect(
    createReplica(keys.found(primary) as FoundKey, plan, dying.services),
  ).rejects.toThrow()
  return dying.died()
}

describe('The making of a replica that was cut short', () => {
  test.for(cuts(MAKING))(
    'at write %i (through: %s) is taken up by the next call',
    async ([at, through]) => {
      const key = await stack.key()
      expect(await makeUntilCut(key, at, through)).toBe(true)
      await expectTrueSet(key)
      const attempt = kms(EAST).send(
        new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST, Description: 'second' }),
      )
      const isDone = (await setOf(key))?.replicas.includes(WEST as Region) === true
      if (isDone) expect((await refusalOf(attempt)).name).toBe('AlreadyExistsException')
      else expect((await attempt).ReplicaKeyMetadata?.Description).toBe('second')
      if (isDone) await deleteDueKeys({ ...services, clock: { now: () => clock.now() + HOUR } })
      await expectWorking(key)
      expect((await setOf(key))?.replicating).toBeUndefined()
    },
  )

  test.for(cuts(MAKING))(
    'at write %i (through: %s) is ended by the schedule',
    async ([at, through]) => {
      const key = await stack.key()
      await makeUntilCut(key, at, through)
      await deleteDueKeys(services) // somebody may still be making it
      clock.offset += HOUR
      await deleteDueKeys(services)
      await expectTrueSet(key)
      if ((await setOf(key))?.replicas.length === 1) return await expectWorking(key)
      expect(await rawKey(key, WEST)).toBeNull()
      await kms(EAST).send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST }))
      await expectWorking(key)
    },
  )

  test('comes to as many writes as are tried here', async () => {
    const key = await stack.key()
    const dying = dyingServices(services, MAKING + 1, false)
    const primary = (await stack.stored(key, EAST)) ?? expect.unreachable()
    const plan = {
      region: WEST as Region,
      description: '',
      tags: [],
      policy: primary.policy.document,
    }
    await createReplica(keys.found(primary), plan, dying.services)
    expect(dying.died()).toBe(false)
  })
})

/** So that the keys of other tests do not become due together with this test's. */
const clearAway = () => deleteDueKeys({ ...services, clock: { now: () => clock.now() + 40 * DAY } })

async function givenEnding(): Promise<MultiRegionKey & { readonly alias: string }> {
  await clearAway()
  const key = await stack.keyWithReplicas(WEST)
  const alias = await givenAlias(kms(WEST), key.keyId)
  const schedule = (region: string, PendingWindowInDays: number) =>
    kms(region).send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId, PendingWindowInDays }))
  await schedule(EAST, 10)
  await schedule(WEST, 7)
  clock.offset += 7 * DAY
  return { ...key, alias }
}

/** Alias, mark, material, policy, set, primary, key. */
const ENDING = 7

describe('The deletion of the last replica', () => {
  test.for(cuts(ENDING))(
    'cut short at write %i (through: %s) is taken up by the next run',
    async ([at, through]) => {
      const key = await givenEnding()
      const dying = dyingServices(services, at, through)
      await deleteDueKeys(dying.services)
      expect(dying.died()).toBe(true)
      const set = await setOf(key)
      if (!(await isThere(key, WEST))) expect(await listed(key, WEST)).toBe(false)
      if (set?.replicas.length === 0) expect(await isThere(key, WEST)).toBe(false)
      await deleteDueKeys(services)
      await expectTrueSet(key)
      expect((await setOf(key))?.replicas).toEqual([])
      const { Aliases = [] } = await kms(WEST).send(new ListAliasesCommand({}))
      expect(Aliases.some(({ AliasName }) => AliasName === key.alias)).toBe(false)
      const primary = await stack.describe(key, EAST)
      expect(primary.KeyState).toBe('PendingDeletion')
      const wait = (primary.DeletionDate?.getTime() ?? 0) - clock.now()
      expect(wait).toBeGreaterThan(9.9 * DAY)
      expect(wait).toBeLessThanOrEqual(10 * DAY)
    },
  )

  test('comes to as many writes as are tried here', async () => {
    await givenEnding()
    const dying = dyingServices(services, ENDING + 1, false)
    expect(await deleteDueKeys(dying.services)).toBe(1)
    expect(dying.died()).toBe(false)
  })
})

/** Mark, material, policy, rotation, set, key. */
const ENDING_OF_PRIMARY = 6

describe('The deletion of a primary without replicas', () => {
  test.for(cuts(ENDING_OF_PRIMARY))(
    'cut short at write %i (through: %s) is taken up by the next run',
    async ([at, through]) => {
      await clearAway()
      const key = await stack.key()
      await kms(EAST).send(
        new ScheduleKeyDeletionCommand({ KeyId: key.keyId, PendingWindowInDays: 7 }),
      )
      clock.offset += 7 * DAY
      const dying = dyingServices(services, at, through)
      await deleteDueKeys(dying.services)
      expect(dying.died()).toBe(true)
      await deleteDueKeys(services)
      expect(await setOf(key)).toBeNull()
      expect(await rawKey(key, EAST)).toBeNull()
      expect(await listed(key, EAST)).toBe(false)
      const attempt = kms(EAST).send(new DescribeKeyCommand({ KeyId: key.keyId }))
      expect((await refusalOf(attempt)).name).toBe('NotFoundException')
      expect(await store.keys.unfinished(clock.now(), 100)).toEqual([])
    },
  )

  test('comes to as many writes as are tried here', async () => {
    await clearAway()
    const key = await stack.key()
    const command = { KeyId: key.keyId, PendingWindowInDays: 7 }
    await kms(EAST).send(new ScheduleKeyDeletionCommand(command))
    clock.offset += 7 * DAY
    const dying = dyingServices(services, ENDING_OF_PRIMARY + 1, false)
    expect(await deleteDueKeys(dying.services)).toBe(1)
    expect(dying.died()).toBe(false)
  })
})

test('Of racing calls for one replica one makes it, and all that it has is that call’s', async () => {
  const key = await stack.key()
  const attempts = Array.from({ length: 6 }, (_, at) =>
    kms(EAST).send(
      new ReplicateKeyCommand({
        KeyId: key.keyId,
        ReplicaRegion: WEST,
        Description: `attempt ${at}`,
        Tags: [{ TagKey: 'attempt', TagValue: String(at) }],
      }),
    ),
  )
  const outcomes = await Promise.allSettled(attempts)
  const winners = outcomes.filter((outcome) => outcome.status === 'fulfilled')
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    expect([
      'AlreadyExistsException',
      'DependencyTimeoutException',
      'ThrottlingException',
    ]).toContain(outcome.reason.name)
  }
  if (winners.length === 0) await stack.replicate(key, WEST, { Description: 'after' })
  else {
    expect(winners).toHaveLength(1)
    const made = winners[0]?.value
    const replica = await stack.describe(key, WEST)
    expect(replica.Description).toBe(made?.ReplicaKeyMetadata?.Description)
    expect((await rawKey(key, WEST))?.key.tags).toEqual(made?.ReplicaTags)
  }
  await expectWorking(key)
})

test('Replicas in several Regions are made at the same time', async () => {
  const key = await stack.key()
  await Promise.all(REGIONS.slice(1).map((region) => stack.replicate(key, region)))
  expect((await setOf(key))?.replicas).toEqual(REGIONS.slice(1).toSorted())
  await expectTrueSet(key)
})

test('A replica that is made while the key rotates gets the new material too', async () => {
  const key = await stack.key()
  let hasRotated = false
  const rotate = async (): Promise<void> => {
    hasRotated = true
    await kms(EAST).send(new RotateKeyOnDemandCommand({ KeyId: key.keyId }))
    clock.offset += 10 * 60 * 1000
    expect(await rotateDueKeys(services)).toBe(1)
  }
  const relatedKeys: typeof store.relatedKeys = {
    ...store.relatedKeys,
    async put(next, rev) {
      const joins = next.replicas.length === 1
      if (joins && !hasRotated) await rotate()
      await store.relatedKeys.put(next, rev)
    },
  }
  const primary = (await stack.stored(key, EAST)) ?? expect.unreachable()
  const plan = {
    region: WEST as Region,
    description: '',
    tags: [],
    policy: primary.policy.document,
  }
  await createReplica(keys.found(primary), plan, { ...services, store: { ...store, relatedKeys } })
  expect(hasRotated).toBe(true)
  const { CurrentKeyMaterialId } = await stack.describe(key, EAST)
  expect(CurrentKeyMaterialId).not.toBe(primary.key.current)
  await expectWorking(key)
  expect((await stack.describe(key, WEST)).CurrentKeyMaterialId).toBe(CurrentKeyMaterialId)
})
