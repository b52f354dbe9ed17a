import { describe, expect, test } from 'vitest'
import { Ledger } from '../../../shared/audit/ledger.ts'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { JsonError } from '../../../shared/errors.ts'
import { HsmUnavailable } from '../../../shared/hsm/hsm.ts'
import type { Call, Operation } from '../../../shared/pipeline/operation.ts'
import { unlessOvertaken } from '../../../shared/pipeline/overtaken.ts'
import { execute } from '../../../shared/pipeline/pipeline.ts'
import { RequestRates } from '../../../shared/pipeline/request-rates.ts'
import { ConditionFailed, StoreUnavailable } from '../../../shared/store/repositories.ts'
import { CALLER, givenClock, REGION } from '../../support/audit-records.ts'
import { givenLedger } from '../../support/memory-ledger.ts'

function givenCall() {
  const clock = givenClock()
  const blocks = givenLedger()
  const call = {
    services: {
      clock,
      wallClock: clock,
      ledger: new Ledger({ blocks, clock }),
      requestRates: new RequestRates({ clock, defaults: 'aws' }),
    },
    caller: CALLER,
    region: REGION,
    requestId: 'request-1',
    sourceIp: '198.51.100.7',
    userAgent: 'test',
    secure: true,
    via: null,
  } as unknown as Call
  const records = (): AuditRecord[] =>
    blocks.stored.flatMap(({ records: text }) =>
      Buffer.from(text)
        .toString()
        .split('\n')
        .map((line) => JSON.parse(line)),
    )
  return { call, records, blocks }
}

interface Output {
  readonly Secret: Buffer
}

const givenOperation = (differs: Partial<Operation<object, Output>> = {}) => ({
  service: 'kms' as const,
  name: 'Test',
  input: { read: () => ({}) },
  readOnly: true,
  run: () => ({ Secret: Buffer.from('secret') }),
  audit: { requestParameters: () => ({ shown: 'yes' }) },
  ...differs,
})

const throwing = (error: unknown) =>
  givenOperation({
    run() {
      throw error
    },
  })

const run = (operation: Operation<object, Output>, call: Call) =>
  execute(operation, () => ({}), call)

test('An operation is recorded before it is answered', async () => {
  const { call, records, blocks } = givenCall()
  const order: string[] = []
  blocks.afterPut = () => {
    order.push('recorded')
  }
  await run(givenOperation(), call).then(() => order.push('answered'))
  expect(order).toEqual(['recorded', 'answered'])
  expect(records()).toMatchObject([
    { eventName: 'Test', requestID: 'request-1', requestParameters: { shown: 'yes' } },
  ])
})

describe('What goes wrong inside is told as', () => {
  test.for([
    ['a store that fails', new StoreUnavailable('db-7 is down'), 'DependencyTimeoutException'],
    ['an HSM that fails', new HsmUnavailable('slot 3'), 'DependencyTimeoutException'],
    ['a write that is always overtaken', new ConditionFailed('rev 7'), 'ThrottlingException'],
    ['a bug', new TypeError('x is undefined'), 'KMSInternalException'],
    ['no error at all', 'a text', 'KMSInternalException'],
  ] as const)('%s: nothing of it', async ([, error, code]) => {
    const { call, records } = givenCall()
    const told = await run(throwing(error), call).catch((thrown: unknown) => thrown)
    expect(told).toBeInstanceOf(JsonError)
    expect(told).toMatchObject({ code, cause: error })
    const words = error instanceof Error ? error.message : error
    expect((told as JsonError).text ?? '').not.toContain(words)
    expect(records()).toMatchObject([{ errorCode: code, responseElements: null }])
    expect(JSON.stringify(records())).not.toContain(words)
  })

  test.for([
    ['cloudtrail', new StoreUnavailable(), 'ServiceUnavailableException'],
    ['cloudtrail', new TypeError(), 'InternalFailure'],
    ['sts', new TypeError(), 'InternalFailure'],
  ] as const)('what the service calls it: %s', async ([service, error, code]) => {
    const { call } = givenCall()
    const operation = { ...throwing(error), service }
    await expect(run(operation, call)).rejects.toMatchObject({ code })
  })
})

test('A refusal of the input is recorded without parameters', async () => {
  const { call, records } = givenCall()
  const refusal = new JsonError('ValidationException', 'one fault')
  const attempt = execute(
    givenOperation(),
    () => {
      throw refusal
    },
    call,
  )
  await expect(attempt).rejects.toBe(refusal)
  expect(records()).toMatchObject([
    { errorCode: 'ValidationException', errorMessage: 'one fault', requestParameters: null },
  ])
})

describe('When the record cannot be written', () => {
  test('nothing is answered, and what was to be is wiped', async () => {
    const { call, blocks } = givenCall()
    blocks.beforePut = () => {
      throw new StoreUnavailable()
    }
    const output = { Secret: Buffer.from('secret') }
    const attempt = run(givenOperation({ run: () => output }), call)
    await expect(attempt).rejects.toMatchObject({ code: 'DependencyTimeoutException' })
    expect(output.Secret).toEqual(Buffer.alloc(6))
  })

  test('a refusal is not told either', async () => {
    const { call, blocks } = givenCall()
    blocks.beforePut = () => {
      throw new StoreUnavailable()
    }
    const attempt = run(throwing(new JsonError('NotFoundException', 'there is none')), call)
    await expect(attempt).rejects.toMatchObject({ code: 'DependencyTimeoutException' })
  })
})

test('A permission that no policy gives is refused before anything else', async () => {
  const { call } = givenCall()
  const order: string[] = []
  const operation = givenOperation({
    permissions: () => [{ action: 'kms:ListKeys', resource: null }],
    keys() {
      order.push('keys')
      return {}
    },
    run() {
      order.push('run')
      return { Secret: Buffer.alloc(0) }
    },
  })
  await expect(run(operation, call)).rejects.toMatchObject({ code: 'AccessDeniedException' })
  expect(order).toEqual([])
})

test('A call that somebody else was faster than starts anew, and is recorded once', async () => {
  const { call, records } = givenCall()
  let looked = 0
  const operation = givenOperation({
    permissions() {
      looked++
      return []
    },
    run() {
      if (looked < 3) throw new ConditionFailed()
      return { Secret: Buffer.from('third') }
    },
  })
  expect(await run(operation, call)).toEqual({ Secret: Buffer.from('third') })
  expect(looked).toBe(3)
  expect(records()).toHaveLength(1)
})

test('Somebody else who was faster is told as "try again"', async () => {
  const overtaken = unlessOvertaken(Promise.reject(new ConditionFailed()))
  await expect(overtaken).rejects.toMatchObject({ code: 'ThrottlingException', status: 400 })
  const other = new Error('other')
  await expect(unlessOvertaken(Promise.reject(other))).rejects.toBe(other)
  await unlessOvertaken(Promise.resolve())
})
