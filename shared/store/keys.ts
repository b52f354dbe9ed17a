/** Keys with their policies and their material. */
import { type AccountId, isMultiRegionKeyId, type KeyId, parseKeyId, type Region } from '../ids.ts'
import { type Item, parsed } from './attribute-values.ts'
import { dueItems } from './due.ts'
import {
  DUE_FOR_DELETION,
  DUE_FOR_EXPIRY,
  encodeDraft,
  encodeKey,
  encodeMaterial,
  encodePolicy,
  encodeRemoval,
  isBeingRemoved,
  isDraft,
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
import type { KeyBundle, KeyRecord, MaterialRecord, NewKey, RotationRecord } from './records.ts'
import {
  ConditionFailed,
  type KeyRepository,
  type LeaveSet,
  RowMalformed,
  RowMisplaced,
  type UnfinishedKey,
} from './repositories.ts'
import {
  DUE_FOR_ROTATION,
  parseRelated,
  parseRotation,
  parseUsage,
  relatedPartition,
} from './rotation-rows.ts'
import {
  keyOf,
  nobodyChangedSince,
  nothingIsThere,
  requireNextRev,
  requirePlace,
  type Table,
} from './table.ts'
import { TABLES } from './tables.ts'

const [byOwner] = TABLES.keys.indexes

/** @param table - `keys` */
export function openKeys(table: Table): KeyRepository {
  return {
    async get(account, region, keyId) {
      const [{ items }, shared] = await Promise.all([
        table.query({
          partition: keyPartition({ account, region, keyId }),
          range: { expression: '#range >= :key', values: { ':key': 'key' } },
        }),
        isMultiRegionKeyId(keyId)
          ? table.query({ partition: relatedPartition(account, keyId) })
          : NOTHING_SHARED,
      ])
      return parseBundle(items, shared.items)
    },
    async putMaterial(next, rev) {
      if (rev !== null) requireNextRev(next, rev)
      const condition = rev === null ? nothingIsThere : nobodyChangedSince(rev)
      await table.put(materialPlace(next), encodeMaterial(next), condition)
    },
    async deleteMaterial(material) {
      await table.delete(materialPlace(material), nobodyChangedSince(material.rev))
    },
    dueForExpiry: (now, limit) => dueForExpiry(table, now, limit),
    nextDue: () => nextDue(table),
    create: (key) => create(table, key, encodeKey(key.key)),
    createDraft: (key, abandonedAt) => create(table, key, encodeDraft(key.key, abandonedAt)),
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
    async delete(key, leave) {
      await table.put(keyPlace(key), encodeRemoval(key), nobodyChangedSince(key.rev))
      await removePartition(table, key, leave)
    },
    finishDelete: (key, leave) => removePartition(table, key, leave),
    unfinished: (now, limit) => unfinished(table, now, limit),
    leftovers: (name) => leftovers(table, name),
  }
}

/**
 * One after the other: the first of them is what racing creations of one key meet at, so that one of
 * them writes all. The key comes last and makes it exist.
 */
async function create(
  table: Table,
  { key, policy, materials }: NewKey,
  keyItem: Item,
): Promise<void> {
  for (const material of materials)
    await table.put(materialPlace(material), encodeMaterial(material), nothingIsThere)
  await table.put(policyPlace(key), encodePolicy(key, policy), nothingIsThere)
  await table.put(keyPlace(key), keyItem, nothingIsThere)
}

const NOTHING_SHARED = { items: [] }

function parseBundle(items: readonly Item[], shared: readonly Item[]): KeyBundle | null {
  const materials = items.filter((item) => keyOf(item).sk.startsWith('material#'))
  const named = (name: string, among: readonly Item[] = items): Item | undefined =>
    among.find((item) => keyOf(item).sk === name)
  const keyItem = named('key')
  const policyItem = named('policy')
  if (keyItem === undefined || isBeingRemoved(keyItem)) return null
  if (policyItem === undefined) throw new RowMalformed('A key without its policy.')
  const key = parseKey(keyItem)
  return {
    key,
    policy: parsePolicy(policyItem),
    materials: materials.map(parseMaterial),
    rotation: rotationOf(key, named('rotation', key.multiRegion ? shared : items)),
    lastUsage: optional(named('usage'), parseUsage),
    related: optional(named('related', shared), parseRelated),
  }
}

const optional = <Value>(item: Item | undefined, parse: (item: Item) => Value): Value | null =>
  item === undefined ? null : parse(item)

function rotationOf(key: KeyRecord, item: Item | undefined): RotationRecord | null {
  if (item === undefined) return null
  const { of, ...rotation } = parseRotation(item)
  if (of.account !== key.account || of.keyId !== key.keyId) {
    throw new RowMisplaced('The rotation of another key.')
  }
  return rotation
}

const listedKey = parsed(parseKeyId)

function listedKeyId(item: Item, account: AccountId, region: Region): KeyId {
  const keyId = listedKey.parse(item[byOwner.range], byOwner.range)
  requirePlace(item, keyPlace({ account, region, keyId }))
  return keyId
}

async function dueForDeletion(table: Table, now: number, limit: number): Promise<KeyRecord[]> {
  const items = await dueItems(table, DUE_FOR_DELETION, now, limit)
  const found = await Promise.all(items.map((item) => dueKey(table, item, now)))
  return found.filter((key) => key !== null)
}

/** A removal that was cut short is taken to its end here; nobody else would find it. */
async function dueKey(table: Table, indexed: Item, now: number): Promise<KeyRecord | null> {
  const item = await table.get(keyOf(indexed))
  if (item === null) return null
  const key = parseKey(item)
  if (isBeingRemoved(item) && !key.multiRegion) await removePartition(table, key)
  const due = key.state === 'PendingDeletion' && key.deletionDate <= now
  return due && !isBeingRemoved(item) ? key : null
}

async function unfinished(table: Table, now: number, limit: number): Promise<UnfinishedKey[]> {
  const indexed = await dueItems(table, DUE_FOR_DELETION, now, limit)
  const items = await Promise.all(indexed.map((item) => table.get(keyOf(item))))
  return items.flatMap((item): UnfinishedKey[] => {
    if (item === null) return []
    const key = parseKey(item)
    if (isBeingRemoved(item)) return key.multiRegion ? [{ key, is: 'being deleted' }] : []
    return isDraft(item) && Number(item.dueAt) <= now ? [{ key, is: 'draft' }] : []
  })
}

async function dueForExpiry(
  table: Table,
  now: number,
  limit: number,
): Promise<readonly MaterialRecord[]> {
  const items = await dueItems(table, DUE_FOR_EXPIRY, now, limit)
  const found = await Promise.all(items.map((item) => table.get(keyOf(item))))
  return found.filter((item) => item !== null).map(parseMaterial)
}

async function nextDue(table: Table): Promise<number | null> {
  const kinds = [DUE_FOR_DELETION, DUE_FOR_EXPIRY, DUE_FOR_ROTATION]
  const first = await Promise.all(
    kinds.map((kind) => dueItems(table, kind, Number.MAX_SAFE_INTEGER, 1)),
  )
  const times = first.flat().map(({ dueAt }) => dueAt)
  return times.length === 0 ? null : Math.min(...(times as number[]))
}

/**
 * Everything under the key, the marked key itself last: until then it is found as due. A multi-Region
 * key's id may come back, so only what was read is removed; grants have ids of their own.
 */
async function removePartition(table: Table, key: KeyIdentity, leave?: LeaveSet): Promise<void> {
  const { items } = await table.query({ partition: keyPartition(key) })
  const isGrant = (item: Item): boolean => keyOf(item).sk.startsWith('grant#')
  const isKey = (item: Item): boolean => keyOf(item).sk === 'key'
  await table.deleteAll(items.filter(isGrant).map(keyOf))
  for (const item of items) if (!isGrant(item) && !isKey(item)) await deleteAsRead(table, item)
  const marked = items.find(isBeingRemoved)
  if (marked === undefined) return
  await leave?.(async () => (await table.get(keyOf(marked)))?.stamp === marked.stamp)
  await deleteAsRead(table, marked)
}

async function leftovers(table: Table, name: KeyIdentity): Promise<{ remove(): Promise<void> }> {
  const { items } = await table.query({ partition: keyPartition(name) })
  return {
    async remove() {
      for (const item of items) await deleteAsRead(table, item)
    },
  }
}

/** Unless it was changed, or removed and put anew. */
async function deleteAsRead(table: Table, item: Item): Promise<void> {
  const asRead = { expression: '#stamp = :stamp', values: { ':stamp': item.stamp ?? '' } }
  try {
    await table.delete(keyOf(item), { ...asRead, names: { '#stamp': 'stamp' } })
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
}
