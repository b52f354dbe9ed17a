/**
 * A block of the ledger as an image in the table's stream (DynamoDB Developer Guide, "Change data
 * capture for DynamoDB Streams"). Images have DynamoDB's own form, not the document client's.
 */
import { type AttributeValue, encodeBase64, type Item } from './attribute-values.ts'
import { blockPlace, encodeBlock, parseBlock } from './ledger-rows.ts'
import type { LedgerBlockRecord } from './records.ts'
import { keyOf } from './table.ts'

/** The types of value that this room writes; numbers travel as text and bytes as base64. */
export type ImageValue =
  | { readonly S: string }
  | { readonly N: string }
  | { readonly B: string }
  | { readonly BOOL: boolean }

export type Image = { readonly [attribute: string]: ImageValue }

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
  const item = fromImage(image)
  if (!BLOCK_PARTITION.test(keyOf(item).pk)) return null
  return parseBlock(item)
}

/** The image that the stream would show of a block; it has none of its own locally. */
export function ledgerBlockToImage(block: LedgerBlockRecord): Image {
  const item = { ...encodeBlock(block), ...blockPlace(block) }
  return Object.fromEntries(
    Object.entries(item).map(([name, attribute]) => [name, toImageValue(attribute)]),
  )
}

function toImageValue(attribute: AttributeValue): ImageValue {
  switch (typeof attribute) {
    case 'string':
      return { S: attribute }
    case 'number':
      return { N: String(attribute) }
    case 'boolean':
      return { BOOL: attribute }
    default:
      return { B: encodeBase64(attribute) }
  }
}

/** Values of other types are left out; where one was expected, the codecs miss it. */
function fromImage(image: Readonly<Record<string, object>>): Item {
  const item: Record<string, AttributeValue> = {}
  for (const [name, value] of Object.entries(image)) {
    const attribute = fromImageValue(value)
    if (attribute !== undefined) item[name] = attribute
  }
  return item
}

function fromImageValue(value: object): AttributeValue | undefined {
  if ('S' in value && typeof value.S === 'string') return value.S
  if ('N' in value && typeof value.N === 'string') return Number(value.N)
  if ('B' in value && typeof value.B === 'string') return Buffer.from(value.B, 'base64')
  return 'BOOL' in value && typeof value.BOOL === 'boolean' ? value.BOOL : undefined
}
