import {
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { DAY, givenTimedStack } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms } = stack

const enable = (KeyId: string, RotationPeriodInDays?: number) =>
  kms.send(new EnableKeyRotationCommand({ KeyId, RotationPeriodInDays }))
const disable = (KeyId: string) => kms.send(new DisableKeyRotationCommand({ KeyId }))
const statusOf = async (KeyId: string) => {
  const { $metadata, ...status } = await kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  return status
}
const daysFromNow = (date: Date | undefined) => (Number(date) - stack.now()) / DAY

test('A key rotates every 365 days when no period is named', async () => {
  const { keyId, arn } = await givenKey(kms)
  expect(await statusOf(keyId)).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  await enable(keyId)
  const status = await statusOf(keyId)
  expect(status).toEqual({
    KeyId: arn,
    KeyRotationEnabled: true,
    RotationPeriodInDays: 365,
    NextRotationDate: expect.any(Date),
  })
  expect(daysFromNow(status.NextRotationDate)).toBeCloseTo(365, 2)
})

test.for([90, 2560])('A period may be %i days', async (period) => {
  const { keyId } = await givenKey(kms)
  await enable(keyId, period)
  const { RotationPeriodInDays, NextRotationDate } = await statusOf(keyId)
  expect(RotationPeriodInDays).toBe(period)
  expect(daysFromNow(NextRotationDate)).toBeCloseTo(period, 2)
})

test.for([
  [89, 'greater than or equal to 90'],
  [2561, 'less than or equal to 2560'],
] as const)('A period may not be %i days', async ([period, constraint]) => {
  const { keyId } = await givenKey(kms)
  expect(await refusalOf(enable(keyId, period))).toEqual(
    refused(
      'ValidationException',
      `1 validation error detected: Value '${period}' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value ${constraint}`,
    ),
  )
})

test('The same period, or none, leaves the schedule as it is; another one starts from now', async () => {
  const { keyId } = await givenKey(kms)
  await enable(keyId, 100)
  const before = await statusOf(keyId)
  await stack.advance(10 * DAY)
  await enable(keyId)
  await enable(keyId, 100)
  expect(await statusOf(keyId)).toEqual(before)
  await enable(keyId, 200)
  const { RotationPeriodInDays, NextRotationDate } = await statusOf(keyId)
  expect(RotationPeriodInDays).toBe(200)
  expect(daysFromNow(NextRotationDate)).toBeCloseTo(200, 2)
})

test('DisableKeyRotation forgets the period', async () => {
  const { keyId, arn } = await givenKey(kms)
  await enable(keyId, 100)
  await disable(keyId)
  expect(await statusOf(keyId)).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  await disable(keyId)
  await stack.advance(DAY)
  await enable(keyId)
  const { RotationPeriodInDays, NextRotationDate } = await statusOf(keyId)
  expect(RotationPeriodInDays).toBe(365)
  expect(daysFromNow(NextRotationDate)).toBeCloseTo(365, 2)
})

test('Both answer with an empty body', async () => {
  const { keyId } = await givenKey(kms)
  for (const operation of ['EnableKeyRotation', 'DisableKeyRotation']) {
    const { status, body } = await callKms(stack.admin, operation, { KeyId: keyId })
    expect([status, body]).toEqual([200, ''])
  }
})

test('Many changes at once all succeed', async () => {
  const { keyId } = await givenKey(kms)
  await Promise.all([enable(keyId, 90), enable(keyId, 91), disable(keyId), enable(keyId, 92)])
  await enable(keyId, 93)
  expect(await statusOf(keyId)).toMatchObject({ RotationPeriodInDays: 93 })
})

test('The record shows the period that was asked for', async () => {
  const { keyId } = await givenKey(kms)
  await enable(keyId, 100)
  const record = (await stack.records()).findLast(
    ({ eventName }) => eventName === 'EnableKeyRotation',
  )
  expect(record?.requestParameters).toEqual({ keyId, rotationPeriodInDays: 100 })
})

test('Policies can limit the period, which is 365 when none is named', async () => {
  const { keyId, arn } = await givenKey(kms)
  const user = await stack.user(stack.admin.account, 'rotator', {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'kms:EnableKeyRotation',
        Resource: arn,
        Condition: { NumericLessThanEquals: { 'kms:RotationPeriodInDays': 200 } },
      },
    ],
  })
  const limited = kmsClient(user)
  const attempt = (RotationPeriodInDays?: number) =>
    limited.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays }))
  await attempt(200)
  expect((await refusalOf(attempt(201))).name).toBe('AccessDeniedException')
  expect((await refusalOf(attempt())).name).toBe('AccessDeniedException')
})
