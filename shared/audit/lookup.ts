/**
 * Looks up management events, newest first (CloudTrail API reference, "LookupEvents"). Blocks are
 * read backwards in time; a position names the block and the record before which to go on, so blocks
 * that are written in the meantime neither repeat nor hide anything.
 */
import type { AccountId, Region } from '../ids.ts'
import { ledgerCursor, ledgerCursorAt, ledgerDay } from '../store/ledger-cursor.ts'
import type { LedgerBlockRecord } from '../store/records.ts'
import type { LedgerRepository } from '../store/repositories.ts'
import { blockLines } from './chain.ts'
import { eventOf, type LookupAttribute, lineTest, matches } from './event.ts'
import type { AuditRecord } from './record.ts'

/** A record as LookupEvents shows it. */
export interface CloudTrailEvent {
  readonly EventId: string
  readonly EventName: string
  readonly ReadOnly: 'true' | 'false'
  readonly AccessKeyId?: string
  readonly EventTime: Date
  readonly EventSource: string
  readonly Username?: string
  readonly Resources: readonly { readonly ResourceType: string; readonly ResourceName: string }[]
  /** The whole record, as JSON. */
  readonly CloudTrailEvent: string
}

export interface LookupQuery {
  readonly account: AccountId
  readonly region: Region
  /** Milliseconds since the epoch, inclusive; whole seconds count, as events are dated in them. */
  readonly start: number | null
  readonly end: number | null
  readonly attribute: LookupAttribute | null
  /** 1 to 50. */
  readonly limit: number
  readonly after: LookupPosition | null
}

/** Where the next page goes on, as plain data. */
export interface LookupPosition {
  readonly writtenAt: number
  /** The block's cursor. */
  readonly cursor: string
  /** The records of that block before this index are still to be read. */
  readonly index: number
}

export interface LookupPage {
  readonly events: readonly CloudTrailEvent[]
  /** `null` when there is nothing more. A page with a next one may be short, or empty. */
  readonly next: LookupPosition | null
}

/** A record is written soon after its event's time: the time of a write and a clock's error. */
const WRITE_DELAY_MS = 60_000
const SMALLEST_PAGE = 8
const LARGEST_PAGE = 128
/** A page of blocks this large is not followed by a larger one. */
const PAGE_BYTES = 256 * 1024
/** What one lookup reads before it answers with what it found. */
const MAX_BYTES = 8 * 1024 * 1024
const MAX_BLOCKS = 2000

/** One page of an account's management events in a Region. */
export async function lookup(ledger: LedgerRepository, query: LookupQuery): Promise<LookupPage> {
  const passes = lineTest(query.attribute)
  const events: CloudTrailEvent[] = []
  let position = query.after
  let bytes = 0
  let blocks = 0
  for await (const block of blocksBackwards(ledger, query)) {
    const cursor = ledgerCursor(block)
    const lines = blockLines(block)
    const end = cursor === query.after?.cursor ? query.after.index : lines.length
    for (let index = end - 1; index >= 0; index--) {
      const line = lines[index] as string
      const event = passes(line) ? eventIn(line, query) : null
      if (event === null) continue
      // One more than asked for tells that there is a next page.
      if (events.length === query.limit) return { events, next: position }
      events.push(event)
      position = { writtenAt: block.writtenAt, cursor, index }
    }
    bytes += block.records.length
    blocks += 1
    if (events.length < query.limit) position = { writtenAt: block.writtenAt, cursor, index: 0 }
    if (bytes >= MAX_BYTES || blocks >= MAX_BLOCKS) return { events, next: position }
  }
  return { events, next: null }
}

function eventIn(line: string, query: LookupQuery): CloudTrailEvent | null {
  const record = JSON.parse(line) as AuditRecord
  const time = Date.parse(record.eventTime)
  if (query.start !== null && time < wholeSecond(query.start)) return null
  if (query.end !== null && time > query.end) return null
  if (record.eventCategory !== 'Management') return null
  return matches(record, query.attribute) ? eventOf(record, line) : null
}

/** Days are compared as texts, which holds for years of four digits. */
const LAST_TIME = Date.UTC(9999, 11, 31)
const withinCalendar = (time: number): number => Math.min(Math.max(0, time), LAST_TIME)

const wholeSecond = (time: number): number => Math.floor(time / 1000) * 1000

/** The blocks that can hold what is asked for, from where the page before ended. */
async function* blocksBackwards(
  ledger: LedgerRepository,
  { account, region, start, end, after }: LookupQuery,
): AsyncGenerator<LedgerBlockRecord> {
  const oldest = start === null ? 0 : withinCalendar(wholeSecond(start) - WRITE_DELAY_MS)
  const newest = end === null ? null : withinCalendar(end + WRITE_DELAY_MS)
  const from = after?.writtenAt ?? newest
  const days = await ledger.days(account, region)
  for (const day of days) {
    if (day < ledgerDay(oldest)) return
    if (from !== null && day > ledgerDay(from)) continue
    const cursor = from !== null && day === ledgerDay(from) ? ledgerCursorAt(from + 1) : null
    for await (const block of dayBackwards(ledger, { account, region, day, cursor })) {
      if (block.writtenAt < oldest) return
      if (after === null || ledgerCursor(block) <= after.cursor) yield block
    }
  }
}

/** The blocks of a day, in pages that grow while the blocks are small. */
async function* dayBackwards(
  ledger: LedgerRepository,
  {
    account,
    region,
    day,
    cursor,
  }: { account: AccountId; region: Region; day: string; cursor: string | null },
): AsyncGenerator<LedgerBlockRecord> {
  let limit = SMALLEST_PAGE
  for (let after = cursor; ; ) {
    const { items, next } = await ledger.blocks(account, region, day, {
      newestFirst: true,
      limit,
      after,
    })
    yield* items
    if (next === null) return
    after = next
    const bytes = items.reduce((sum, { records }) => sum + records.length, 0)
    if (bytes < PAGE_BYTES) limit = Math.min(limit * 2, LARGEST_PAGE)
  }
}
