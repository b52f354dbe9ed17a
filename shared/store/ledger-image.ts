/**
 * A block of the ledger as an image in the table's stream (DynamoDB Developer Guide, "Change data
 * capture for DynamoDB Streams").
 */
import type { Item } from './attribute-values.ts'
import { blockPlace, encodeBlock, parseBlock } from './ledger-rows.ts'
import type { LedgerBlockRecord } from './records.ts'
import { keyOf } from './table.ts'

/** What else lies in the table, days and positions, lies in the partition without a day. */
const BLOCK_PARTITION = /#ledger#[0-9]{4}-[0-9]{2}-[0-9]{2}$/

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
  return parseBlock(item)
}

/** The image that the stream would show of a block; it has none of its own locally. */
export function ledgerBlockToImage(block: LedgerBlockRecord): Item {
  const { pk, sk } = blockPlace(block)
  return { ...encodeBlock(block), pk: { S: pk }, sk: { S: sk } }
}
