/** What a command answers: data for programs, and a view of the same for people. */

export interface Answer {
  /** What `--json` prints: as the API documents its answer, with dates and bytes as they are in memory. */
  readonly json: unknown
  readonly view: View
}

export type View = string | TableView | DetailsView | readonly View[]

export interface TableView {
  readonly kind: 'table'
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What is said in the place of a table without rows. */
  readonly none: string
}

export interface DetailsView {
  readonly kind: 'details'
  readonly entries: readonly (readonly [name: string, value: string])[]
}

/** A value of the API as it stands in a cell. */
export type Cell = string | number | boolean | Date | null | undefined

/**
 * @param columns - by their headings, what each shows of an entry
 * @param none - a sentence for when there is no entry
 */
export function table<Entry>(
  entries: readonly Entry[],
  columns: Readonly<Record<string, (entry: Entry) => Cell>>,
  none: string,
): TableView {
  const head = Object.keys(columns)
  const cells = Object.values(columns)
  return {
    kind: 'table',
    head,
    rows: entries.map((entry) => cells.map((cell) => cellText(cell(entry)))),
    none,
  }
}

/** One thing with what is known of it; what has no value is left out. */
export function details(values: Readonly<Record<string, Cell>>): DetailsView {
  const entries = Object.entries(values).map(([name, value]) => [name, cellText(value)] as const)
  return { kind: 'details', entries: entries.filter(([, value]) => value !== '') }
}

/** Times to the second and in UTC, as policies and audit records have them. */
export function cellText(value: Cell): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString().replace(/\.\d{3}Z$/, 'Z')
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return String(value)
}
