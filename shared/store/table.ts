/**
 * One table: conditional writes of single items and reads that are checked. Every written item is
 * stamped, so that a write can be told from another when an answer got lost on its way: a retry that
 * finds the condition broken by its own first attempt has succeeded.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import type { AttributeValue, Item } from './attribute-values.ts'
import { type DynamoDbClient, DynamoDbError } from './client.ts'
import { ConditionFailed, RowMalformed, RowMisplaced, StoreUnavailable } from './repositories.ts'

export interface ItemKey {
  readonly pk: string
  readonly sk: string
}

export interface Condition {
  readonly expression: string
  readonly values?: Item
}

export const nothingIsThere: Condition = { expression: 'attribute_not_exists(pk)' }

export const nobodyChangedSince = (rev: number): Condition => ({
  expression: 'rev = :rev',
  values: { ':rev': { N: String(rev) } },
})

export interface QueryRequest {
  readonly index?: { readonly name: string; readonly hash: string; readonly range: string }
  readonly partition: string
  /** On the sort key (of the index, when there is one): `#range > :after`, with its values. */
  readonly range?: { readonly expression: string; readonly values: Item }
  readonly startAfter?: ItemKey | undefined
  readonly newestFirst?: boolean
  /** How many items to gather; all when absent. */
  readonly limit?: number
}

/** What a page of a listing is made of: its rows, and whether there are more. */
export interface Rows {
  readonly items: readonly Item[]
  readonly more: boolean
}

interface QueryAnswer {
  readonly Items: readonly Item[]
  readonly LastEvaluatedKey?: Item
}

/** DynamoDB Developer Guide, BatchWriteItem: at most 25; what was throttled comes back unprocessed. */
const BATCH_SIZE = 25
const BATCH_ROUNDS = 8
const BATCH_PAUSE_MS = 25

export class Table {
  readonly #client: DynamoDbClient
  readonly #name: string

  constructor(client: DynamoDbClient, name: string) {
    this.#client = client
    this.#name = name
  }

  /** Strongly consistent. */
  async get({ pk, sk }: ItemKey): Promise<Item | null> {
    const { Item } = await this.#client.call<{ Item?: Item }>('GetItem', {
      TableName: this.#name,
      Key: { pk: { S: pk }, sk: { S: sk } },
      ConsistentRead: true,
    })
    return Item ?? null
  }

  /**
   * Puts an item, in place of the one under its key.
   * @returns the item that was there before; `null` when there was none, or when the answer that
   *   told of it was lost
   * @throws ConditionFailed when the condition does not hold
   */
  async put(key: ItemKey, attributes: Item, condition?: Condition): Promise<Item | null> {
    const item = { ...attributes, pk: { S: key.pk }, sk: { S: key.sk }, stamp: { S: newStamp() } }
    const put = { Item: item, ReturnValues: 'ALL_OLD', ...conditionParameters(condition) }
    try {
      const old = await this.#write('PutItem', put)
      return old !== null && stampOf(old) === stampOf(item) ? null : old
    } catch (error) {
      const refusal = conditionRefusal(error)
      if (refusal.maybeApplied && stampOf(await this.get(key)) === stampOf(item)) return null
      throw new ConditionFailed('The condition of a put does not hold.', { cause: refusal })
    }
  }

  /**
   * @returns the item that was removed; `null` when there was none, or when the answer that told of
   *   it was lost
   * @throws ConditionFailed when the condition does not hold
   */
  async delete({ pk, sk }: ItemKey, condition?: Condition): Promise<Item | null> {
    const Key = { pk: { S: pk }, sk: { S: sk } }
    try {
      const request = { Key, ReturnValues: 'ALL_OLD', ...conditionParameters(condition) }
      return await this.#write('DeleteItem', request)
    } catch (error) {
      const refusal = conditionRefusal(error)
      if (refusal.maybeApplied && (await this.get({ pk, sk })) === null) return null
      throw new ConditionFailed('The condition of a delete does not hold.', { cause: refusal })
    }
  }

  /** Strongly consistent, unless it asks an index. */
  async query(request: QueryRequest): Promise<Rows> {
    const wanted = request.limit ?? Number.POSITIVE_INFINITY
    const items: Item[] = []
    let start = request.startAfter && startKey(request.startAfter)
    do {
      // One more than wanted tells whether there are more.
      const answer = await this.#client.call<QueryAnswer>('Query', {
        ...queryParameters(request),
        TableName: this.#name,
        ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        ...(wanted === Number.POSITIVE_INFINITY ? {} : { Limit: wanted + 1 - items.length }),
      })
      for (const item of answer.Items) items.push(item)
      start = answer.LastEvaluatedKey
    } while (start !== undefined && items.length <= wanted)
    return { items: items.slice(0, wanted), more: items.length > wanted }
  }

  /** Removes items, in batches; those that are missing are no error. */
  async deleteAll(keys: readonly ItemKey[]): Promise<void> {
    for (let at = 0; at < keys.length; at += BATCH_SIZE) {
      const batch = keys.slice(at, at + BATCH_SIZE)
      const requests = batch.map(({ pk, sk }) => ({
        DeleteRequest: { Key: { pk: { S: pk }, sk: { S: sk } } },
      }))
      await this.#deleteBatch(requests)
    }
  }

  async #deleteBatch(requests: readonly object[]): Promise<void> {
    let left = requests
    for (let round = 1; left.length > 0; round++) {
      if (round > BATCH_ROUNDS) throw new StoreUnavailable('A batch of deletes was throttled.')
      if (round > 1) await setTimeout(BATCH_PAUSE_MS * round)
      const answer = await this.#client.call<{
        UnprocessedItems?: Readonly<Record<string, readonly object[]>>
      }>('BatchWriteItem', { RequestItems: { [this.#name]: left } })
      left = answer.UnprocessedItems?.[this.#name] ?? []
    }
  }

  async #write(operation: 'PutItem' | 'DeleteItem', request: object): Promise<Item | null> {
    const answer = await this.#client.call<{ Attributes?: Item }>(operation, {
      TableName: this.#name,
      ...request,
    })
    return answer.Attributes ?? null
  }
}

/** The key that an item lies under. @throws RowMalformed */
export function keyOf(item: Item): ItemKey {
  const { pk, sk } = item
  if (pk === undefined || !('S' in pk) || sk === undefined || !('S' in sk))
    throw new RowMalformed('An item without its keys.')
  return { pk: pk.S, sk: sk.S }
}

/** A change counts its record's revision up by one, so that the next change can be conditional. */
export function requireNextRev(next: { readonly rev: number }, rev: number): void {
  if (next.rev !== rev + 1) throw new RangeError('A change must count rev up by one.')
}

/**
 * Checks that an item lies where what it says of itself puts it: a row that was copied under
 * another tenant's or another key's name is refused.
 * @throws RowMisplaced
 */
export function requirePlace(item: Item, expected: ItemKey): void {
  const { pk, sk } = keyOf(item)
  if (pk !== expected.pk || sk !== expected.sk)
    throw new RowMisplaced('A row lies under another key than its own.')
}

const DIGITS = 8

/** A number as text that sorts as the number does. */
export const sortable = (number: number, digits: number = DIGITS): string =>
  String(number).padStart(digits, '0')

/** An attribute of an index. */
export const attribute = (value: string | number): AttributeValue =>
  typeof value === 'string' ? { S: value } : { N: String(value) }

function conditionRefusal(error: unknown): DynamoDbError {
  if (error instanceof DynamoDbError && error.code === 'ConditionalCheckFailedException')
    return error
  throw error
}

const conditionParameters = (condition: Condition | undefined): object =>
  condition === undefined
    ? {}
    : {
        ConditionExpression: condition.expression,
        ...(condition.values && { ExpressionAttributeValues: condition.values }),
      }

function queryParameters({ index, partition, range, newestFirst }: QueryRequest): object {
  const rangeNames = range && { '#range': index?.range ?? 'sk' }
  return {
    ...(index === undefined ? { ConsistentRead: true } : { IndexName: index.name }),
    KeyConditionExpression: `#hash = :hash${range ? ` AND ${range.expression}` : ''}`,
    ExpressionAttributeNames: { '#hash': index?.hash ?? 'pk', ...rangeNames },
    ExpressionAttributeValues: { ':hash': { S: partition }, ...range?.values },
    ...(newestFirst && { ScanIndexForward: false }),
  }
}

const startKey = ({ pk, sk }: ItemKey): Item => ({ pk: { S: pk }, sk: { S: sk } })

const stampOf = (item: Item | null): string | null =>
  item?.stamp !== undefined && 'S' in item.stamp ? item.stamp.S : null

let stampPrefix: string | undefined
let stamps = 0

/** Never the same twice: random for this process, counted within it. */
function newStamp(): string {
  stampPrefix ??= randomBytes(12).toString('base64url')
  stamps += 1
  return `${stampPrefix}.${stamps}`
}
