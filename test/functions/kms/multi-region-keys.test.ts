/** The end of multi-Region keys, and that what one of a set encrypts all of them decrypt. */
import {
  CancelKeyDeletionCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { deleteDueKeys } from '../../../functions/schedule/delete-due-keys.ts'
import { rotateDueKeys } from '../../../functions/schedule/rotate-due-keys.ts'
import { bytes } from '../../support/kms.ts'
import {
  EAST,
  givenMultiRegionStack,
  IRELAND,
  type MultiRegionKey,
  REGIONS,
  WEST,
} from '../../support/multi-region.ts'
import { refusalOf, refused } from '../../support/refusal.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
const { clock, kms, services } = stack
const DAY = 24 * 60 * 60 * 1000

const schedule = ({ keyId }: MultiRegionKey, region: string, PendingWindowInDays?: number) =>
  kms(region).send(new ScheduleKeyDeletionCommand({ KeyId: keyId, PendingWindowInDays }))
const cancel = ({ keyId }: MultiRegionKey, region: string) =>
  kms(region).send(new CancelKeyDeletionCommand({ KeyId: keyId }))
const encrypt = ({ keyId }: MultiRegionKey, region: string) =>
  kms(region).send(new EncryptCommand({ KeyId: keyId, Plaintext: bytes('x') }))

describe('A primary that is to be deleted while it has replicas', () => {
  test('waits for them, without a date', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const { $metadata, ...answer } = await schedule(key, EAST, 12)
    expect(answer).toEqual({
      KeyId: key.arn(EAST),
      KeyState: 'PendingReplicaDeletion',
      PendingWindowInDays: 12,
    })
    const primary = await stack.describe(key, EAST)
    expect(primary).toMatchObject({
      KeyState: 'PendingReplicaDeletion',
      Enabled: false,
      PendingDeletionWindowInDays: 12,
    })
    expect(primary).not.toHaveProperty('DeletionDate')
    const pending = refused(
      'KMSInvalidStateException',
      `${key.arn(EAST)} is pending replica deletion.`,
    )
    expect(await refusalOf(encrypt(key, EAST))).toEqual(pending)
    expect(await refusalOf(schedule(key, EAST))).toEqual(pending)
    await encrypt(key, WEST)
    clock.offset += 400 * DAY
    expect(await deleteDueKeys(services)).toBe(0)
    expect((await stack.describe(key, EAST)).KeyState).toBe('PendingReplicaDeletion')
  })

  test('waits its own time when the last of them is gone, and goes then with its set', async () => {
    const key = await stack.keyWithReplicas(WEST, IRELAND)
    await schedule(key, EAST, 8)
    for (const region of [WEST, IRELAND]) {
      const { DeletionDate, KeyState } = await schedule(key, region, 7)
      expect(KeyState).toBe('PendingDeletion')
      expect(DeletionDate).toBeInstanceOf(Date)
      expect((await stack.describe(key, EAST)).KeyState).toBe('PendingReplicaDeletion')
      clock.offset += 7 * DAY
      expect(await deleteDueKeys(services)).toBe(1)
      const gone = kms(region).send(new DescribeKeyCommand({ KeyId: key.keyId }))
      expect((await refusalOf(gone)).name).toBe('NotFoundException')
    }
    const primary = await stack.describe(key, EAST)
    expect(primary).toMatchObject({ KeyState: 'PendingDeletion' })
    expect(primary.MultiRegionConfiguration?.ReplicaKeys).toEqual([])
    expect(primary).not.toHaveProperty('PendingDeletionWindowInDays')
    clock.offset += 7.9 * DAY
    expect(await deleteDueKeys(services)).toBe(0)
    clock.offset += 0.2 * DAY
    expect(await deleteDueKeys(services)).toBe(1)
    expect(await stack.stored(key, EAST)).toBeNull()
    const { keyId, account } = { ...key, account: stack.account }
    expect(await services.store.relatedKeys.get(account, keyId as never)).toBeNull()
  })

  test('can be kept: it comes back disabled', async () => {
    const key = await stack.keyWithReplicas(WEST)
    await schedule(key, EAST)
    const { $metadata, ...answer } = await cancel(key, EAST)
    expect(answer).toEqual({ KeyId: key.arn(EAST) })
    const primary = await stack.describe(key, EAST)
    expect(primary).toMatchObject({ KeyState: 'Disabled', Enabled: false })
    expect(primary).not.toHaveProperty('PendingDeletionWindowInDays')
    expect(await refusalOf(cancel(key, EAST))).toEqual(
      refused('KMSInvalidStateException', `${key.arn(EAST)} is not pending deletion.`),
    )
  })

  test('can be kept without material: it waits for import again', async () => {
    const key = await stack.key({ Origin: 'EXTERNAL' })
    await schedule(key, EAST)
    await cancel(key, EAST)
    expect((await stack.describe(key, EAST)).KeyState).toBe('PendingImport')
  })

  test('waits for a replica that was made while it was waiting for its date', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const found = await stack.stored(key, EAST)
    if (found === null) return expect.unreachable()
    const deletionDate = clock.now() + 7 * DAY
    const scheduled = { ...found.key, state: 'PendingDeletion', deletionDate } as const
    await services.store.keys.update({ ...scheduled, rev: found.key.rev + 1 }, found.key.rev)
    clock.offset += 8 * DAY
    expect(await deleteDueKeys(services)).toBe(0)
    expect(await stack.describe(key, EAST)).toMatchObject({
      KeyState: 'PendingReplicaDeletion',
      PendingDeletionWindowInDays: 7,
    })
  })
})

describe('A replica that is to be deleted', () => {
  test('stays in its set until it is gone, and can be kept', async () => {
    const key = await stack.keyWithReplicas(WEST)
    await schedule(key, WEST)
    const replicas = [{ Arn: key.arn(WEST), Region: WEST }]
    expect((await stack.describe(key, EAST)).MultiRegionConfiguration?.ReplicaKeys).toEqual(
      replicas,
    )
    await cancel(key, WEST)
    expect((await stack.describe(key, WEST)).KeyState).toBe('Disabled')
    await encrypt(key, EAST)
  })

  test('leaves the primary and the other replicas as they are, and its place to another', async () => {
    const key = await stack.keyWithReplicas(WEST, IRELAND)
    const { CiphertextBlob } = await encrypt(key, WEST)
    await schedule(key, WEST, 7)
    clock.offset += 7 * DAY
    await deleteDueKeys(services)
    const primary = await stack.describe(key, EAST)
    expect(primary.KeyState).toBe('Enabled')
    expect(primary.MultiRegionConfiguration?.ReplicaKeys?.map(({ Region }) => Region)).toEqual([
      IRELAND,
    ])
    await kms(IRELAND).send(new DecryptCommand({ CiphertextBlob }))
    await stack.replicate(key, WEST, { Description: 'again' })
    clock.offset += 1000
    const opened = await kms(WEST).send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('x')
  })

  test('can be the primary no more', async () => {
    const key = await stack.keyWithReplicas(WEST)
    await schedule(key, WEST)
    const promotion = kms(EAST).send(
      new UpdatePrimaryRegionCommand({ KeyId: key.keyId, PrimaryRegion: WEST }),
    )
    expect(await refusalOf(promotion)).toEqual(
      refused('KMSInvalidStateException', `${key.arn(WEST)} is pending deletion.`),
    )
  })

  test('is told of in the trail of its Region, each time', async () => {
    const key = await stack.keyWithReplicas(WEST)
    for (const _ of [1, 2]) {
      await schedule(key, WEST, 7)
      clock.offset += 7 * DAY
      await deleteDueKeys(services)
      await stack.replicate(key, WEST)
    }
    const events = (await stack.records(WEST)).filter(
      ({ eventName, resources }) =>
        eventName === 'DeleteKey' && resources?.[0]?.ARN === key.arn(WEST),
    )
    expect(new Set(events.map(({ eventID }) => eventID)).size).toBe(2)
  })
})

test('Related keys are enabled and disabled apart', async () => {
  const key = await stack.keyWithReplicas(WEST)
  await kms(EAST).send(new DisableKeyCommand({ KeyId: key.keyId }))
  await encrypt(key, WEST)
  expect(await refusalOf(encrypt(key, EAST))).toEqual(
    refused('DisabledException', `${key.arn(EAST)} is disabled.`),
  )
})

test('ReEncrypt refuses the ARN that the key of its ciphertext has elsewhere, as source alone', async () => {
  const key = await stack.keyWithReplicas(WEST)
  const { CiphertextBlob } = await encrypt(key, EAST)
  const reEncrypt = (SourceKeyId: string, DestinationKeyId: string) =>
    kms(WEST).send(new ReEncryptCommand({ CiphertextBlob, SourceKeyId, DestinationKeyId }))
  const moved = await reEncrypt(key.arn(WEST), key.keyId)
  expect(moved.SourceKeyId).toBe(key.arn(WEST))
  expect((await refusalOf(reEncrypt(key.arn(EAST), key.keyId))).name).toBe('IncorrectKeyException')
  expect(await refusalOf(reEncrypt(key.keyId, key.arn(EAST)))).toEqual(
    refused('NotFoundException', `Invalid arn ${EAST}`),
  )
})

/** A set under way: which Regions have a key, and where the primary is. */
interface Course {
  readonly key: MultiRegionKey
  primary: string
  readonly regions: Set<string>
}

const steps = {
  async replicate(course: Course, region: string) {
    if (course.regions.has(region)) return
    const command = new ReplicateKeyCommand({ KeyId: course.key.keyId, ReplicaRegion: region })
    await kms(course.primary).send(command)
    course.regions.add(region)
  },
  async promote(course: Course, region: string) {
    if (!course.regions.has(region)) return
    const command = new UpdatePrimaryRegionCommand({
      KeyId: course.key.keyId,
      PrimaryRegion: region,
    })
    await kms(course.primary).send(command)
    course.primary = region
  },
  async rotate(course: Course) {
    const command = new RotateKeyOnDemandCommand({ KeyId: course.key.keyId })
    await kms(course.primary).send(command)
    clock.offset += 10 * 60 * 1000
    expect(await rotateDueKeys(services)).toBe(1)
  },
  async rest() {},
}
type Step = keyof typeof steps

const course = fc.array(
  fc.record({
    step: fc.constantFrom<Step>('replicate', 'replicate', 'promote', 'rotate', 'rest'),
    region: fc.constantFrom(...REGIONS),
    encryptIn: fc.nat(),
    plaintext: fc.uint8Array({ minLength: 1, maxLength: 64 }),
    context: fc.dictionary(fc.string({ minLength: 1, maxLength: 8 }), fc.string({ maxLength: 8 }), {
      maxKeys: 3,
    }),
  }),
  { minLength: 1, maxLength: 8 },
)

test('What any key of a set encrypts all of them decrypt, however it was replicated, promoted and rotated', async () => {
  await fc.assert(
    fc.asyncProperty(course, async (wanted) => {
      const under: Course = { key: await stack.key(), primary: EAST, regions: new Set([EAST]) }
      const KeyId = under.key.keyId
      const made: {
        CiphertextBlob?: Uint8Array
        plaintext: Buffer
        context: Record<string, string>
      }[] = []
      for (const { step, region, encryptIn, plaintext, context } of wanted) {
        await steps[step](under, region)
        clock.offset += 1000
        const place = [...under.regions][encryptIn % under.regions.size] ?? EAST
        const { CiphertextBlob } = await kms(place).send(
          new EncryptCommand({ KeyId, Plaintext: plaintext, EncryptionContext: context }),
        )
        made.push({
          ...(CiphertextBlob && { CiphertextBlob }),
          plaintext: Buffer.from(plaintext),
          context,
        })
      }
      const currents = new Set<string | undefined>()
      for (const region of under.regions) {
        currents.add((await stack.describe(under.key, region)).CurrentKeyMaterialId)
        for (const { CiphertextBlob, plaintext, context } of made) {
          const opened = await kms(region).send(
            new DecryptCommand({ CiphertextBlob, EncryptionContext: context }),
          )
          expect(Buffer.from(opened.Plaintext ?? [])).toEqual(plaintext)
          expect(opened.KeyId).toBe(under.key.arn(region))
        }
      }
      expect(currents.size).toBe(1)
    }),
    { numRuns: 15 },
  )
}, 60_000)
