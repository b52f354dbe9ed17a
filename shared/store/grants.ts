/** Grants: permissions on a key that are not in its policy. */
import type { Item } from './attribute-values.ts'
import {
  encodeGrant,
  GRANT_PREFIX,
  granteeTag,
  grantPlace,
  parseGrant,
  retirableBy,
  retirableListing,
} from './grant-rows.ts'
import { keyPartition } from './key-rows.ts'
import { startingAfter, toPage } from './pages.ts'
import type { GrantRecord } from './records.ts'
import type { GrantRepository, KeyName } from './repositories.ts'
import { keyOf, nothingIsThere, type QueryRequest, type Table } from './table.ts'
import { TABLES } from './tables.ts'

const [, , byRetiringPrincipal] = TABLES.keys.indexes

/** @param table - `keys` */
export const openGrants = (table: Table): GrantRepository => ({
  async get(key, grantId) {
    const item = await table.get(grantPlace(key, grantId))
    return item && parseGrant(item)
  },
  async ofGrantee(key, grantee) {
    const { items } = await table.query(grantsOf(key, grantee))
    return items.map(parseGrant).filter((grant) => grant.grantee === grantee)
  },
  async create(grant) {
    await table.put(grantPlace(grant, grant.grantId), encodeGrant(grant), nothingIsThere)
  },
  async delete(grant) {
    await table.delete(grantPlace(grant, grant.grantId))
  },
  async list(key, grantee, limit, after) {
    const rows = await table.query({ ...grantsOf(key, grantee, after), limit })
    return toPage(rows, parseGrant, ({ grantId }) => grantId)
  },
  async listRetirable(owner, region, retiring, limit, after) {
    const partition = retirableBy(owner, region, retiring)
    const rows = await table.query({
      index: byRetiringPrincipal,
      partition,
      ...startingAfter(after),
      limit,
    })
    const { items, next } = toPage(
      rows,
      (item) => item,
      ({ retiringSort }) => String(retiringSort),
    )
    return { items: await reread(table, items, partition), next }
  },
  count: (key) => table.count(grantsOf(key, null)),
})

/** The rows of a key's grants, by grant id; `null` for those of every grantee. */
function grantsOf(key: KeyName, grantee: string | null, after: string | null = null): QueryRequest {
  const prefix = GRANT_PREFIX + (grantee === null ? '' : granteeTag(key, grantee))
  const first = after === null ? prefix : `${GRANT_PREFIX}${after}`
  return {
    partition: keyPartition(key),
    // '~' sorts after every hex digit; a key condition has no "after this and beginning with".
    range: {
      expression: '#range BETWEEN :first AND :last',
      values: { ':first': after === null ? first : `${first}!`, ':last': `${prefix}~` },
    },
  }
}

async function reread(
  table: Table,
  indexed: readonly Item[],
  listing: string,
): Promise<readonly GrantRecord[]> {
  const items = await Promise.all(indexed.map((item) => table.get(keyOf(item))))
  return items
    .filter((item) => item !== null)
    .map(parseGrant)
    .filter((grant) => retirableListing(grant) === listing)
}
