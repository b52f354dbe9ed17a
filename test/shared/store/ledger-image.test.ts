import { type AttributeValue, QueryCommand } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ledgerCursor, ledgerCursorAt, ledgerDay } from '../../../shared/store/ledger-cursor.ts'
import {
  type Image,
  type ImageValue,
  ledgerBlockFromImage,
  ledgerBlockToImage,
} from '../../../shared/store/ledger-image.ts'
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

/** What the table holds, as its stream would show it: bytes in base64. */
async function storedImages(partition: string): Promise<readonly Image[]> {
  const client = openClient({ endpoint: dynamoDb.endpoint })
  const query = new QueryCommand({
    TableName: `${DEFAULT_TABLE_PREFIX}ledger`,
    KeyConditionExpression: 'pk = :pk',
    ExpressionAttributeValues: { ':pk': { S: partition } },
  })
  const { Items = [] } = await client.send(query)
  client.close()
  return Items.map((item) =>
    Object.fromEntries(Object.entries(item).map(([name, value]) => [name, asInStream(value)])),
  )
}

const asInStream = (value: AttributeValue): ImageValue =>
  value.B === undefined ? (value as ImageValue) : { B: Buffer.from(value.B).toString('base64') }

test('the image of a stored block is the block, and what is made here is that image', async () => {
  for (const block of [first, second, third]) await dynamoDb.store.ledger.append(block)
  const images = await storedImages(`${ACCOUNT}#${REGION}#ledger#${DAY}`)
  expect(images.map(ledgerBlockFromImage)).toEqual([first, second, third])
  expect(images.map(({ stamp: _, ...image }) => image)).toEqual(
    [first, second, third].map(ledgerBlockToImage),
  )
})

test('days and positions are no blocks', async () => {
  await dynamoDb.store.ledger.putRelayPosition(ACCOUNT, REGION, { day: DAY, after: null })
  const images = await storedImages(`${ACCOUNT}#${REGION}#ledger`)
  expect(images.map(ledgerBlockFromImage)).toEqual([null, null])
})

test('an image that lies under the key of another block is refused', () => {
  const image = {
    ...ledgerBlockToImage(first),
    sk: ledgerBlockToImage(second).sk as Image[string],
  }
  expect(() => ledgerBlockFromImage(image)).toThrow(RowMisplaced)
})

test.each(Object.keys(first))('an image without %s is refused', (name) => {
  const { [name]: _, ...image } = ledgerBlockToImage(first)
  expect(() => ledgerBlockFromImage(image)).toThrow(RowMalformed)
})

test.each<[string, object]>([
  ['a number that is no integer', { sequence: { N: '1.5' } }],
  ['a number for a text', { shard: { N: '1' } }],
  ['a text for bytes', { hash: { S: 'AQ==' } }],
  ['a list', { records: { L: [{ S: 'a' }] } }],
  ['a null', { records: { NULL: true } }],
  ['a key that is no text', { pk: { N: '1' } }],
])('an image with %s is refused', (_, spoiled) => {
  const image = { ...ledgerBlockToImage(first), ...spoiled }
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
