import type { DynamoDBRecord } from 'aws-lambda'
import { afterEach, expect, test } from 'vitest'
import { handler } from '../../../functions/audit/relay.ts'
import { type LocalEventBus, startEventBus } from '../../../infra/local/event-bus.ts'
import type { BusEvent } from '../../../infra/local/put-events.ts'
import type { AuditDetail } from '../../../shared/audit/bus-entries.ts'
import { ledgerBlockToImage } from '../../../shared/store/ledger-image.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import {
  ACCOUNT,
  givenBlock,
  givenRecord,
  NOON,
  OTHER_ACCOUNT,
} from '../../support/audit-records.ts'

process.env.KEYHOLD_LOG_LEVEL = 'silent'

let bus: LocalEventBus | undefined
afterEach(() => bus?.close())

/** A bus whose one target may refuse events; what it took is kept. */
async function givenBus(refuses: (detail: AuditDetail) => boolean = () => false) {
  const taken: BusEvent[] = []
  bus = await startEventBus({
    rules: [
      {
        name: 'archive',
        pattern: { source: ['keyhold'], 'detail-type': ['Keyhold Audit Records'] },
        async target(event) {
          if (refuses(event.detail as AuditDetail)) throw new Error('Not now.')
          taken.push(event)
        },
      },
    ],
  })
  process.env.KEYHOLD_EVENTBRIDGE_ENDPOINT = bus.endpoint
  process.env.KEYHOLD_AUDIT_BUS = 'keyhold-audit'
  return {
    taken,
    names: () =>
      taken
        .flatMap(({ detail }) => (detail as AuditDetail).blocks)
        .flatMap(({ records }) => records.map(({ requestID }) => requestID)),
  }
}

const streamRecord = (block: LedgerBlockRecord, at: number): DynamoDBRecord => ({
  eventName: 'INSERT',
  dynamodb: { NewImage: ledgerBlockToImage(block), SequenceNumber: `${100 + at}` },
})

const block = (name: string, differs: Partial<LedgerBlockRecord> = {}): LedgerBlockRecord =>
  givenBlock([givenRecord({ requestId: name })], differs)

const sized = (bytes: number) => givenRecord({ requestParameters: { text: 'x'.repeat(bytes) } })

test('the blocks of a batch reach the bus in few entries', async () => {
  const { taken, names } = await givenBus()
  const blocks = Array.from({ length: 100 }, (_, at) =>
    block(`${at}`, { sequence: at + 1, account: at % 2 === 0 ? ACCOUNT : OTHER_ACCOUNT }),
  )
  expect(await handler({ Records: blocks.map(streamRecord) })).toEqual({ batchItemFailures: [] })
  expect(taken).toHaveLength(2)
  expect(names().toSorted()).toEqual(blocks.map((_, at) => `${at}`).toSorted())
  expect(taken[0]?.time).toBe(new Date(NOON).toISOString().replace('.000', ''))
})

test('what is above the limits of a call travels in several', async () => {
  const { taken } = await givenBus()
  const blocks = Array.from({ length: 14 }, (_, at) =>
    givenBlock([sized(99_000), sized(99_000)], { sequence: at + 1 }),
  )
  expect(await handler({ Records: blocks.map(streamRecord) })).toEqual({ batchItemFailures: [] })
  expect(taken).toHaveLength(14)
})

test('changes and items that are no new blocks are passed over', async () => {
  const { taken } = await givenBus()
  const position = { pk: { S: `${ACCOUNT}#eu-central-1#ledger` }, sk: { S: 'relay' } }
  const Records: DynamoDBRecord[] = [
    { eventName: 'INSERT', dynamodb: { NewImage: position, SequenceNumber: '1' } },
    { ...streamRecord(block('changed'), 2), eventName: 'MODIFY' },
    { ...streamRecord(block('removed'), 3), eventName: 'REMOVE' },
  ]
  expect(await handler({ Records })).toEqual({ batchItemFailures: [] })
  expect(taken).toEqual([])
})

test('an entry that was refused is put again alone', async () => {
  let refusals = 0
  const { names } = await givenBus(({ account }) => {
    if (account !== OTHER_ACCOUNT || refusals === 3) return false
    refusals += 1
    return true
  })
  const blocks = [block('1'), block('2', { account: OTHER_ACCOUNT })]
  expect(await handler({ Records: blocks.map(streamRecord) })).toEqual({ batchItemFailures: [] })
  expect(names()).toEqual(['1', '2'])
})

test('the stream goes on from the first block that the bus does not take', async () => {
  const { names } = await givenBus(({ account }) => account === OTHER_ACCOUNT)
  const blocks = [
    block('1'),
    block('2', { sequence: 2 }),
    block('3', { account: OTHER_ACCOUNT }),
    block('4', { account: OTHER_ACCOUNT, sequence: 2 }),
  ]
  expect(await handler({ Records: blocks.map(streamRecord) })).toEqual({
    batchItemFailures: [{ itemIdentifier: '102' }],
  })
  expect(names()).toEqual(['1', '2'])
})

test('a bus out of reach confirms nothing', async () => {
  await givenBus()
  await bus?.close()
  bus = undefined
  const answer = await handler({ Records: [block('1'), block('2')].map(streamRecord) })
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: '100' }] })
})

test('a block that cannot be read holds back what comes after it, and only that', async () => {
  const { names } = await givenBus()
  const [first, spoiled, last] = [
    block('1'),
    block('2', { sequence: 2 }),
    block('3', { sequence: 3 }),
  ].map(streamRecord) as [DynamoDBRecord, DynamoDBRecord, DynamoDBRecord]
  const { hash: _, ...NewImage } = spoiled.dynamodb?.NewImage ?? {}
  const broken = { ...spoiled, dynamodb: { ...spoiled.dynamodb, NewImage } }
  expect(await handler({ Records: [first, broken, last] })).toEqual({
    batchItemFailures: [{ itemIdentifier: '101' }],
  })
  expect(names()).toEqual(['1'])
})

test('an empty batch asks nothing of the bus', async () => {
  process.env.KEYHOLD_EVENTBRIDGE_ENDPOINT = 'http://127.0.0.1:9'
  expect(await handler({ Records: [] })).toEqual({ batchItemFailures: [] })
})
