/** Pages of listings that sort by one text: a name or an id, which is also where the next page starts. */
import type { Item } from './attribute-values.ts'
import type { Page } from './records.ts'
import type { QueryRequest, Rows } from './table.ts'

/** The part of a query that skips to what comes after `after`; nothing is skipped for `null`. */
export const startingAfter = (after: string | null): Pick<QueryRequest, 'range'> =>
  after === null || after === ''
    ? {}
    : { range: { expression: '#range > :after', values: { ':after': after } } }

/**
 * @param parse - a row to what is listed
 * @param cursorOf - what is listed to the text it sorts by
 */
export function toPage<Listed>(
  rows: Rows,
  parse: (item: Item) => Listed,
  cursorOf: (listed: Listed) => string,
): Page<Listed> {
  const items = rows.items.map(parse)
  const last = items.at(-1)
  return { items, next: rows.more && last !== undefined ? cursorOf(last) : null }
}
