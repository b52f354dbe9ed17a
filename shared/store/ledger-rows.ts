/** How a block of the ledger lies in the table: place, attributes and back. */
import { type AccountId, parseAccountId, parseRegion, type Region } from '../ids.ts'
import { bytes, type Item, integer, parsed, record, text } from './attribute-values.ts'
import { ledgerCursor, ledgerDay } from './ledger-cursor.ts'
import type { LedgerBlockRecord } from './records.ts'
import { type ItemKey, requirePlace } from './table.ts'

/** Whose ledger it is, on every row. */
export interface LedgerIdentity {
  readonly account: AccountId
  readonly region: Region
}

export const ledgerIdentity = { account: parsed(parseAccountId), region: parsed(parseRegion) }

const blockRow = record<LedgerBlockRecord>({
  ...ledgerIdentity,
  shard: text,
  sequence: integer,
  writtenAt: integer,
  previousHash: bytes,
  hash: bytes,
  count: integer,
  records: bytes,
})

export const ledgerPartition = ({ account, region }: LedgerIdentity): string =>
  `${account}#${region}#ledger`

export const dayPartition = (of: LedgerIdentity, day: string): string =>
  `${ledgerPartition(of)}#${day}`

export const blockPlace = (block: LedgerBlockRecord): ItemKey => ({
  pk: dayPartition(block, ledgerDay(block.writtenAt)),
  sk: ledgerCursor(block),
})

export const encodeBlock = blockRow.encode

/** @throws RowMalformed, RowMisplaced */
export function parseBlock(item: Item): LedgerBlockRecord {
  const block = blockRow.parse(item)
  requirePlace(item, blockPlace(block))
  return block
}
