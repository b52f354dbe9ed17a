import {
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { bytes, givenAlias, givenKey } from '../../support/kms.ts'
import {
  clientOf,
  EAST,
  givenMultiRegionStack,
  IRELAND,
  type MultiRegionKey,
  WEST,
} from '../../support/multi-region.ts'
import { refusalOf, refused } from '../../support/refusal.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
const { account, clock, kms } = stack

const promote = (KeyId: string, PrimaryRegion: string, from = EAST as string) =>
  kms(from).send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion }))
const typeIn = async (key: MultiRegionKey, region: string) =>
  (await stack.describe(key, region)).MultiRegionConfiguration?.MultiRegionKeyType

test('UpdatePrimaryRegion makes a replica the primary, and the primary a replica', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  const { $metadata, ...answer } = await promote(key.keyId, WEST)
  expect(answer).toEqual({})
  expect((await stack.describe(key, IRELAND)).MultiRegionConfiguration).toEqual({
    MultiRegionKeyType: 'REPLICA',
    PrimaryKey: { Arn: key.arn(WEST), Region: WEST },
    ReplicaKeys: [IRELAND, EAST].map((Region) => ({ Arn: key.arn(Region), Region })),
  })
  expect(await typeIn(key, WEST)).toBe('PRIMARY')
  expect(await typeIn(key, EAST)).toBe('REPLICA')
})

test('Both keys show as Updating for a while, and can be used', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  await promote(key.keyId, WEST)
  for (const region of [EAST, WEST]) {
    expect(await stack.describe(key, region)).toMatchObject({
      KeyState: 'Updating',
      Enabled: false,
    })
    await kms(region).send(new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }))
    const updating = refused('KMSInvalidStateException', `${key.arn(region)} is updating.`)
    const change = kms(region).send(new DisableKeyCommand({ KeyId: key.keyId }))
    expect(await refusalOf(change)).toEqual(updating)
    const end = kms(region).send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    expect(await refusalOf(end)).toEqual(updating)
  }
  expect((await stack.describe(key, IRELAND)).KeyState).toBe('Enabled')
  const replica = kms(WEST).send(
    new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: 'ap-south-1' }),
  )
  expect((await refusalOf(replica)).name).toBe('ValidationException')
  clock.offset += 1000
  for (const region of [EAST, WEST]) {
    expect(await stack.describe(key, region)).toMatchObject({ KeyState: 'Enabled', Enabled: true })
  }
})

test('The primary can move on, also while it is updating, and come back', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  await promote(key.keyId, WEST)
  await promote(key.keyId, IRELAND, WEST)
  await promote(key.arn(IRELAND), EAST, IRELAND)
  expect(await typeIn(key, EAST)).toBe('PRIMARY')
})

test('The new primary can replicate, and the old one cannot', async () => {
  const key = await stack.keyWithReplicas(WEST)
  await promote(key.keyId, WEST)
  clock.offset += 1000
  const command = new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: IRELAND })
  expect(await refusalOf(kms(EAST).send(command))).toEqual(
    refused('UnsupportedOperationException', `${key.arn(EAST)} is not a multi-region primary key.`),
  )
  await kms(WEST).send(command)
})

test('The Region that has the primary already is no change', async () => {
  const key = await stack.keyWithReplicas(WEST)
  await promote(key.keyId, EAST)
  expect((await stack.describe(key, EAST)).KeyState).toBe('Enabled')
  expect((await stack.stored(key, EAST))?.related).toMatchObject({ primary: EAST, updating: null })
})

describe('UpdatePrimaryRegion refuses', () => {
  test.for([IRELAND, 'ap-south-1', 'cn-north-1'])('a Region without a replica: %s', async (to) => {
    const key = await stack.keyWithReplicas(WEST)
    expect(await refusalOf(promote(key.keyId, to))).toEqual(
      refused(
        'ValidationException',
        `${key.keyId} does not have a replica key in the specified Region.`,
      ),
    )
  })

  test.for([EAST, WEST, IRELAND])('to be called on a replica, for %s', async (to) => {
    const key = await stack.keyWithReplicas(WEST)
    expect(await refusalOf(promote(key.keyId, to, WEST))).toEqual(
      refused('KMSInvalidStateException', `${key.arn(WEST)} is not a multi-Region primary key.`),
    )
  })

  test('a single-Region key', async () => {
    const { keyId, arn } = await givenKey(kms(EAST))
    expect(await refusalOf(promote(keyId, WEST))).toEqual(
      refused('KMSInvalidStateException', `${arn} is not a multi-Region primary key.`),
    )
  })

  test('an alias, and a key that is not there', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const alias = await givenAlias(kms(EAST), key.keyId)
    expect(await refusalOf(promote(alias, WEST))).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
    const absent = `mrk-${'0'.repeat(32)}`
    expect(await refusalOf(promote(absent, WEST))).toEqual(
      refused(
        'NotFoundException',
        `Key 'arn:aws:kms:${EAST}:${account}:key/${absent}' does not exist`,
      ),
    )
  })

  test('a Region that is not the name of one', async () => {
    expect((await refusalOf(promote('any', 'here'))).message).toBe(
      "1 validation error detected: Value 'here' at 'primaryRegion' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
    )
  })

  test('either key in a state that does not allow it, naming that key', async () => {
    for (const region of [EAST, WEST]) {
      const key = await stack.keyWithReplicas(WEST)
      await kms(region).send(new DisableKeyCommand({ KeyId: key.keyId }))
      expect(await refusalOf(promote(key.keyId, WEST))).toEqual(
        refused('DisabledException', `${key.arn(region)} is disabled.`),
      )
      await kms(region).send(new EnableKeyCommand({ KeyId: key.keyId }))
      await kms(region).send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
      const state = region === EAST ? 'pending replica deletion' : 'pending deletion'
      expect(await refusalOf(promote(key.keyId, WEST))).toEqual(
        refused('KMSInvalidStateException', `${key.arn(region)} is ${state}.`),
      )
      expect(await typeIn(key, EAST)).toBe('PRIMARY')
    }
  })

  test('a replica that is still being made', async () => {
    const key = await stack.key()
    await stack.replicate(key, WEST)
    expect(await refusalOf(promote(key.keyId, WEST))).toEqual(
      refused('KMSInvalidStateException', `${key.arn(WEST)} is creating.`),
    )
  })
})

describe('The permission is needed on both keys, each in its Region:', () => {
  const only = (Condition: object) => ({
    Effect: 'Allow',
    Action: 'kms:UpdatePrimaryRegion',
    Resource: '*',
    Condition,
  })
  const by = async (key: MultiRegionKey, Condition: object) => {
    const user = await stack.user([only(Condition)])
    const command = new UpdatePrimaryRegionCommand({ KeyId: key.keyId, PrimaryRegion: WEST })
    return clientOf(user, EAST).send(command)
  }

  test.for([
    [EAST, WEST],
    [WEST, EAST],
  ])('not in %s alone', async ([allowed, refusing]) => {
    const key = await stack.keyWithReplicas(WEST)
    const refusal = await refusalOf(by(key, { StringEquals: { 'aws:RequestedRegion': allowed } }))
    expect(refusal.name).toBe('AccessDeniedException')
    expect(refusal.message).toMatch(
      `kms:UpdatePrimaryRegion on resource: ${key.arn(refusing as string)}`,
    )
    expect(await typeIn(key, EAST)).toBe('PRIMARY')
  })

  test('and it can be given for one Region to be the primary', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const other = by(key, { StringEquals: { 'kms:PrimaryRegion': IRELAND } })
    expect((await refusalOf(other)).name).toBe('AccessDeniedException')
    await by(key, { StringEquals: { 'kms:PrimaryRegion': WEST } })
    expect(await typeIn(key, WEST)).toBe('PRIMARY')
  })
})

test('Of racing promotions of a set one wins', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  const outcomes = await Promise.allSettled([promote(key.keyId, WEST), promote(key.keyId, IRELAND)])
  const primaries = (
    await Promise.all([EAST, WEST, IRELAND].map((region) => typeIn(key, region)))
  ).filter((type) => type === 'PRIMARY')
  expect(primaries).toEqual(['PRIMARY'])
  for (const outcome of outcomes) {
    if (outcome.status === 'fulfilled') continue
    expect(outcome.reason.message).toBe(`${key.arn(EAST)} is not a multi-Region primary key.`)
  }
  expect(outcomes.some(({ status }) => status === 'fulfilled')).toBe(true)
})

test('The trails of both Regions tell of the change', async () => {
  const key = await stack.keyWithReplicas(WEST)
  await promote(key.keyId, WEST)
  for (const region of [EAST, WEST]) {
    const records = (await stack.records(region)).filter(
      ({ eventName, resources }) =>
        eventName === 'UpdatePrimaryRegion' && resources?.[0]?.ARN === key.arn(region),
    )
    expect(records).toMatchObject([
      { awsRegion: region, readOnly: false, requestParameters: { primaryRegion: WEST } },
    ])
  }
  const { KeyMetadata } = await kms(WEST).send(new DescribeKeyCommand({ KeyId: key.keyId }))
  expect(KeyMetadata?.MultiRegionConfiguration?.MultiRegionKeyType).toBe('PRIMARY')
})
