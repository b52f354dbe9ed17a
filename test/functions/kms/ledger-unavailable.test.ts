/** When the record of a call cannot be written, the call fails and nothing of its answer leaves. */
import { afterAll, expect, test } from 'vitest'
import { decrypt } from '../../../functions/kms/decrypt.ts'
import { encrypt } from '../../../functions/kms/encrypt.ts'
import { generateDataKey } from '../../../functions/kms/generate-data-key.ts'
import { generateRandom } from '../../../functions/kms/generate-random.ts'
import { Ledger } from '../../../shared/audit/ledger.ts'
import { JsonError } from '../../../shared/errors.ts'
import type { Call, Operation } from '../../../shared/pipeline/operation.ts'
import { execute } from '../../../shared/pipeline/pipeline.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { givenLedger } from '../../support/memory-ledger.ts'
import { callKms } from '../../support/raw-call.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const key = await givenKey(kmsClient(stack.admin))
const Plaintext = Buffer.from('a secret').toString('base64')
const sealed = await callKms(stack.admin, 'Encrypt', { KeyId: key.keyId, Plaintext })
const CiphertextBlob = Buffer.from(JSON.parse(sealed.body).CiphertextBlob, 'base64')

/** A call of the administrator whose records go to a ledger that fails. */
async function givenCall(): Promise<Call> {
  const blocks = givenLedger()
  blocks.beforePut = () => {
    throw new Error('The table is gone.')
  }
  const call = await stack.call(stack.admin)
  const ledger = new Ledger({ blocks, clock: stack.services.clock })
  return { ...call, services: { ...stack.services, ledger } }
}

/** The operation, and what its run gave. */
function watched<Input, Output, Role extends string>(operation: Operation<Input, Output, Role>) {
  const outputs: Output[] = []
  const spied: Operation<Input, Output, Role> = {
    ...operation,
    async run(input, keys, call) {
      const output = await operation.run(input, keys, call)
      outputs.push(output)
      return output
    },
  }
  return { spied, outputs }
}

async function expectNothingLeaves<Input, Output extends object, Role extends string>(
  operation: Operation<Input, Output, Role>,
  input: Input,
): Promise<void> {
  const { spied, outputs } = watched(operation)
  const attempt = execute(spied, () => input, await givenCall())
  const error = await attempt.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(JsonError)
  expect(error).toMatchObject({ code: 'DependencyTimeoutException', status: 503 })
  expect(String((error as JsonError).text)).not.toContain('table')
  expect(outputs).toHaveLength(1)
  const members = Object.values(outputs[0] ?? {}).filter((value) => value instanceof Uint8Array)
  expect(members.length).toBeGreaterThan(0)
  for (const bytes of members) expect(Buffer.from(bytes)).toEqual(Buffer.alloc(bytes.length))
}

test('Encrypt gives no ciphertext', () =>
  expectNothingLeaves(encrypt, { KeyId: key.keyId, Plaintext: Buffer.from('x') }))

test('Decrypt gives no plaintext', () => expectNothingLeaves(decrypt, { CiphertextBlob }))

test('GenerateDataKey gives no data key', () =>
  expectNothingLeaves(generateDataKey, { KeyId: key.keyId, KeySpec: 'AES_256' }))

test('GenerateRandom gives no bytes', () =>
  expectNothingLeaves(generateRandom, { NumberOfBytes: 32 }))

test('A refusal is not told either', async () => {
  const call = await givenCall()
  const input = { KeyId: '00000000-0000-0000-0000-000000000000', Plaintext: Buffer.from('x') }
  await expect(execute(encrypt, () => input, call)).rejects.toMatchObject({
    code: 'DependencyTimeoutException',
  })
})

test('A dry run wipes what it made', async () => {
  const { spied, outputs } = watched(generateDataKey)
  const call = await stack.call(stack.admin)
  const input = { KeyId: key.keyId, KeySpec: 'AES_256', DryRun: true } as const
  await expect(execute(spied, () => input, call)).rejects.toMatchObject({
    code: 'DryRunOperationException',
  })
  expect(outputs[0]?.Plaintext).toEqual(Buffer.alloc(32))
})
