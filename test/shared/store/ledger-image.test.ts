import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Item } from '../../../shared/store/attribute-values.ts'
import { ledgerCursor, ledgerCursorAt, ledgerDay } from '../../../shared/store/ledger-cursor.ts'
import { ledgerBlockFromImage, ledgerBlockToImage } from '../../../shared/store/ledger-image.ts'
import { RowMalformed, RowMisplaced } from '../../../shared/store/repositories.ts'
import { openClient } from '../../../shared/store/store.ts'
import { DEFAULT_TABLE_PREFIX } from '../../../shared/store/tables.ts'
import { ACCOUNT, givenBlock, givenRecord, NOON, REGION } from '../../support/audit-records.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'

let dynamoDb: GivenDynamoDb
beforeAll(async () => {
  dynamoDb = await givenDynamoDb()
})
afterAll(() => dynamoDb.close())

const first = givenBlock([givenRecord(), givenRecord()])
const second = givenBlock([givenRecord()], {}, first)
const third = givenBlock([givenRecord()], {}, second)
const DAY = ledgerDay(NOON)

/** What the table holds, as its stream would show it. */
async function storedItems(partition: string): Promise<readonly Item[]> {
  const client = openClient({ endpoint: dynamoDb.endpoint })
  const { Items } = await client.call<{ Items: readonly Item[] }>('Query', {
    TableName: `${DEFAULT_TABLE_PREFIX}ledger`,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: partition } },
  })
  client.close()
  return Items
}

test('the image of a stored block is the block, and what is made here is that image', async () => {
  for (const block of [first, second, third]) await dynamoDb.store.ledger.append(block)
  const items = await storedItems(`${ACCOUNT}#${REGION}#ledger#${DAY}`)
  expect(items.map(ledgerBlockFromImage)).toEqual([first, second, third])
  expect(items.map(({ stamp: _, ...image }) => image)).toEqual(
    [first, second, third].map(ledgerBlockToImage),
  )
})

test('days and positions are no blocks', async () => {
  await dynamoDb.store.ledger.putRelayPosition(ACCOUNT, REGION, { day: DAY, after: null })
  const items = await storedItems(`${ACCOUNT}#${REGION}#ledger`)
  expect(items.map(ledgerBlockFromImage)).toEqual([null, null])
})

test('an image that lies under the key of another block is refused', () => {
  const image = {
    ...ledgerBlockToImage(first),
    sk: ledgerBlockToImage(second).sk as Item[string],
  }
  expect(() => ledgerBlockFromImage(image)).toThrow(RowMisplaced)
})

test.each(Object.keys(first))('an image without %s is refused', (name) => {
  const { [name]: _, ...image } = ledgerBlockToImage(first)
  expect(() => ledgerBlockFromImage(image)).toThrow(RowMalformed)
})

test.each([
  [false, ledgerCursor(first), [second, third]],
  [true, ledgerCursor(second), [first]],
  [false, ledgerCursorAt(second.writtenAt), [second, third]],
  [true, ledgerCursorAt(third.writtenAt), [second, first]],
])(
  'newest first %s, the page after %s begins where the cursor says',
  async (newestFirst, after, expected) => {
    const options = { newestFirst, limit: 10, after }
    const { items } = await dynamoDb.store.ledger.blocks(ACCOUNT, REGION, DAY, options)
    expect(items).toEqual(expected)
  },
)
