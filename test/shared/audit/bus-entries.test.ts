import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type AuditDetail,
  CALL_BYTES,
  callsOf,
  ENTRY_BYTES,
  entryBytes,
  MAX_ENTRIES,
  packBlocks,
} from '../../../shared/audit/bus-entries.ts'
import { blockLines } from '../../../shared/audit/chain.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import {
  ACCOUNT,
  givenBlock,
  givenRecord,
  NOON,
  OTHER_ACCOUNT,
  REGION,
} from '../../support/audit-records.ts'

const detailsOf = (blocks: readonly LedgerBlockRecord[]) =>
  packBlocks(blocks).map(({ detail }) => JSON.parse(detail) as AuditDetail)

const sized = (bytes: number) => givenRecord({ requestParameters: { text: 'x'.repeat(bytes) } })

test('many small blocks of an account travel in one entry', () => {
  const blocks = Array.from({ length: 100 }, (_, at) =>
    givenBlock([givenRecord()], { sequence: at + 1, writtenAt: NOON + at, shard: `s${at % 7}` }),
  )
  const entries = packBlocks(blocks)
  expect(entries).toHaveLength(1)
  expect(entries[0]).toMatchObject({ time: NOON + 99, from: 0 })
  expect(detailsOf(blocks)).toEqual([
    {
      account: ACCOUNT,
      region: REGION,
      blocks: blocks.map((block) => ({
        shard: block.shard,
        sequence: block.sequence,
        writtenAt: block.writtenAt,
        part: 1,
        parts: 1,
        records: blockLines(block).map((line) => JSON.parse(line)),
      })),
    },
  ])
})

test('accounts, Regions and days never share an entry', () => {
  const nextDay = NOON + 24 * 60 * 60 * 1000
  const blocks = [
    givenBlock([givenRecord()]),
    givenBlock([givenRecord()], { account: OTHER_ACCOUNT }),
    givenBlock([givenRecord()], { region: 'eu-west-1' as typeof REGION }),
    givenBlock([givenRecord()], { writtenAt: nextDay }),
    givenBlock([givenRecord()], { sequence: 2 }),
  ]
  expect(packBlocks(blocks).map(({ from }) => from)).toEqual([0, 1, 2, 3])
})

test('a block above the size of an entry is cut into parts, always the same', () => {
  const block = givenBlock([sized(90_000), sized(90_000), sized(90_000)])
  const alone = detailsOf([block]).flatMap(({ blocks }) => blocks)
  expect(alone.map(({ part, parts, records }) => [part, parts, records.length])).toEqual([
    [1, 2, 2],
    [2, 2, 1],
  ])
  const before = givenBlock([sized(50_000)])
  const after = detailsOf([before, block]).flatMap(({ blocks }) => blocks)
  expect(after.slice(1)).toEqual(alone)
})

test('a call has no more than ten entries, however small', () => {
  const blocks = Array.from({ length: 21 }, (_, at) =>
    givenBlock([givenRecord()], { account: String(1e11 + at) as typeof ACCOUNT }),
  )
  expect(callsOf(packBlocks(blocks)).map((call) => call.length)).toEqual([10, 10, 1])
})

test('nothing packed is a list of nothing', () => {
  expect(packBlocks([])).toEqual([])
  expect(callsOf([])).toEqual([])
})

test('whatever is packed, no limit is broken and every record travels once, in order', () => {
  const size = fc.oneof(
    { weight: 5, arbitrary: fc.nat(2000) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 99_000 }) },
  )
  const block = fc.record({
    sizes: fc.array(size, { minLength: 1, maxLength: 6 }),
    account: fc.constantFrom(ACCOUNT, OTHER_ACCOUNT),
    text: fc.constantFrom('x', '"', 'ü'),
  })
  fc.assert(
    fc.property(fc.array(block, { maxLength: 20 }), (shapes) => {
      const blocks = shapes.map(({ sizes, account, text }, at) =>
        givenBlock(
          sizes.map((length) =>
            givenRecord({ requestParameters: { text: text.repeat(length / 3) } }),
          ),
          { account, sequence: at + 1 },
        ),
      )
      const entries = packBlocks(blocks)
      const calls = callsOf(entries)
      expect(calls.flat()).toEqual(entries)
      for (const call of calls) {
        expect(call.length).toBeLessThanOrEqual(MAX_ENTRIES)
        const bytes = call.reduce((sum, entry) => sum + entryBytes(entry), 0)
        expect(bytes).toBeLessThanOrEqual(CALL_BYTES)
      }
      for (const entry of entries) expect(entryBytes(entry)).toBeLessThanOrEqual(ENTRY_BYTES)
      for (const account of [ACCOUNT, OTHER_ACCOUNT]) {
        const travelled = entries
          .map(({ detail }) => JSON.parse(detail) as AuditDetail)
          .filter((detail) => detail.account === account)
          .flatMap((detail) => detail.blocks.flatMap(({ records }) => records))
        const expected = blocks.filter((each) => each.account === account).flatMap(blockLines)
        expect(travelled.map((record) => JSON.stringify(record))).toEqual(expected)
      }
    }),
    { numRuns: 60 },
  )
})
