/** Keys with their policies and their material. */
import { type AccountId, type KeyId, parseKeyId, type Region } from '../ids.ts'
import { type Item, parsed } from './attribute-values.ts'
import {
  DUE_FOR_DELETION,
  encodeKey,
  encodeMaterial,
  encodePolicy,
  encodeRemoval,
  isBeingRemoved,
  type KeyIdentity,
  keyPartition,
  keyPlace,
  keysOwner,
  materialPlace,
  parseKey,
  parseMaterial,
  parsePolicy,
  policyPlace,
} from './key-rows.ts'
import { startingAfter, toPage } from './pages.ts'
import type { KeyBundle, KeyRecord } from './records.ts'
import { type KeyRepository, RowMalformed } from './repositories.ts'
import {
  keyOf,
  nobodyChangedSince,
  nothingIsThere,
  requireNextRev,
  requirePlace,
  type Table,
} from './table.ts'
import { TABLES } from './tables.ts'

const [byOwner, , , byDueTime] = TABLES.keys.indexes

/** @param table - `keys` */
export function openKeys(table: Table): KeyRepository {
  return {
    async get(account, region, keyId) {
      const { items } = await table.query({
        partition: keyPartition({ account, region, keyId }),
        range: { expression: '#range >= :key', values: { ':key': 'key' } },
      })
      return parseBundle(items)
    },
    create: (bundle) => create(table, bundle),
    async update(next, rev) {
      requireNextRev(next, rev)
      await table.put(keyPlace(next), encodeKey(next), nobodyChangedSince(rev))
    },
    async putPolicy(key, next, rev) {
      requireNextRev(next, rev)
      await table.put(policyPlace(key), encodePolicy(key, next), nobodyChangedSince(rev))
    },
    async list(account, region, limit, after) {
      const rows = await table.query({
        index: byOwner,
        partition: keysOwner(account, region),
        ...startingAfter(after),
        limit,
      })
      return toPage(rows, (item) => listedKeyId(item, account, region), String)
    },
    dueForDeletion: (now, limit) => dueForDeletion(table, now, limit),
    async delete(key) {
      await table.put(keyPlace(key), encodeRemoval(key), nobodyChangedSince(key.rev))
      await removePartition(table, key)
    },
  }
}

/**
 * One after the other: the first of them is what racing creations of one key meet at, so that one of
 * them writes all. The key comes last and makes it exist.
 */
async function create(table: Table, { key, policy, materials }: KeyBundle): Promise<void> {
  for (const material of materials)
    await table.put(materialPlace(material), encodeMaterial(material), nothingIsThere)
  await table.put(policyPlace(key), encodePolicy(key, policy), nothingIsThere)
  await table.put(keyPlace(key), encodeKey(key), nothingIsThere)
}

function parseBundle(items: readonly Item[]): KeyBundle | null {
  const materials = items.filter((item) => keyOf(item).sk.startsWith('material#'))
  const keyItem = items.find((item) => keyOf(item).sk === 'key')
  const policyItem = items.find((item) => keyOf(item).sk === 'policy')
  if (keyItem === undefined || isBeingRemoved(keyItem)) return null
  if (policyItem === undefined) throw new RowMalformed('A key without its policy.')
  return {
    key: parseKey(keyItem),
    policy: parsePolicy(policyItem),
    materials: materials.map(parseMaterial),
  }
}

const listedKey = parsed(parseKeyId)

function listedKeyId(item: Item, account: AccountId, region: Region): KeyId {
  const keyId = listedKey.parse(item[byOwner.range], byOwner.range)
  requirePlace(item, keyPlace({ account, region, keyId }))
  return keyId
}

async function dueForDeletion(table: Table, now: number, limit: number): Promise<KeyRecord[]> {
  const { items } = await table.query({
    index: byDueTime,
    partition: DUE_FOR_DELETION,
    range: { expression: '#range <= :now', values: { ':now': now } },
    limit,
  })
  const found = await Promise.all(items.map((item) => dueKey(table, item, now)))
  return found.filter((key) => key !== null)
}

/** A removal that was cut short is taken to its end here; nobody else would find it. */
async function dueKey(table: Table, indexed: Item, now: number): Promise<KeyRecord | null> {
  const item = await table.get(keyOf(indexed))
  if (item === null) return null
  const key = parseKey(item)
  if (isBeingRemoved(item)) await removePartition(table, key)
  const due = key.state === 'PendingDeletion' && key.deletionDate <= now
  return due && !isBeingRemoved(item) ? key : null
}

/** Everything under the key, the marked key itself last: until then it is found as due. */
async function removePartition(table: Table, key: KeyIdentity): Promise<void> {
  const { items } = await table.query({ partition: keyPartition(key) })
  const others = items.map(keyOf).filter(({ sk }) => sk !== 'key')
  await table.deleteAll(others)
  await table.delete(keyPlace(key))
}
