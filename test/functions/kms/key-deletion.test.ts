import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  EncryptCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { bytes, givenDisabledKey, givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const schedule = (KeyId: string, PendingWindowInDays?: number) =>
  kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays }))
const cancel = (KeyId: string) => kms.send(new CancelKeyDeletionCommand({ KeyId }))
const DAY = 24 * 60 * 60 * 1000

test.for<[number | undefined, number]>([
  [undefined, 30],
  [7, 7],
  [30, 30],
])('ScheduleKeyDeletion with a window of %s days waits %i', async ([window, days]) => {
  const { keyId, arn } = await givenKey(kms)
  const before = Date.now()
  const { $metadata, DeletionDate, ...answer } = await schedule(keyId, window)
  expect(answer).toEqual({ KeyId: arn, KeyState: 'PendingDeletion', PendingWindowInDays: days })
  const since = (DeletionDate?.getTime() ?? 0) - days * DAY
  expect(since).toBeGreaterThanOrEqual(before)
  expect(since).toBeLessThanOrEqual(Date.now())
})

test('A key pending deletion cannot be used or scheduled again', async () => {
  const { keyId, arn } = await givenKey(kms)
  const pending = refused('KMSInvalidStateException', `${arn} is pending deletion.`)
  await kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: bytes('x') }))
  await schedule(keyId)
  const use = kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: bytes('x') }))
  expect(await refusalOf(use)).toEqual(pending)
  expect(await refusalOf(schedule(keyId, 8))).toEqual(pending)
})

test('A key whose deletion is cancelled comes back disabled', async () => {
  const { keyId, arn } = await givenKey(kms)
  await schedule(keyId)
  const { $metadata, ...answer } = await cancel(keyId)
  expect(answer).toEqual({ KeyId: arn })
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: keyId }))
  expect(KeyMetadata).toMatchObject({ KeyState: 'Disabled', Enabled: false })
  expect(KeyMetadata).not.toHaveProperty('DeletionDate')
})

test('A disabled key can be scheduled too', async () => {
  const { keyId } = await givenDisabledKey(kms)
  expect((await schedule(keyId)).KeyState).toBe('PendingDeletion')
})

describe('CancelKeyDeletion refuses a key that is not pending deletion:', () => {
  test.for([
    ['enabled', givenKey],
    ['disabled', givenDisabledKey],
  ] as const)('%s', async ([, given]) => {
    const { keyId, arn } = await given(kms)
    expect(await refusalOf(cancel(keyId))).toEqual(
      refused('KMSInvalidStateException', `${arn} is not pending deletion.`),
    )
  })
})

describe('The window must be 7 to 30 days:', () => {
  test.for([1, 6, 31, 365])('%i', async (days) => {
    const { keyId } = await givenKey(kms)
    expect(await refusalOf(schedule(keyId, days))).toEqual(
      refused('ValidationException', 'PendingWindowInDays must be between 7 and 30'),
    )
  })

  test.for<[number, string]>([
    [0, 'greater than or equal to 1'],
    [366, 'less than or equal to 365'],
  ])('%i', async ([PendingWindowInDays, limit]) => {
    const input = { KeyId: 'any', PendingWindowInDays }
    expect(jsonOf(await callKms(stack, 'ScheduleKeyDeletion', input)).json).toEqual({
      __type: 'ValidationException',
      message: `1 validation error detected: Value '${PendingWindowInDays}' at 'pendingWindowInDays' failed to satisfy constraint: Member must have value ${limit}`,
    })
  })
})
