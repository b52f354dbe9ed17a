import {
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
} from '@aws-sdk/client-kms'
import { expect, test } from 'vitest'
import { bytes, givenKey, givenKeyPendingDeletion, kmsClient } from '../../support/kms.ts'
import { callKms } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const enable = (KeyId: string) => kms.send(new EnableKeyCommand({ KeyId }))
const disable = (KeyId: string) => kms.send(new DisableKeyCommand({ KeyId }))
const stateOf = async (KeyId: string) =>
  (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState

test('A disabled key is refused at once, and works again once it is enabled', async () => {
  const { keyId, arn } = await givenKey(kms)
  const encrypt = () => kms.send(new EncryptCommand({ KeyId: keyId, Plaintext: bytes('x') }))
  await encrypt()
  await disable(keyId)
  expect(await refusalOf(encrypt())).toEqual(refused('DisabledException', `${arn} is disabled.`))
  await enable(arn)
  await encrypt()
})

test('Both can be repeated', async () => {
  const { keyId } = await givenKey(kms)
  await enable(keyId)
  expect(await stateOf(keyId)).toBe('Enabled')
  await disable(keyId)
  await disable(keyId)
  expect(await stateOf(keyId)).toBe('Disabled')
  await enable(keyId)
  await enable(keyId)
  expect(await stateOf(keyId)).toBe('Enabled')
})

test('Many changes at once all succeed, one after the other', async () => {
  const { keyId } = await givenKey(kms)
  await Promise.all([enable(keyId), disable(keyId), enable(keyId), disable(keyId)])
  await disable(keyId)
  expect(await stateOf(keyId)).toBe('Disabled')
})

test('Both refuse a key pending deletion', async () => {
  const { keyId, arn } = await givenKeyPendingDeletion(kms)
  for (const attempt of [enable(keyId), disable(keyId)]) {
    expect(await refusalOf(attempt)).toEqual(
      refused('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  }
})

test('Both answer with an empty body', async () => {
  const { keyId } = await givenKey(kms)
  for (const operation of ['DisableKey', 'EnableKey']) {
    const { status, body, headers } = await callKms(stack, operation, { KeyId: keyId })
    expect([status, body, headers['content-length']]).toEqual([200, '', '0'])
  }
})
