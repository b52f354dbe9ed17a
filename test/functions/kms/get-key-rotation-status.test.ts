import {
  EnableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { afterAll, expect, test } from 'vitest'
import {
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'
import { givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, europe } = stack

async function statusOf(KeyId: string, client = kms) {
  const { $metadata, ...status } = await client.send(new GetKeyRotationStatusCommand({ KeyId }))
  return status
}

test.for([givenKey, givenDisabledKey, givenKeyPendingDeletion])(
  'GetKeyRotationStatus says false of a new key, in any state: %#',
  async (given) => {
    const { keyId, arn } = await given(kms)
    expect(await statusOf(keyId)).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  },
)

test.for([
  { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
  { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
  { Origin: 'EXTERNAL' },
] as const)('It says false of keys that never rotate: %o', async (plan) => {
  const { keyId, arn } = await givenKey(kms, plan)
  expect(await statusOf(keyId)).toEqual({ KeyId: arn, KeyRotationEnabled: false })
})

test('Dates and period are there only when they apply', async () => {
  const { keyId, arn } = await givenKey(kms)
  await kms.send(new RotateKeyOnDemandCommand({ KeyId: keyId }))
  const OnDemandRotationStartDate = expect.any(Date)
  expect(await statusOf(keyId)).toEqual({
    KeyId: arn,
    KeyRotationEnabled: false,
    OnDemandRotationStartDate,
  })
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  expect(await statusOf(keyId)).toEqual({
    KeyId: arn,
    KeyRotationEnabled: true,
    RotationPeriodInDays: 90,
    NextRotationDate: expect.any(Date),
    OnDemandRotationStartDate,
  })
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
  expect(await statusOf(keyId)).toEqual({
    KeyId: arn,
    KeyRotationEnabled: false,
    OnDemandRotationStartDate,
  })
})

test('A replica shows the rotation of its primary, also while it is being made', async () => {
  const { keyId, arn } = await givenKey(kms, { MultiRegion: true })
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId, RotationPeriodInDays: 90 }))
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  const expected = {
    ...(await statusOf(keyId)),
    KeyId: arn.replace('us-east-1', 'eu-west-1'),
  }
  expect(expected.KeyRotationEnabled).toBe(true)
  expect(await statusOf(keyId, europe)).toEqual(expected)
  await stack.advance(MINUTE)
  expect(await statusOf(keyId, europe)).toEqual(expected)
})

test('A primary that waits for the deletion of its replicas still shows its rotation', async () => {
  const { keyId } = await givenKey(kms, { MultiRegion: true })
  await kms.send(new EnableKeyRotationCommand({ KeyId: keyId }))
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  const before = await statusOf(keyId)
  await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
  expect(await statusOf(keyId)).toEqual(before)
})

test('Another account may ask, by ARN, when both sides allow it', async () => {
  const { keyId, arn } = await givenKey(kms)
  const other = kmsClient(await stack.tenant('444455556666'))
  expect((await refusalOf(statusOf(arn, other))).name).toBe('AccessDeniedException')
  const statement = (Sid: string, account: string, Action: string) => ({
    Sid,
    Effect: 'Allow',
    Principal: { AWS: `arn:aws:iam::${account}:root` },
    Action,
    Resource: '*',
  })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      statement('own', stack.admin.account, 'kms:*'),
      statement('other', '444455556666', 'kms:GetKeyRotationStatus'),
    ],
  })
  await kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
  expect(await statusOf(arn, other)).toEqual({ KeyId: arn, KeyRotationEnabled: false })
  expect((await refusalOf(statusOf(keyId, other))).name).toBe('NotFoundException')
})
