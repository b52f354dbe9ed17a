/** Work that is due, by kind, from the index of all tenants' keys. */
import type { Item } from './attribute-values.ts'
import type { Table } from './table.ts'
import { TABLES } from './tables.ts'

const byDueTime = TABLES.keys.indexes[3]

/** @returns what the index says, earliest first; it may be behind, so each is read again */
export async function dueItems(
  table: Table,
  kind: string,
  now: number,
  limit: number,
): Promise<readonly Item[]> {
  const { items } = await table.query({
    index: byDueTime,
    partition: kind,
    range: { expression: '#range <= :now', values: { ':now': now } },
    limit,
  })
  return items
}
