/** The archive: writes what the audit bus delivers as CloudTrail log files. */
import type { EventBridgeEvent } from 'aws-lambda'
import { archiveFile } from '../../shared/audit/archive-file.ts'
import { type ArchiveStore, openArchive } from '../../shared/audit/archive-store.ts'
import type { AUDIT_DETAIL_TYPE } from '../../shared/audit/bus-entries.ts'

/**
 * Archives the records of one event; the same event again changes nothing.
 * @throws Error when they are not durable; the bus then delivers the event again
 */
export async function handler(
  event: EventBridgeEvent<typeof AUDIT_DETAIL_TYPE, unknown>,
): Promise<void> {
  const file = await archiveFile(event.detail)
  await (await archive()).put(file)
}

let shared: { readonly address: string; readonly store: Promise<ArchiveStore> } | null = null

/** The store, opened at the first event; a failure to open it is not remembered. */
async function archive(): Promise<ArchiveStore> {
  const address = process.env.KEYHOLD_AUDIT_ARCHIVE ?? ''
  if (shared?.address !== address) shared = { address, store: openArchive(address) }
  try {
    return await shared.store
  } catch (error) {
    shared = null
    throw error
  }
}
