import { ledgerCursor, ledgerDay } from '../../shared/store/ledger-cursor.ts'
import type { LedgerBlockRecord } from '../../shared/store/records.ts'
import { ConditionFailed, type LedgerRepository } from '../../shared/store/repositories.ts'

export interface MemoryLedger extends LedgerRepository {
  /** Every stored block, in the order in which they were put. */
  readonly stored: LedgerBlockRecord[]
  /** Runs before each put: to be slow, to fail, or to keep a put from ending. */
  beforePut: (block: LedgerBlockRecord) => Promise<void> | void
  /** Runs after the block was stored: to lose the answer of a put that got through. */
  afterPut: (block: LedgerBlockRecord) => Promise<void> | void
}

/** A LedgerRepository in memory, with the conditions and the order of the real one. */
export function givenLedger(): MemoryLedger {
  const stored: LedgerBlockRecord[] = []
  const positions = new Map<string, { day: string; after: string | null }>()
  const of = (account: string, region: string) =>
    stored.filter((block) => block.account === account && block.region === region)
  const ledger: MemoryLedger = {
    stored,
    beforePut: () => {},
    afterPut: () => {},
    async append(block) {
      await ledger.beforePut(block)
      if (of(block.account, block.region).some(isSamePlace(block))) throw new ConditionFailed()
      stored.push(block)
      await ledger.afterPut(block)
    },
    async days(account, region) {
      const days = of(account, region).map(({ writtenAt }) => ledgerDay(writtenAt))
      return [...new Set(days)].sort().reverse()
    },
    async blocks(account, region, day, { newestFirst, limit, after }) {
      const ordered = of(account, region)
        .filter(({ writtenAt }) => ledgerDay(writtenAt) === day)
        .sort((left, right) => (ledgerCursor(left) < ledgerCursor(right) ? -1 : 1))
      if (newestFirst) ordered.reverse()
      const rest = ordered.filter(
        (block) =>
          after === null ||
          (newestFirst ? ledgerCursor(block) < after : ledgerCursor(block) > after),
      )
      const items = rest.slice(0, limit)
      const last = items.at(-1)
      return { items, next: rest.length > limit && last ? ledgerCursor(last) : null }
    },
    relayPosition: async (account, region) => positions.get(`${account}#${region}`) ?? null,
    async putRelayPosition(account, region, position) {
      positions.set(`${account}#${region}`, position)
    },
  }
  return ledger
}

const isSamePlace = (block: LedgerBlockRecord) => (other: LedgerBlockRecord) =>
  ledgerCursor(other) === ledgerCursor(block)
