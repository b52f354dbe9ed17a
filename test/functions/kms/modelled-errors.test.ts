/** Every operation, called in many ways: what it answers is an error that clients know of it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { requestGarbage } from '../../support/kms-garbage.ts'
import { modelledOperations } from '../../support/kms-model.ts'
import { makeWorld } from '../../support/kms-world.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { servedOperations } from '../../support/served-operations.ts'
import { givenStack } from '../../support/stack-client.ts'
import { vectors } from '../../support/vectors.ts'

const modelled = vectors<Readonly<Record<string, readonly string[]>>>('kms-operation-errors.json')
/** What AWS answers with everywhere, listed or not (AWS KMS API reference, "Common errors"). */
const COMMON = [
  'AccessDeniedException',
  'NotAuthorizedException',
  'SerializationException',
  'ThrottlingException',
  'ValidationException',
]
/**
 * What clients may see although the operation's model does not list it: attestation documents are
 * not taken where no root for them is configured, and the model has no better name for that.
 */
const BEYOND: Readonly<Record<string, readonly string[]>> = {
  Decrypt: ['UnsupportedOperationException'],
  DeriveSharedSecret: ['UnsupportedOperationException'],
  GenerateDataKey: ['UnsupportedOperationException'],
}

/** Those that may lock everybody out of a key, or take it away, come last. */
const LAST = ['ScheduleKeyDeletion', 'PutKeyPolicy']

const stack = givenStack()
const served = await servedOperations()
const operations = modelledOperations
  .filter((operation) => served.has(operation))
  .toSorted((one, other) => LAST.indexOf(one) - LAST.indexOf(other))

const world = await makeWorld(async (operation, input, region = stack.region) => {
  const answer = await callKms({ ...stack, region }, operation, input)
  if (answer.status !== 200) return null
  return answer.body === '' ? {} : JSON.parse(answer.body)
})

describe('However it is called, it succeeds or gives an error that its model lists:', () => {
  test.each(operations)('%s', { timeout: 60_000 }, async (operation) => {
    const known = [...COMMON, ...(modelled[operation] ?? []), ...(BEYOND[operation] ?? [])]
    await fc.assert(
      fc.asyncProperty(requestGarbage(operation, world), async (input) => {
        const { status, json } = jsonOf(await callKms(stack, operation, input))
        if (status === 200) return
        expect(status).toBe(400)
        const { __type, ...rest } = json as { __type: string; message?: string }
        expect(known).toContain(__type)
        expect(Object.keys(rest)).toEqual('message' in rest ? ['message'] : [])
      }),
      { numRuns: 150 },
    )
  })
})

describe('The world that requests are made from', () => {
  test('has requests that succeeded for every operation', () => {
    const without = operations.filter((operation) => !world.requests.has(operation))
    expect(without).toEqual([])
  })
})
