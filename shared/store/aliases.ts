/** Aliases: names that point at keys. */
import {
  type AccountId,
  type AliasName,
  aliasNameOf,
  type KeyId,
  parseAccountId,
  parseKeyId,
  parseRegion,
  type Region,
} from '../ids.ts'
import { type Item, integer, parsed, record } from './attribute-values.ts'
import { keyPartition } from './key-rows.ts'
import { startingAfter, toPage } from './pages.ts'
import type { AliasRecord } from './records.ts'
import type { AliasRepository } from './repositories.ts'
import {
  type ItemKey,
  nobodyChangedSince,
  nothingIsThere,
  requireNextRev,
  requirePlace,
  type Table,
} from './table.ts'
import { TABLES } from './tables.ts'

const [byOwner, byTarget] = TABLES.keys.indexes

const aliasRow = record<AliasRecord>({
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  aliasName: parsed(aliasNameOf),
  targetKeyId: parsed(parseKeyId),
  createdAt: integer,
  updatedAt: integer,
  rev: integer,
})

const aliasPlace = (account: AccountId, region: Region, name: AliasName): ItemKey => ({
  pk: `${account}#${region}#alias#${name}`,
  sk: 'alias',
})
const placeOf = (alias: AliasRecord): ItemKey =>
  aliasPlace(alias.account, alias.region, alias.aliasName)
const aliasesOwner = (account: AccountId, region: Region): string => `${account}#${region}#aliases`
const targetKey = (account: AccountId, region: Region, keyId: KeyId): string =>
  keyPartition({ account, region, keyId })

/** @param table - `keys` */
export function openAliases(table: Table): AliasRepository {
  return {
    async get(account, region, aliasName) {
      const item = await table.get(aliasPlace(account, region, aliasName))
      return item && parseAlias(item)
    },
    async create(alias) {
      await table.put(placeOf(alias), encodeAlias(alias), nothingIsThere)
    },
    async update(next, rev) {
      requireNextRev(next, rev)
      await table.put(placeOf(next), encodeAlias(next), nobodyChangedSince(rev))
    },
    async delete(alias) {
      await table.delete(placeOf(alias), nobodyChangedSince(alias.rev))
    },
    async list(account, region, limit, after) {
      const partition = aliasesOwner(account, region)
      const page = { ...startingAfter(after), limit }
      const rows = await table.query({ index: byOwner, partition, ...page })
      return toPage(rows, parseAlias, (alias) => alias.aliasName)
    },
    async listOfKey(account, region, keyId, limit, after) {
      const partition = targetKey(account, region, keyId)
      const page = { ...startingAfter(after), limit }
      const rows = await table.query({ index: byTarget, partition, ...page })
      return toPage(rows, parseAlias, (alias) => alias.aliasName)
    },
  }
}

const encodeAlias = (alias: AliasRecord): Item => ({
  ...aliasRow.encode(alias),
  ownerKey: aliasesOwner(alias.account, alias.region),
  ownerSort: alias.aliasName,
  targetKey: targetKey(alias.account, alias.region, alias.targetKeyId),
  targetSort: alias.aliasName,
})

function parseAlias(item: Item): AliasRecord {
  const found = aliasRow.parse(item)
  requirePlace(item, placeOf(found))
  return found
}
