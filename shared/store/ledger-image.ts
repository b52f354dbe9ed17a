/**
 * A block of the ledger as an image in the table's stream (DynamoDB Developer Guide, "Change data
 * capture for DynamoDB Streams").
 */
import { parseAccountId, parseRegion } from '../ids.ts'
import { bytes, type Item, integer, parsed, record, text } from './attribute-values.ts'
import { ledgerCursor, ledgerDay } from './ledger-cursor.ts'
import type { LedgerBlockRecord } from './records.ts'
import { type ItemKey, keyOf, requirePlace } from './table.ts'

const blockRow = record<LedgerBlockRecord>({
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  shard: text,
  sequence: integer,
  writtenAt: integer,
  previousHash: bytes,
  hash: bytes,
  count: integer,
  records: bytes,
})

/** What else lies in the table, days and positions, lies in the partition without a day. */
const BLOCK_PARTITION = /#ledger#[0-9]{4}-[0-9]{2}-[0-9]{2}$/

const blockPlace = (block: LedgerBlockRecord): ItemKey => ({
  pk: `${block.account}#${block.region}#ledger#${ledgerDay(block.writtenAt)}`,
  sk: ledgerCursor(block),
})

/**
 * @param image - `NewImage` of a stream record, with binary values as base64
 * @returns the block; `null` when the item is none
 * @throws RowMalformed, RowMisplaced
 */
export function ledgerBlockFromImage(
  image: Readonly<Record<string, object>>,
): LedgerBlockRecord | null {
  const item = image as Item
  if (!BLOCK_PARTITION.test(keyOf(item).pk)) return null
  const block = blockRow.parse(item)
  requirePlace(item, blockPlace(block))
  return block
}

/** The image that the stream would show of a block; it has none of its own locally. */
export function ledgerBlockToImage(block: LedgerBlockRecord): Item {
  const { pk, sk } = blockPlace(block)
  return { ...blockRow.encode(block), pk: { S: pk }, sk: { S: sk } }
}
