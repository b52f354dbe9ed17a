/**
 * An audit record as one line of JSON, held to the sizes that CloudTrail holds it to (CloudTrail
 * User Guide, "CloudTrail record contents"): 1 KB for userAgent, errorCode, errorMessage and
 * requestID, 28 KB for additionalEventData, 100 KB for requestParameters and responseElements. What
 * is cut says so: a text ends in a mark, a structure becomes `{ "omitted": true, … }`.
 */
import type { AuditRecord } from './record.ts'

const TEXT_LIMIT = 1024
const TEXTS = ['userAgent', 'errorCode', 'errorMessage', 'requestID'] as const
/** In the order in which they are given up when the record as a whole is too large. */
const STRUCTURES = ['additionalEventData', 'responseElements', 'requestParameters'] as const
const STRUCTURE_LIMIT = {
  additionalEventData: 28 * 1024,
  responseElements: 100 * 1024,
  requestParameters: 100 * 1024,
}

/** A whole line, in bytes: with its envelope it fits into one entry of an event bus. */
export const LINE_LIMIT = 190 * 1024

const MARK = ' [truncated]'
/** UTF-8 takes at most three bytes for a UTF-16 unit. */
const BYTES_PER_UNIT = 3

/** @returns JSON without line breaks, at most {@link LINE_LIMIT} bytes of UTF-8 */
export function recordLine(record: AuditRecord): string {
  const line = JSON.stringify(record)
  return isSurelyWithin(record, line) ? line : limitedLine(record)
}

/** Almost every record is told to be small enough by the lengths of its texts alone. */
const isSurelyWithin = (record: AuditRecord, line: string): boolean =>
  line.length * BYTES_PER_UNIT <= STRUCTURE_LIMIT.additionalEventData &&
  TEXTS.every((name) => (record[name]?.length ?? 0) * BYTES_PER_UNIT <= TEXT_LIMIT)

function limitedLine(record: AuditRecord): string {
  let limited = record
  for (const name of TEXTS) {
    const text = record[name]
    if (text !== undefined) limited = { ...limited, [name]: limitText(text) }
  }
  for (const name of STRUCTURES) limited = withinLimit(limited, name, STRUCTURE_LIMIT[name])
  for (const name of STRUCTURES) {
    if (byteLength(limited) <= LINE_LIMIT) break
    limited = withinLimit(limited, name, 0)
  }
  if (byteLength(limited) > LINE_LIMIT) limited = { ...limited, resources: [] }
  return JSON.stringify(limited)
}

const byteLength = (value: unknown): number => Buffer.byteLength(JSON.stringify(value))

function withinLimit(
  record: AuditRecord,
  name: (typeof STRUCTURES)[number],
  limit: number,
): AuditRecord {
  const structure = record[name]
  if (structure === undefined || structure === null || structure.omitted === true) return record
  const originalSize = byteLength(structure)
  if (originalSize <= limit) return record
  return { ...record, [name]: { omitted: true, originalSize, reason: `${name} too large` } }
}

function limitText(text: string): string {
  if (Buffer.byteLength(text) <= TEXT_LIMIT) return text
  const kept = Buffer.from(text).subarray(0, TEXT_LIMIT - MARK.length)
  // A character that was cut in two decodes to U+FFFD at the end.
  return kept.toString().replace(/\uFFFD{1,3}$/, '') + MARK
}
