import { GenerateMacCommand, VerifyMacCommand } from '@aws-sdk/client-kms'
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
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const plan = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' } as const
const operation: KeyOperation = {
  target: stack,
  kms,
  name: 'GenerateMac',
  key: await givenKey(kms, plan),
  plan,
  input: { Message: 'AAAA', MacAlgorithm: 'HMAC_SHA_256' },
}
const generateMac = caller(operation)

test('GenerateMac answers with the key ARN, the algorithm and the MAC, and with nothing else', async () => {
  const { status, json } = await generateMac()
  expect(status).toBe(200)
  expect(json).toEqual({
    KeyId: operation.key.arn,
    MacAlgorithm: 'HMAC_SHA_256',
    Mac: expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
  })
})

test.each([
  [224, 28],
  [256, 32],
  [384, 48],
  [512, 64],
] as const)(
  'HMAC_%i gives MACs of %i bytes that verify, one for one message',
  async (bits, length) => {
    const KeyUsage = 'GENERATE_VERIFY_MAC'
    const { keyId: KeyId } = await givenKey(kms, { KeySpec: `HMAC_${bits}`, KeyUsage })
    const other = await givenKey(kms, { KeySpec: `HMAC_${bits}`, KeyUsage })
    const MacAlgorithm = `HMAC_SHA_${bits}` as const
    for (const size of [1, 4096]) {
      const command = { KeyId, MacAlgorithm, Message: Buffer.alloc(size, 7) }
      const { Mac } = await kms.send(new GenerateMacCommand(command))
      expect(Mac).toHaveLength(length)
      expect((await kms.send(new GenerateMacCommand(command))).Mac).toEqual(Mac)
      const elsewhere = await kms.send(new GenerateMacCommand({ ...command, KeyId: other.keyId }))
      expect(elsewhere.Mac).not.toEqual(Mac)
      expect((await kms.send(new VerifyMacCommand({ ...command, Mac }))).MacValid).toBe(true)
    }
  },
)

describeNaming(operation)
describeStates(operation)
describeUsage(operation, [
  { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
  { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
])
describeDryRun(operation)

describe('GenerateMac refuses', () => {
  test.each(['HMAC_SHA_224', 'HMAC_SHA_384', 'HMAC_SHA_512'])(
    '%s, the algorithm of another key spec',
    async (MacAlgorithm) => {
      expect(await generateMac({ MacAlgorithm })).toEqual(
        refusedWith(
          'InvalidKeyUsageException',
          `Algorithm ${MacAlgorithm} is incompatible with key spec HMAC_256.`,
        ),
      )
    },
  )

  test('a grant token that is none', async () => {
    const { json } = await generateMac({ GrantTokens: ['token'] })
    expect(json).toMatchObject({ __type: 'InvalidGrantTokenException' })
  })
})

test('GenerateMac tells what is missing, and what is none of the algorithms', async () => {
  expect(jsonOf(await callKms(stack, 'GenerateMac', {}))).toEqual(
    violations(
      "Value at 'message' must not be null",
      "Value null at 'keyId' must not be null",
      "Value null at 'macAlgorithm' must not be null",
    ),
  )
  expect(await generateMac({ MacAlgorithm: 'INVALID', Message: '' })).toEqual(
    violations(
      "Value at 'message' must have length greater than or equal to 1",
      "Value 'INVALID' at 'macAlgorithm' must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
    ),
  )
})
