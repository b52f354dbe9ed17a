import { afterAll, beforeAll, expect, test } from 'vitest'
import { type LookupPosition, type LookupQuery, lookup } from '../../../shared/audit/lookup.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import type { LedgerRepository } from '../../../shared/store/repositories.ts'
import {
  ACCOUNT,
  CALLER,
  givenBlock,
  givenRecord,
  KEY_ARN,
  NOON,
  OTHER_ACCOUNT,
  REGION,
} from '../../support/audit-records.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'
import { givenLedger } from '../../support/memory-ledger.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const query = (differs: Partial<LookupQuery> = {}): LookupQuery => ({
  account: ACCOUNT,
  region: REGION,
  start: null,
  end: null,
  attribute: null,
  limit: 50,
  after: null,
  ...differs,
})

/** A block with one record for each name, dated as the block is. */
const block = (
  time: number,
  names: readonly string[],
  differs: Partial<LedgerBlockRecord> = {},
): LedgerBlockRecord =>
  givenBlock(
    names.map((requestId) => givenRecord({ requestId, eventTime: time })),
    { writtenAt: time, ...differs },
  )

async function givenBlocks(...blocks: LedgerBlockRecord[]): Promise<LedgerRepository> {
  const ledger = givenLedger()
  for (const each of blocks) await ledger.append(each)
  return ledger
}

async function namesOf(ledger: LedgerRepository, asked: LookupQuery) {
  const { events, next } = await lookup(ledger, asked)
  return { names: events.map((event) => JSON.parse(event.CloudTrailEvent).requestID), next }
}

/** All pages, with a chance to write more between them. */
async function allPages(
  ledger: LedgerRepository,
  asked: LookupQuery,
  between: (page: number) => Promise<void> = async () => {},
): Promise<string[][]> {
  const pages: string[][] = []
  let after: LookupPosition | null = null
  do {
    const { names, next } = await namesOf(ledger, { ...asked, after })
    pages.push(names)
    after = next === null ? null : (JSON.parse(JSON.stringify(next)) as LookupPosition)
    await between(pages.length)
    if (pages.length > 100) throw new Error('The pages do not end.')
  } while (after !== null)
  return pages
}

test('events come newest first, over records, blocks, shards and days', async () => {
  const ledger = await givenBlocks(
    block(NOON, ['1', '2']),
    block(NOON + 1, ['3'], { shard: 'b1b1b1b1b1b1b1b1' }),
    block(NOON + 2, ['4', '5'], { sequence: 2 }),
    block(NOON + 3 * DAY, ['6'], { sequence: 3 }),
  )
  expect(await namesOf(ledger, query())).toEqual({
    names: ['6', '5', '4', '3', '2', '1'],
    next: null,
  })
})

test('an event shows what CloudTrail shows', async () => {
  const record = givenRecord({ readOnly: false })
  const ledger = await givenBlocks(givenBlock([record]))
  expect((await lookup(ledger, query())).events).toEqual([
    {
      EventId: record.eventID,
      EventName: 'Encrypt',
      ReadOnly: 'false',
      AccessKeyId: CALLER.accessKeyId,
      EventTime: new Date(NOON),
      EventSource: 'kms.amazonaws.com',
      Username: 'ada',
      Resources: [{ ResourceType: 'AWS::KMS::Key', ResourceName: KEY_ARN }],
      CloudTrailEvent: JSON.stringify(record),
    },
  ])
})

test('an empty ledger has no events', async () => {
  expect(await lookup(givenLedger(), query())).toEqual({ events: [], next: null })
})

test("another account's events are not found", async () => {
  const ledger = await givenBlocks(
    block(NOON, ['mine']),
    block(NOON, ['theirs'], { account: OTHER_ACCOUNT }),
  )
  expect((await namesOf(ledger, query())).names).toEqual(['mine'])
})

test('data events are never returned', async () => {
  const records = [
    givenRecord({ requestId: 'data', category: 'Data' }),
    givenRecord({ requestId: 'management' }),
  ]
  expect((await namesOf(await givenBlocks(givenBlock(records)), query())).names).toEqual([
    'management',
  ])
})

test.each([
  ['EventName', 'Decrypt'],
  ['ReadOnly', 'false'],
  ['Username', 'grace'],
  ['ResourceType', 'AWS::S3::Bucket'],
  ['ResourceName', 'arn:aws:s3:::ledger "2026"'],
  ['EventSource', 's3.amazonaws.com'],
  ['AccessKeyId', 'AKIAOTHEROTHEROTHER0'],
] as const)('the attribute %s finds exactly its value', async (key, value) => {
  const wanted = givenRecord({
    requestId: 'wanted',
    eventName: 'Decrypt',
    readOnly: false,
    eventSource: 's3.amazonaws.com',
    resources: [{ accountId: ACCOUNT, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::ledger "2026"' }],
    caller: {
      ...CALLER,
      userName: 'grace',
      accessKeyId: 'AKIAOTHEROTHEROTHER0' as typeof CALLER.accessKeyId,
    },
  })
  const decoy = givenRecord({ requestId: 'decoy', requestParameters: { value } })
  const ledger = await givenBlocks(givenBlock([decoy, wanted, givenRecord()]))
  expect(await namesOf(ledger, query({ attribute: { key, value } }))).toEqual({
    names: ['wanted'],
    next: null,
  })
  const other = { key, value: `${value}x` }
  expect((await namesOf(ledger, query({ attribute: other }))).names).toEqual([])
})

test('the attribute EventId finds one event', async () => {
  const record = givenRecord()
  const ledger = await givenBlocks(givenBlock([givenRecord(), record, givenRecord()]))
  const attribute = { key: 'EventId', value: record.eventID } as const
  expect((await lookup(ledger, query({ attribute }))).events).toHaveLength(1)
})

test('a range of time is inclusive in whole seconds', async () => {
  const ledger = await givenBlocks(
    ...[0, 1, 2, 3].map((at) => block(NOON + at * 1000 + 700, [`${at}`], { sequence: at + 1 })),
  )
  const range = { start: NOON + 1500, end: NOON + 2000 }
  expect((await namesOf(ledger, query(range))).names).toEqual(['2', '1'])
})

test('an event is found in its time though its block was written in the next day', async () => {
  const midnight = NOON + DAY / 2
  const record = givenRecord({ requestId: 'late', eventTime: midnight - 1000 })
  const ledger = await givenBlocks(givenBlock([record], { writtenAt: midnight + 500 }))
  const range = { start: midnight - MINUTE, end: midnight - 1 }
  expect((await namesOf(ledger, query(range))).names).toEqual(['late'])
})

test('days outside the range are not read', async () => {
  const ledger = await givenBlocks(
    ...[0, 1, 2, 3].map((at) => block(NOON + at * DAY, [`${at}`], { sequence: at + 1 })),
  )
  const read: string[] = []
  const watched: LedgerRepository = {
    ...ledger,
    blocks: (account, region, day, options) => {
      read.push(day)
      return ledger.blocks(account, region, day, options)
    },
  }
  const range = { start: NOON + DAY - MINUTE, end: NOON + DAY + MINUTE }
  expect((await namesOf(watched, query(range))).names).toEqual(['1'])
  expect(read).toEqual(['2026-11-24'])
})

test.each([
  [8.64e15, 8.64e15],
  [0, 8.64e15],
  [-1e12, 0],
])('the range from %i to %i is no error', async (start, end) => {
  const ledger = await givenBlocks(block(NOON, ['1']))
  const { names } = await namesOf(ledger, query({ start, end }))
  expect(names).toEqual(start === 0 ? ['1'] : [])
})

test('a last page that is just full has no next one', async () => {
  const ledger = await givenBlocks(block(NOON, ['1', '2', '3', '4']))
  expect(await allPages(ledger, query({ limit: 2 }))).toEqual([
    ['4', '3'],
    ['2', '1'],
  ])
})

test('a page may end between blocks of the same millisecond', async () => {
  const shards = ['a', 'b', 'c', 'd', 'e']
  const ledger = await givenBlocks(...shards.map((shard) => block(NOON, [shard], { shard })))
  const arriving = (page: number) => ledger.append(block(NOON, ['late'], { shard: `f${page}` }))
  expect(await allPages(ledger, query({ limit: 2 }), arriving)).toEqual([
    ['e', 'd'],
    ['c', 'b'],
    ['a'],
  ])
})

test('a lookup that finds little gives what it has after reading a bounded number of blocks', async () => {
  const blocks = Array.from({ length: 2500 }, (_, at) =>
    block(NOON + at, [`${at}`], { sequence: at + 1 }),
  )
  const ledger = await givenBlocks()
  const stored = (ledger as ReturnType<typeof givenLedger>).stored
  stored.push(...blocks)
  const oldest = JSON.parse(Buffer.from(blocks[0]?.records ?? []).toString())
  const attribute = { key: 'EventId', value: oldest.eventID } as const
  expect(await allPages(ledger, query({ attribute }))).toEqual([[], ['0']])
})

let dynamoDb: GivenDynamoDb
beforeAll(async () => {
  dynamoDb = await givenDynamoDb()
})
afterAll(() => dynamoDb.close())

test.each([
  ['in memory', () => givenLedger() as LedgerRepository],
  ['in DynamoDB', () => dynamoDb.store.ledger],
])('blocks that arrive between pages neither repeat nor hide events, %s', async (_, open) => {
  const ledger = open()
  const expected: string[] = []
  for (let at = 1; at <= 60; at++) {
    const names = Array.from({ length: 1 + (at % 4) }, (_, index) => `${at}.${index}`)
    expected.unshift(...names.toReversed())
    const time = NOON + Math.floor(at / 20) * DAY + at
    await ledger.append(block(time, names, { sequence: at, shard: `shard-${at % 3}` }))
  }
  let late = 0
  const newer = async (page: number) => {
    for (let more = 0; more < 3; more++) {
      late += 1
      const differs = { sequence: late, shard: 'late' }
      // Some in a later day, some in the same millisecond as the block where the first page ended.
      const time = more < 2 ? NOON + 4 * DAY + late : NOON + 3 * DAY + 60
      await ledger.append(block(time, [`late ${page}`], differs))
    }
  }
  const pages = await allPages(ledger, query({ limit: 7 }), newer)
  expect(pages.flat()).toEqual(expected)
  expect(pages.every((page) => page.length <= 7)).toBe(true)
})
