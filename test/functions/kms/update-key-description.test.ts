import { DescribeKeyCommand, UpdateKeyDescriptionCommand } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { refusedWith } from '../../support/key-operation.ts'
import {
  givenAlias,
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const descriptionOf = async (KeyId: string) =>
  (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.Description
const call = async (input: object) => jsonOf(await callKms(stack, 'UpdateKeyDescription', input))

test('A description is replaced, by key id and by key ARN', async () => {
  const { keyId, arn } = await givenKey(kms, { Description: 'before' })
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId: keyId, Description: 'Überweisungen' }))
  expect(await descriptionOf(keyId)).toBe('Überweisungen')
  await kms.send(new UpdateKeyDescriptionCommand({ KeyId: arn, Description: '' }))
  expect(await descriptionOf(keyId)).toBe('')
})

test('The answer is empty', async () => {
  const { keyId } = await givenKey(kms)
  const { status, body } = await callKms(stack, 'UpdateKeyDescription', {
    KeyId: keyId,
    Description: 'x',
  })
  expect({ status, body }).toEqual({ status: 200, body: '' })
})

test('A disabled key and one that waits for its material take a description', async () => {
  const disabled = await givenDisabledKey(kms)
  const waiting = await givenKey(kms, { Origin: 'EXTERNAL' })
  for (const { keyId } of [disabled, waiting]) {
    await kms.send(new UpdateKeyDescriptionCommand({ KeyId: keyId, Description: 'still mine' }))
    expect(await descriptionOf(keyId)).toBe('still mine')
  }
})

describe('UpdateKeyDescription refuses', () => {
  test('a key that waits for deletion', async () => {
    const { keyId, arn } = await givenKeyPendingDeletion(kms)
    expect(await call({ KeyId: keyId, Description: 'x' })).toEqual(
      refusedWith('KMSInvalidStateException', `${arn} is pending deletion.`),
    )
  })

  test('an alias, before it looks for one', async () => {
    const { keyId } = await givenKey(kms)
    for (const KeyId of [await givenAlias(kms, keyId), 'alias/absent']) {
      expect(await call({ KeyId, Description: 'x' })).toEqual(
        refusedWith('InvalidArnException', 'Key Aliases are not supported for this operation.'),
      )
    }
  })

  test('a key that is not there, and what is no key id', async () => {
    const absent = '00000000-0000-0000-0000-000000000000'
    const arn = `arn:aws:kms:us-east-1:${stack.account}:key/${absent}`
    for (const [KeyId, message] of [
      [absent, `Key '${arn}' does not exist`],
      ['nonsense', "Invalid keyId 'nonsense'"],
    ]) {
      expect(await call({ KeyId, Description: 'x' })).toEqual(
        refusedWith('NotFoundException', message),
      )
    }
  })

  test('a request without a description', async () => {
    const { keyId } = await givenKey(kms)
    expect(await call({ KeyId: keyId })).toEqual(
      refusedWith(
        'ValidationException',
        "1 validation error detected: Value null at 'description' failed to satisfy constraint: Member must not be null",
      ),
    )
  })
})
