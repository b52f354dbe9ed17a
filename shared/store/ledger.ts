/** The blocks of the ledger, by account, Region and day. */
import { type Item, nullable, record, text } from './attribute-values.ts'
import { ledgerDay } from './ledger-cursor.ts'
import {
  blockPlace,
  dayPartition,
  encodeBlock,
  type LedgerIdentity,
  ledgerIdentity,
  ledgerPartition,
  parseBlock,
} from './ledger-rows.ts'
import { startingAfter } from './pages.ts'
import type { LedgerRepository } from './repositories.ts'
import {
  type ItemKey,
  keyOf,
  nothingIsThere,
  type QueryRequest,
  requirePlace,
  type Table,
} from './table.ts'

interface DayRecord extends LedgerIdentity {
  readonly day: string
}
interface PositionRecord extends DayRecord {
  readonly after: string | null
}
const dayRow = record<DayRecord>({ ...ledgerIdentity, day: text })
const positionRow = record<PositionRecord>({ ...ledgerIdentity, day: text, after: nullable(text) })

const DAY = 'day#'
const dayPlace = (of: DayRecord): ItemKey => ({
  pk: ledgerPartition(of),
  sk: `${DAY}${of.day}`,
})
const positionPlace = (of: LedgerIdentity): ItemKey => ({ pk: ledgerPartition(of), sk: 'relay' })

/** @param table - `ledger` */
export function openLedger(table: Table): LedgerRepository {
  const ensureDay = dayMarker(table)
  return {
    async append(block) {
      await ensureDay({
        account: block.account,
        region: block.region,
        day: ledgerDay(block.writtenAt),
      })
      await table.put(blockPlace(block), encodeBlock(block), nothingIsThere)
    },
    async days(account, region) {
      const { items } = await table.query({
        partition: ledgerPartition({ account, region }),
        range: { expression: 'begins_with(#range, :day)', values: { ':day': DAY } },
        newestFirst: true,
      })
      return items.map((item) => parseDay(item).day)
    },
    async blocks(account, region, day, { newestFirst, limit, after }) {
      const partition = dayPartition({ account, region }, day)
      const range = newestFirst ? endingBefore(after) : startingAfter(after)
      const rows = await table.query({ partition, ...range, newestFirst, limit })
      const last = rows.items.at(-1)
      const next = rows.more && last !== undefined ? keyOf(last).sk : null
      return { items: rows.items.map(parseBlock), next }
    },
    async relayPosition(account, region) {
      const item = await table.get(positionPlace({ account, region }))
      return item && parsePosition(item)
    },
    async putRelayPosition(account, region, { day, after }) {
      const position = { account, region, day, after }
      await table.put(positionPlace(position), positionRow.encode(position))
    },
  }
}

/**
 * Writes a day's marker before the first block that this process writes in it, so that no block lies
 * in a day that nobody looks at. Only the last day of each ledger is remembered.
 */
function dayMarker(table: Table): (day: DayRecord) => Promise<void> {
  const marked = new Map<string, { readonly day: string; readonly done: Promise<unknown> }>()
  return async (of) => {
    const ledger = ledgerPartition(of)
    let mark = marked.get(ledger)
    if (mark?.day !== of.day) {
      mark = { day: of.day, done: table.put(dayPlace(of), dayRow.encode(of)) }
      marked.set(ledger, mark)
    }
    try {
      await mark.done
    } catch (error) {
      if (marked.get(ledger) === mark) marked.delete(ledger)
      throw error
    }
  }
}

const endingBefore = (after: string | null): Pick<QueryRequest, 'range'> =>
  after === null ? {} : { range: { expression: '#range < :after', values: { ':after': after } } }

function parseDay(item: Item): DayRecord {
  const found = dayRow.parse(item)
  requirePlace(item, dayPlace(found))
  return found
}

function parsePosition(item: Item): { day: string; after: string | null } {
  const found = positionRow.parse(item)
  requirePlace(item, positionPlace(found))
  return { day: found.day, after: found.after }
}
