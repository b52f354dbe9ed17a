import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { bytes, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)

test.for([1, 32, 1024])('GenerateRandom gives %i bytes and nothing else', async (NumberOfBytes) => {
  const { $metadata, ...answer } = await kms.send(new GenerateRandomCommand({ NumberOfBytes }))
  expect(answer).toEqual({ Plaintext: expect.any(Uint8Array) })
  expect(answer.Plaintext).toHaveLength(NumberOfBytes)
})

test('GenerateRandom gives other bytes each time', async () => {
  const command = () => kms.send(new GenerateRandomCommand({ NumberOfBytes: 16 }))
  const answers = await Promise.all(Array.from({ length: 20 }, command))
  const texts = answers.map(({ Plaintext }) => Buffer.from(Plaintext ?? []).toString('hex'))
  expect(new Set(texts).size).toBe(20)
})

describe('GenerateRandom refuses', () => {
  const attempt = (input: object) => refusalOf(kms.send(new GenerateRandomCommand(input)))

  test('to guess how many bytes are wanted', async () => {
    expect(await attempt({})).toEqual(refused('ValidationException', 'NumberOfBytes is required.'))
  })

  test('custom key stores, of which there are none', async () => {
    expect(await attempt({ NumberOfBytes: 1, CustomKeyStoreId: 'cks-1234567890abcdef0' })).toEqual(
      refused('CustomKeyStoreNotFoundException', null),
    )
  })

  test('attestation documents', async () => {
    const Recipient = { AttestationDocument: bytes('document') }
    expect(await attempt({ NumberOfBytes: 1, Recipient })).toEqual(
      refused('UnsupportedOperationException', null),
    )
  })

  test.for<[number, string]>([
    [0, 'greater than or equal to 1'],
    [1025, 'less than or equal to 1024'],
  ])('%i bytes', async ([NumberOfBytes, limit]) => {
    expect(jsonOf(await callKms(stack, 'GenerateRandom', { NumberOfBytes })).json).toEqual({
      __type: 'ValidationException',
      message: `1 validation error detected: Value '${NumberOfBytes}' at 'numberOfBytes' failed to satisfy constraint: Member must have value ${limit}`,
    })
  })
})
