/** What `PutEvents` asks of its entries, and the events that it makes of them (EventBridge API reference). */
import { randomUUID } from 'node:crypto'

export interface PutEntry {
  readonly Time?: number
  readonly Source?: string
  readonly Resources?: readonly string[]
  readonly DetailType?: string
  readonly Detail?: string
}

/** EventBridge User Guide, "Event structure reference". */
export interface BusEvent {
  readonly version: '0'
  readonly id: string
  readonly 'detail-type': string
  readonly source: string
  readonly account: string
  readonly time: string
  readonly region: string
  readonly resources: string[]
  readonly detail: unknown
}

export interface RefusedEntry {
  readonly ErrorCode: string
  readonly ErrorMessage: string
}

const MAX_ENTRIES = 10
/** What every Region accepts for all entries of a call together. */
const MAX_BYTES = 256 * 1024
const TIME_BYTES = 14
const LOCAL_ACCOUNT = '000000000000'

/** @returns why a call is refused as a whole, `null` when it is not */
export function refusedCall(input: unknown): string | null {
  const entries = (input as { Entries?: unknown } | null)?.Entries
  if (!Array.isArray(entries) || !entries.every((entry) => isObject(entry))) {
    return "1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must not be null"
  }
  if (entries.length < 1 || entries.length > MAX_ENTRIES) {
    const bound = entries.length < 1 ? 'greater than or equal to 1' : 'less than or equal to 10'
    return `1 validation error detected: Value at 'entries' failed to satisfy constraint: Member must have length ${bound}`
  }
  const bytes = entries.reduce((sum: number, entry: PutEntry) => sum + entrySize(entry), 0)
  return bytes > MAX_BYTES ? 'Total size of the entries in the request is over the limit.' : null
}

/** EventBridge User Guide, "Calculating PutEvents event entry size". */
function entrySize({ Time, Source, DetailType, Detail, Resources = [] }: PutEntry): number {
  const texts = [Source, DetailType, Detail, ...Resources].map((text) => String(text ?? ''))
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0)
  return bytes + (Time === undefined ? 0 : TIME_BYTES)
}

/** @returns the event of an entry, or why there is none */
export function eventFrom(entry: PutEntry, region: string): BusEvent | RefusedEntry {
  for (const name of ['Source', 'DetailType', 'Detail'] as const) {
    if (typeof entry[name] !== 'string' || entry[name] === '') return missing(name)
  }
  const { Source = '', DetailType = '', Detail = '', Time, Resources = [] } = entry
  if (Source.startsWith('aws.')) {
    return {
      ErrorCode: 'NotAuthorizedForSourceException',
      ErrorMessage: 'Not authorized for the source.',
    }
  }
  const detail = parseDetail(Detail)
  if (detail === undefined) {
    return { ErrorCode: 'MalformedDetail', ErrorMessage: 'Detail is malformed.' }
  }
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': DetailType,
    source: Source,
    account: LOCAL_ACCOUNT,
    time: timeText(Time),
    region,
    resources: [...Resources],
    detail,
  }
}

const missing = (name: string): RefusedEntry => ({
  ErrorCode: 'InvalidArgument',
  ErrorMessage: `Parameter ${name} is not valid. Reason: ${name} is a required argument.`,
})

/** @param seconds - since the epoch; now when absent. @returns `2026-11-23T20:18:00Z` */
const timeText = (seconds: number | undefined): string =>
  `${new Date(seconds === undefined ? Date.now() : seconds * 1000).toISOString().slice(0, 19)}Z`

/** A JSON object; anything else is malformed. */
function parseDetail(text: string): object | undefined {
  try {
    const detail: unknown = JSON.parse(text)
    return isObject(detail) ? detail : undefined
  } catch {
    return undefined
  }
}

const isObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
