/** Where the pages of `LedgerRepository.blocks` start: texts that sort as a day's blocks do. */
import type { LedgerBlockRecord } from './records.ts'
import { sortable } from './table.ts'

const TIME_DIGITS = 15
const SEQUENCE_DIGITS = 12

/** The `after` of a page that begins with what comes after this block, in either direction. */
export const ledgerCursor = ({
  writtenAt,
  shard,
  sequence,
}: Pick<LedgerBlockRecord, 'writtenAt' | 'shard' | 'sequence'>): string =>
  [sortable(writtenAt, TIME_DIGITS), shard, sortable(sequence, SEQUENCE_DIGITS)].join('#')

/**
 * The `after` of a page that begins, oldest first, with the blocks written at a time or later, and,
 * newest first, with those written before it.
 * @param time - milliseconds since the epoch
 */
export const ledgerCursorAt = (time: number): string => sortable(time, TIME_DIGITS)

/** The UTC day of a time: `2026-11-23`. A block lies in the day in which it was written. */
export const ledgerDay = (time: number): string => new Date(time).toISOString().slice(0, 10)
