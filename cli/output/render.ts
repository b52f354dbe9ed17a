/** Views as text for a terminal. */
import Table from 'cli-table3'
import type { DetailsView, TableView, View } from './view.ts'

const GAP = '  '
/** Columns apart by two spaces, without lines: what `cut` and `awk` can read as well. */
const NO_LINES = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: GAP,
}

/** @param bold - whether headings are set off by the terminal's bold type */
export interface Style {
  readonly bold: boolean
}

/** @returns the text, with its line end */
export function render(view: View, style: Style): string {
  if (typeof view === 'string') return `${visible(view)}\n`
  if (isList(view)) return view.map((each) => render(each, style)).join('\n')
  return view.kind === 'table' ? renderTable(view, style) : renderDetails(view, style)
}

const isList = (view: View): view is readonly View[] => Array.isArray(view)

function renderTable({ head, rows, none }: TableView, style: Style): string {
  if (rows.length === 0) return `${none}\n`
  return aligned([head.map((name) => heading(name, style)), ...rows.map(visibleCells)])
}

const renderDetails = ({ entries }: DetailsView, style: Style): string =>
  aligned(entries.map(([name, value]) => [heading(name, style), visible(value)]))

const visibleCells = (cells: readonly string[]): string[] =>
  cells.map((cell) => visible(cell) || '-')

function aligned(rows: readonly (readonly string[])[]): string {
  const lines = new Table({
    chars: NO_LINES,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  lines.push(...rows.map((row) => [...row]))
  return `${lines.toString().replace(/ +$/gm, '')}\n`
}

const heading = (text: string, { bold }: Style): string => (bold ? `\x1b[1m${text}\x1b[22m` : text)

// What others wrote must not move the cursor or name a terminal's window, so of the control
// characters only line end and tab are shown as what they are.
const CONTROL = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu

/** @returns the text with control characters written out */
export const visible = (text: string): string =>
  text.replace(CONTROL, (character) =>
    character === '\n' || character === '\t'
      ? character
      : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
