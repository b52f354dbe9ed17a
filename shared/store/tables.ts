/**
 * The tables as data: what is deployed (infra/resources/tables.yml says the same, and a test compares
 * them) and what the embedded engine gets. All tables have the keys `pk` and `sk`, both strings.
 *
 * Partition keys lead with the account id, so that an IAM leading-keys condition can fence a role to
 * a tenant. The one exception is the access key: it is looked up by its id before anyone knows whose
 * it is. All index attributes are sparse: an item without them is not in the index.
 *
 * | table | partition key | sort key |
 * |---|---|---|
 * | keys | `<account>#<region>#key#<key id>` | `grant#<grant id>`, `key`, `material#<number>`, `policy` |
 * | keys | `<account>#<region>#alias#<alias name>` | `alias` |
 * | keys | `<account>#<region>#custom-key-stores` | `custom-key-stores` |
 * | tenants | `<account>#tenant` | `tenant`, `tenant-key#<version>` |
 * | tenants | `<account>#principal#<principal id>`, `<account>#principal-name#<name>` | `principal`, `principal-name` |
 * | tenants | `access-key#<access key id>` | `access-key` |
 * | objects | `<account>#buckets` | bucket name |
 * | objects | `<account>#bucket#<bucket>#objects` | the object's key itself, at most 1024 bytes of UTF-8 |
 * | objects | `<account>#bucket#<bucket>#parts` | `<version id>#<write>#<chunk>` |
 * | objects | `<account>#bucket#<bucket>#uploads` | upload id |
 * | objects | `<account>#bucket#<bucket>#upload#<upload id>` | part number |
 * | ledger | `<account>#<region>#ledger` | `day#<day>`, `relay` |
 * | ledger | `<account>#<region>#ledger#<day>` | `<time>#<shard>#<sequence>` |
 */
import {
  CreateTableCommand,
  type CreateTableCommandInput,
  DescribeTableCommand,
  type GlobalSecondaryIndex,
  type KeySchemaElement,
  ResourceInUseException,
} from '@aws-sdk/client-dynamodb'
import type { StoreClient } from './client.ts'

export interface IndexDefinition {
  readonly name: string
  /** Attribute names; `rangeType` is DynamoDB's: a string or a number. */
  readonly hash: string
  readonly range: string
  readonly rangeType: 'S' | 'N'
  /** What the index carries beside the keys. */
  readonly includes: readonly string[]
}

export interface TableDefinition {
  readonly indexes: readonly IndexDefinition[]
  readonly pointInTimeRecovery: boolean
  readonly stream: 'NEW_IMAGE' | null
}

/** What a tenant (or a principal) has, in the order of `ownerSort`. */
const byOwner = (includes: readonly string[]): IndexDefinition => ({
  name: 'by-owner',
  hash: 'ownerKey',
  range: 'ownerSort',
  rangeType: 'S',
  includes,
})

/** Work that is due: `dueKind` says which, `dueAt` when, in milliseconds since the epoch. */
const byDueTime: IndexDefinition = {
  name: 'by-due-time',
  hash: 'dueKind',
  range: 'dueAt',
  rangeType: 'N',
  includes: [],
}

const ALIAS_ATTRIBUTES = [
  'account',
  'region',
  'aliasName',
  'targetKeyId',
  'createdAt',
  'updatedAt',
  'rev',
]

export const TABLES = {
  keys: {
    indexes: [
      byOwner(ALIAS_ATTRIBUTES),
      {
        name: 'by-target-key',
        hash: 'targetKey',
        range: 'targetSort',
        rangeType: 'S',
        includes: ALIAS_ATTRIBUTES,
      },
      {
        name: 'by-retiring-principal',
        hash: 'retiringPrincipal',
        range: 'retiringSort',
        rangeType: 'S',
        includes: [],
      },
      byDueTime,
    ],
    pointInTimeRecovery: true,
    stream: null,
  },
  tenants: { indexes: [byOwner([])], pointInTimeRecovery: false, stream: null },
  objects: {
    indexes: [
      { name: 'by-kms-key', hash: 'kmsKey', range: 'sk', rangeType: 'S', includes: [] },
      byDueTime,
    ],
    pointInTimeRecovery: true,
    stream: null,
  },
  ledger: { indexes: [], pointInTimeRecovery: true, stream: 'NEW_IMAGE' },
} as const satisfies Record<string, TableDefinition>

export type TableName = keyof typeof TABLES

export const DEFAULT_TABLE_PREFIX = 'keyhold-'

/**
 * Makes the tables in an embedded engine; those that exist are left as they are.
 * @throws StoreUnavailable, DynamoDBServiceException as the client does
 */
export async function createTables(
  client: StoreClient,
  prefix: string = DEFAULT_TABLE_PREFIX,
): Promise<void> {
  const names = Object.keys(TABLES) as TableName[]
  await Promise.all(names.map((name) => createTable(client, prefix + name, TABLES[name])))
}

async function createTable(
  client: StoreClient,
  tableName: string,
  definition: TableDefinition,
): Promise<void> {
  try {
    await client.send(new CreateTableCommand(createTableRequest(tableName, definition)))
  } catch (error) {
    if (!(error instanceof ResourceInUseException)) throw error
  }
  await activeTable(client, tableName)
}

/** @returns the CreateTable request; CloudFormation's properties have the same names */
export const createTableRequest = (
  tableName: string,
  { indexes }: TableDefinition,
): CreateTableCommandInput => ({
  TableName: tableName,
  BillingMode: 'PAY_PER_REQUEST',
  KeySchema: keySchema('pk', 'sk'),
  AttributeDefinitions: attributeDefinitions(indexes),
  ...(indexes.length === 0 ? {} : { GlobalSecondaryIndexes: indexes.map(indexRequest) }),
})

const keySchema = (hash: string, range: string): KeySchemaElement[] => [
  { AttributeName: hash, KeyType: 'HASH' },
  { AttributeName: range, KeyType: 'RANGE' },
]

function attributeDefinitions(indexes: readonly IndexDefinition[]) {
  const types = new Map<string, 'S' | 'N'>([
    ['pk', 'S'],
    ['sk', 'S'],
  ])
  for (const { hash, range, rangeType } of indexes) types.set(hash, 'S').set(range, rangeType)
  return [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }))
}

const indexRequest = (index: IndexDefinition): GlobalSecondaryIndex => ({
  IndexName: index.name,
  KeySchema: keySchema(index.hash, index.range),
  Projection:
    index.includes.length === 0
      ? { ProjectionType: 'KEYS_ONLY' }
      : { ProjectionType: 'INCLUDE', NonKeyAttributes: [...index.includes] },
})

const ACTIVE_WITHIN_MS = 10_000

async function activeTable(client: StoreClient, tableName: string): Promise<void> {
  const deadline = Date.now() + ACTIVE_WITHIN_MS
  for (;;) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: tableName }))
    if (Table?.TableStatus === 'ACTIVE') return
    if (Date.now() > deadline) throw new Error(`The table ${tableName} does not become active.`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
