/**
 * Blocks of the ledger as entries of an event bus. Many records travel in one entry, because each
 * entry is paid for like an event of its own: blocks of one account, Region and day go together. A
 * block too large for an entry is cut into parts, always into the same ones. (EventBridge API
 * reference, "PutEvents", and EventBridge User Guide, "Calculating PutEvents event entry size".)
 */
import type { AccountId, Region } from '../ids.ts'
import { ledgerDay } from '../store/ledger-cursor.ts'
import type { LedgerBlockRecord } from '../store/records.ts'
import { blockLines } from './chain.ts'
import type { AuditRecord } from './record.ts'

export const AUDIT_SOURCE = 'keyhold'
export const AUDIT_DETAIL_TYPE = 'Keyhold Audit Records'

/** What an entry carries: blocks, or parts of them, of one ledger and day. */
export interface AuditDetail {
  readonly account: AccountId
  readonly region: Region
  readonly blocks: readonly BlockPart[]
}

export interface BlockPart {
  readonly shard: string
  readonly sequence: number
  readonly writtenAt: number
  /** 1 to `parts`. */
  readonly part: number
  readonly parts: number
  readonly records: readonly AuditRecord[]
}

export interface BusEntry {
  /** {@link AuditDetail} as JSON. */
  readonly detail: string
  /** When the last of its blocks was written, in milliseconds since the epoch. */
  readonly time: number
  /** The lowest index, among the packed blocks, of those that it carries. */
  readonly from: number
}

export const MAX_ENTRIES = 10
export const ENTRY_BYTES = 200 * 1024
/** Below the 256 KB that every Region accepts for a call. */
export const CALL_BYTES = 240 * 1024

/** Of an entry: its time counts 14 bytes, source and detail type as they are. */
const ENVELOPE_BYTES = 14 + AUDIT_SOURCE.length + AUDIT_DETAIL_TYPE.length
/** The JSON around the parts of an entry, and around the records of a part. */
const DETAIL_BYTES = 100
const PART_OVERHEAD = 160
const PART_BYTES = ENTRY_BYTES - ENVELOPE_BYTES - DETAIL_BYTES - PART_OVERHEAD

/** @returns the bytes that count for an entry */
export const entryBytes = ({ detail }: BusEntry): number =>
  ENVELOPE_BYTES + Buffer.byteLength(detail)

/** @returns entries of at most {@link ENTRY_BYTES}, in the order of the first block of each */
export function packBlocks(blocks: readonly LedgerBlockRecord[]): readonly BusEntry[] {
  const open = new Map<string, EntryBuilder>()
  const entries: BusEntry[] = []
  for (const [index, block] of blocks.entries()) {
    const name = `${block.account}#${block.region}#${ledgerDay(block.writtenAt)}`
    for (const part of partsOf(block)) {
      let entry = open.get(name)
      if (entry !== undefined && !entry.fits(part)) {
        entries.push(entry.build())
        entry = undefined
      }
      entry ??= new EntryBuilder(block, index)
      entry.add(part, block.writtenAt)
      open.set(name, entry)
    }
  }
  for (const entry of open.values()) entries.push(entry.build())
  return entries.sort((left, right) => left.from - right.from)
}

/** @returns the entries in calls of at most {@link MAX_ENTRIES} and {@link CALL_BYTES}, in order */
export function callsOf(entries: readonly BusEntry[]): readonly (readonly BusEntry[])[] {
  const calls: BusEntry[][] = []
  let bytes = 0
  for (const entry of entries) {
    const more = entryBytes(entry)
    const call = calls.at(-1)
    if (call === undefined || call.length === MAX_ENTRIES || bytes + more > CALL_BYTES) {
      calls.push([entry])
      bytes = more
    } else {
      call.push(entry)
      bytes += more
    }
  }
  return calls
}

class EntryBuilder {
  readonly #account: AccountId
  readonly #region: Region
  readonly #from: number
  readonly #parts: string[] = []
  #bytes = 0
  #time = 0

  constructor({ account, region }: LedgerBlockRecord, from: number) {
    this.#account = account
    this.#region = region
    this.#from = from
  }

  fits(part: string): boolean {
    const bytes = this.#bytes + Buffer.byteLength(part) + 1
    return bytes <= ENTRY_BYTES - ENVELOPE_BYTES - DETAIL_BYTES
  }

  add(part: string, writtenAt: number): void {
    this.#parts.push(part)
    this.#bytes += Buffer.byteLength(part) + 1
    this.#time = Math.max(this.#time, writtenAt)
  }

  build(): BusEntry {
    const [account, region] = [JSON.stringify(this.#account), JSON.stringify(this.#region)]
    const blocks = this.#parts.join(',')
    const detail = `{"account":${account},"region":${region},"blocks":[${blocks}]}`
    return { detail, time: this.#time, from: this.#from }
  }
}

/** The parts of a block as JSON; its records are JSON already. */
function partsOf(block: LedgerBlockRecord): readonly string[] {
  const { shard, sequence, writtenAt } = block
  const groups = groupLines(blockLines(block))
  return groups.map((lines, at) => {
    const head = { shard, sequence, writtenAt, part: at + 1, parts: groups.length }
    return `${JSON.stringify(head).slice(0, -1)},"records":[${lines.join(',')}]}`
  })
}

function groupLines(lines: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = []
  let bytes = 0
  for (const line of lines) {
    const more = Buffer.byteLength(line) + 1
    const group = groups.at(-1)
    if (group === undefined || bytes + more > PART_BYTES) {
      groups.push([line])
      bytes = more
    } else {
      group.push(line)
      bytes += more
    }
  }
  return groups
}
