import { blockLines } from '../../shared/audit/chain.ts'
import type { CallRecord } from '../../shared/audit/record.ts'
import type { AccountId, Region } from '../../shared/ids.ts'
import type { Services } from '../../shared/pipeline/operation.ts'

/** The records of calls in an account's ledger, oldest first. */
export async function recordsOf(
  { store: { ledger } }: Services,
  account: AccountId,
  region = 'us-east-1' as Region,
): Promise<readonly CallRecord[]> {
  const records: CallRecord[] = []
  for (const day of (await ledger.days(account, region)).toReversed()) {
    for (let after: string | null = null; ; ) {
      const options = { newestFirst: false, limit: 100, after }
      const page = await ledger.blocks(account, region, day, options)
      for (const block of page.items) {
        records.push(...blockLines(block).map((line) => JSON.parse(line) as CallRecord))
      }
      if (page.next === null) break
      after = page.next
    }
  }
  return records
}
