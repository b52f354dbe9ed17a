import { GenerateMacCommand } from '@aws-sdk/client-kms'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  caller,
  describeDryRun,
  describeNaming,
  describeStates,
  describeUsage,
  type KeyOperation,
  refusedWith,
  violations,
} from '../../support/key-operation.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { changed } from '../../support/signatures.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const plan = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const
const key = await givenKey(kms, plan)
const message = Buffer.from('message')
const MacAlgorithm = 'HMAC_SHA_256'
const generated = await kms.send(
  new GenerateMacCommand({ KeyId: key.keyId, Message: message, MacAlgorithm }),
)
const mac = Buffer.from(generated.Mac ?? [])
const operation: KeyOperation = {
  target: stack,
  kms,
  name: 'VerifyMac',
  key,
  plan,
  input: { Message: base64(message), Mac: base64(mac), MacAlgorithm },
}
const verifyMac = caller(operation)
const invalid = refusedWith('KMSInvalidMacException')

test('VerifyMac answers that the MAC is valid, and with nothing else but key and algorithm', async () => {
  expect(await verifyMac()).toEqual({
    status: 200,
    json: { KeyId: key.arn, MacValid: true, MacAlgorithm },
  })
})

describeNaming(operation)
describeStates(operation)
describeUsage(operation, [
  { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
])
describeDryRun(operation)

describe('VerifyMac refuses without a word', () => {
  test('any change of the MAC, whatever its length', async () => {
    await fc.assert(
      fc.asyncProperty(changed(mac), async (other) => {
        if (other.length === 0) return
        expect(await verifyMac({ Mac: base64(other) })).toEqual(invalid)
      }),
      { numRuns: 60 },
    )
  })

  test('any other message, and another key', async () => {
    await fc.assert(
      fc.asyncProperty(changed(message), async (other) => {
        if (other.length === 0 || other.length > 4096) return
        expect(await verifyMac({ Message: base64(other) })).toEqual(invalid)
      }),
      { numRuns: 30 },
    )
    const { keyId } = await givenKey(kms, plan)
    expect(await verifyMac({ KeyId: keyId })).toEqual(invalid)
  })

  test('also in a dry run', async () => {
    expect(await verifyMac({ Mac: 'AAAA', DryRun: true })).toEqual(invalid)
  })
})

describe('VerifyMac refuses', () => {
  test('the algorithm of another key spec', async () => {
    expect(await verifyMac({ MacAlgorithm: 'HMAC_SHA_512' })).toEqual(
      refusedWith(
        'InvalidKeyUsageException',
        'Algorithm HMAC_SHA_512 is incompatible with key spec HMAC_256.',
      ),
    )
  })

  test('a grant token that is none', async () => {
    const { json } = await verifyMac({ GrantTokens: ['token'] })
    expect(json).toMatchObject({ __type: 'InvalidGrantTokenException' })
  })
})

test('VerifyMac tells what is missing and what is too long', async () => {
  expect(jsonOf(await callKms(stack, 'VerifyMac', {}))).toEqual(
    violations(
      "Value at 'message' must not be null",
      "Value null at 'keyId' must not be null",
      "Value null at 'macAlgorithm' must not be null",
      "Value null at 'mac' must not be null",
    ),
  )
  expect(await verifyMac({ Mac: base64(Buffer.alloc(6145)) })).toEqual(
    violations("Value at 'mac' must have length less than or equal to 6144"),
  )
})
