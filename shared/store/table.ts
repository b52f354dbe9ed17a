/**
 * One table: conditional writes of single items and reads that are checked. Every written item is
 * stamped, so that a write can be told from another when an answer got lost on its way: a retry that
 * finds the condition broken by its own first attempt has succeeded.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb'
import {
  BatchWriteCommand,
  type BatchWriteCommandInput,
  DeleteCommand,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb'
import type { Item } from './attribute-values.ts'
import type { StoreClient } from './client.ts'
import { ConditionFailed, RowMalformed, RowMisplaced, StoreUnavailable } from './repositories.ts'

export interface ItemKey {
  readonly pk: string
  readonly sk: string
}

export interface Condition {
  readonly expression: string
  readonly values?: Item
  /** For attributes whose names are reserved words. */
  readonly names?: Readonly<Record<string, string>>
}

export const nothingIsThere: Condition = { expression: 'attribute_not_exists(pk)' }

export const nobodyChangedSince = (rev: number): Condition => ({
  expression: 'rev = :rev',
  values: { ':rev': rev },
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

/** DynamoDB Developer Guide, BatchWriteItem: at most 25; what was throttled comes back unprocessed. */
const BATCH_SIZE = 25
const BATCH_ROUNDS = 8
const BATCH_PAUSE_MS = 25

type DeleteRequests = NonNullable<BatchWriteCommandInput['RequestItems']>[string]

export class Table {
  readonly #client: StoreClient
  readonly #name: string

  constructor(client: StoreClient, name: string) {
    this.#client = client
    this.#name = name
  }

  /** Strongly consistent. */
  async get({ pk, sk }: ItemKey): Promise<Item | null> {
    const request = { TableName: this.#name, Key: { pk, sk }, ConsistentRead: true }
    const { Item } = await this.#client.send(new GetCommand(request))
    return Item ?? null
  }

  /**
   * Puts an item, in place of the one under its key.
   * @returns the item that was there before; `null` when there was none, or when the answer that
   *   told of it was lost
   * @throws ConditionFailed when the condition does not hold
   */
  async put({ pk, sk }: ItemKey, attributes: Item, condition?: Condition): Promise<Item | null> {
    const stamp = newStamp()
    const Item = { ...attributes, pk, sk, stamp }
    const request = { TableName: this.#name, Item, ReturnValues: 'ALL_OLD' } as const
    try {
      const put = new PutCommand({ ...request, ...conditionParameters(condition) })
      const { Attributes: old } = await this.#client.send(put)
      return old === undefined || old.stamp === stamp ? null : old
    } catch (error) {
      const refusal = conditionRefusal(error)
      if (isRepeated(refusal) && (await this.get({ pk, sk }))?.stamp === stamp) return null
      throw new ConditionFailed('The condition of a put does not hold.', { cause: refusal })
    }
  }

  /**
   * @returns the item that was removed; `null` when there was none, or when the answer that told of
   *   it was lost
   * @throws ConditionFailed when the condition does not hold
   */
  async delete({ pk, sk }: ItemKey, condition?: Condition): Promise<Item | null> {
    const request = { TableName: this.#name, Key: { pk, sk }, ReturnValues: 'ALL_OLD' } as const
    try {
      const removal = new DeleteCommand({ ...request, ...conditionParameters(condition) })
      const { Attributes: old } = await this.#client.send(removal)
      return old ?? null
    } catch (error) {
      const refusal = conditionRefusal(error)
      if (isRepeated(refusal) && (await this.get({ pk, sk })) === null) return null
      throw new ConditionFailed('The condition of a delete does not hold.', { cause: refusal })
    }
  }

  /** Strongly consistent, unless it asks an index. */
  async query(request: QueryRequest): Promise<Rows> {
    const wanted = request.limit ?? Number.POSITIVE_INFINITY
    const parameters = { TableName: this.#name, ...queryParameters(request) }
    const items: Item[] = []
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey'] = request.startAfter
    do {
      // One more than wanted tells whether there are more.
      const Limit = wanted === Number.POSITIVE_INFINITY ? undefined : wanted + 1 - items.length
      const page = new QueryCommand({ ...parameters, ExclusiveStartKey, Limit })
      const { Items = [], LastEvaluatedKey } = await this.#client.send(page)
      for (const item of Items) items.push(item)
      ExclusiveStartKey = LastEvaluatedKey
    } while (ExclusiveStartKey !== undefined && items.length <= wanted)
    return { items: items.slice(0, wanted), more: items.length > wanted }
  }

  /** How many items there are; reads all of them, but sends none. */
  async count(request: Omit<QueryRequest, 'limit'>): Promise<number> {
    const parameters = { TableName: this.#name, ...queryParameters(request) }
    let counted = 0
    let ExclusiveStartKey: QueryCommandInput['ExclusiveStartKey']
    do {
      const page = new QueryCommand({ ...parameters, Select: 'COUNT', ExclusiveStartKey })
      const { Count = 0, LastEvaluatedKey } = await this.#client.send(page)
      counted += Count
      ExclusiveStartKey = LastEvaluatedKey
    } while (ExclusiveStartKey !== undefined)
    return counted
  }

  /** Removes items, in batches; those that are missing are no error. */
  async deleteAll(keys: readonly ItemKey[]): Promise<void> {
    for (let at = 0; at < keys.length; at += BATCH_SIZE) {
      const batch = keys.slice(at, at + BATCH_SIZE)
      await this.#deleteBatch(batch.map(({ pk, sk }) => ({ DeleteRequest: { Key: { pk, sk } } })))
    }
  }

  async #deleteBatch(requests: DeleteRequests): Promise<void> {
    let left = requests
    for (let round = 1; left.length > 0; round++) {
      if (round > BATCH_ROUNDS) throw new StoreUnavailable('A batch of deletes was throttled.')
      if (round > 1) await setTimeout(BATCH_PAUSE_MS * round)
      const batch = new BatchWriteCommand({ RequestItems: { [this.#name]: left } })
      const { UnprocessedItems } = await this.#client.send(batch)
      left = UnprocessedItems?.[this.#name] ?? []
    }
  }
}

/** The key that an item lies under. @throws RowMalformed */
export function keyOf(item: Item): ItemKey {
  const { pk, sk } = item
  if (typeof pk !== 'string' || typeof sk !== 'string')
    throw new RowMalformed('An item without its keys.')
  return { pk, sk }
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

function conditionRefusal(error: unknown): ConditionalCheckFailedException {
  if (error instanceof ConditionalCheckFailedException) return error
  throw error
}

/** Whether an earlier attempt of the same call may have taken effect without our hearing of it. */
const isRepeated = ({ $metadata }: ConditionalCheckFailedException): boolean =>
  ($metadata.attempts ?? 1) > 1

const conditionParameters = (condition: Condition | undefined) =>
  condition === undefined
    ? {}
    : {
        ConditionExpression: condition.expression,
        ...(condition.values && { ExpressionAttributeValues: condition.values }),
        ...(condition.names && { ExpressionAttributeNames: condition.names }),
      }

function queryParameters({ index, partition, range, newestFirst }: QueryRequest) {
  const rangeNames = range && { '#range': index?.range ?? 'sk' }
  return {
    ...(index === undefined ? { ConsistentRead: true } : { IndexName: index.name }),
    KeyConditionExpression: `#hash = :hash${range ? ` AND ${range.expression}` : ''}`,
    ExpressionAttributeNames: { '#hash': index?.hash ?? 'pk', ...rangeNames },
    ExpressionAttributeValues: { ':hash': partition, ...range?.values },
    ...(newestFirst && { ScanIndexForward: false }),
  }
}

let stampPrefix: string | undefined
let stamps = 0

/** Never the same twice: random for this process, counted within it. */
function newStamp(): string {
  stampPrefix ??= randomBytes(12).toString('base64url')
  stamps += 1
  return `${stampPrefix}.${stamps}`
}
