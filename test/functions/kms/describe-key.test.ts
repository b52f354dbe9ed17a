import {
  DescribeKeyCommand,
  DisableKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)
const describeKey = async (KeyId: string) =>
  (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata

test('DescribeKey takes every name of a key, and answers with its bare id', async () => {
  const alias = await givenAlias(kms, key.keyId)
  const upper = key.keyId.toUpperCase()
  for (const name of [key.keyId, key.arn, alias, key.arn.replace(/key\/.*/, alias), upper]) {
    expect(await describeKey(name)).toMatchObject({ KeyId: key.keyId, Arn: key.arn })
  }
})

test('A disabled key is not enabled, and that is all', async () => {
  const { keyId } = await givenKey(kms)
  const before = await describeKey(keyId)
  await kms.send(new DisableKeyCommand({ KeyId: keyId }))
  expect(await describeKey(keyId)).toEqual({ ...before, Enabled: false, KeyState: 'Disabled' })
})

test('A key pending deletion says when it will be deleted', async () => {
  const { keyId } = await givenKey(kms)
  const before = await describeKey(keyId)
  const { DeletionDate } = await kms.send(new ScheduleKeyDeletionCommand({ KeyId: keyId }))
  expect(await describeKey(keyId)).toEqual({
    ...before,
    Enabled: false,
    KeyState: 'PendingDeletion',
    DeletionDate,
  })
})

test('DescribeKey passes over grant tokens', async () => {
  const { KeyMetadata } = await kms.send(
    new DescribeKeyCommand({ KeyId: key.keyId, GrantTokens: ['token'] }),
  )
  expect(KeyMetadata?.Arn).toBe(key.arn)
})

test('DescribeKey refuses an alias that is not there', async () => {
  expect(await refusalOf(describeKey('alias/absent'))).toEqual(
    refused(
      'NotFoundException',
      `Alias arn:aws:kms:us-east-1:${stack.account}:alias/absent is not found.`,
    ),
  )
})
