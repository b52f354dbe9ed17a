/**
 * Deletes keys whose waiting period is over: with the key go its policy, material, grants and
 * aliases, and nothing that was encrypted under it opens any more. Run by a schedule; every run does
 * some of what is due, and a run that was cut short harms nothing.
 */
import { recordServiceEvent } from '../../shared/audit/service-event.ts'
import { keyArn } from '../../shared/ids.ts'
import type { Keys } from '../../shared/keys/keys.ts'
import { dropDraft, leavingSet, mayGo } from '../../shared/keys/multi-region-deletion.ts'
import { finishReplica } from '../../shared/keys/replication.ts'
import { environment } from '../../shared/lambda/environment.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import type { AliasRecord, KeyRecord } from '../../shared/store/records.ts'
import { type AliasRepository, ConditionFailed } from '../../shared/store/repositories.ts'

const KEYS_PER_RUN = 100
const ALIASES_PER_PAGE = 50

/** @returns how many keys were deleted */
export async function deleteDueKeys(services: Services): Promise<number> {
  let deleted = await finishOthers(services)
  for (const candidate of await services.store.keys.dueForDeletion(
    services.clock.now(),
    KEYS_PER_RUN,
  )) {
    try {
      if (await deleteIfDue(candidate, services)) deleted += 1
    } catch (error) {
      logFailure('DeleteKey', candidate.keyId, error)
    }
  }
  return deleted
}

/** The index may be behind the key, so the key is read again: it may have been cancelled. */
async function deleteIfDue(candidate: KeyRecord, services: Services): Promise<boolean> {
  const { store, keys, clock, material } = services
  const { account, region, keyId } = candidate
  const key = (await keys.get(account, region, keyId, true))?.key
  if (key?.state !== 'PendingDeletion' || key.deletionDate > clock.now()) return false
  if (!(await mayGo(key, services))) return false
  const removed = await deleteAliases(key, store.aliases, keys)
  try {
    await store.keys.delete(key, leavingSet(key, services))
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
    await restoreAliases(removed, store.aliases, keys)
    return false
  } finally {
    keys.forget(key)
    material.forget(account, region, keyId)
  }
  await tellOf(key, services)
  return true
}

/** As CloudTrail shows it (AWS KMS Developer Guide, "DeleteKey"). */
const tellOf = (key: KeyRecord, services: Services) =>
  recordServiceEvent(services, {
    eventName: 'DeleteKey',
    key,
    occurrence: String(key.createdAt), // the id of a replica may come back
    responseElements: { keyId: keyArn(key.region, key.account, key.keyId) },
  })

/** Multi-Region keys whose making or deletion was cut short. @returns how many deletions it ended */
async function finishOthers(services: Services): Promise<number> {
  const { store, keys, clock } = services
  let deleted = 0
  for (const { key, is } of await store.keys.unfinished(clock.now(), KEYS_PER_RUN)) {
    try {
      if (is === 'being deleted') {
        await store.keys.finishDelete(key, leavingSet(key, services))
        await tellOf(key, services)
        deleted += 1
      } else if (!(await dropDraft(key, services))) await finishReplica(key, services)
    } catch (error) {
      logFailure('DeleteKey', key.keyId, error)
    } finally {
      keys.forget(key)
    }
  }
  return deleted
}

/** Before the key, since nothing finds them once it is gone. @returns those that were removed */
async function deleteAliases(
  { account, region, keyId }: KeyRecord,
  aliases: AliasRepository,
  keys: Keys,
): Promise<readonly AliasRecord[]> {
  const removed: AliasRecord[] = []
  for (let after: string | null = null; ; ) {
    const page = await aliases.listOfKey(account, region, keyId, ALIASES_PER_PAGE, after)
    for (const alias of page.items) {
      if (alias.targetKeyId === keyId) {
        await aliases.delete(alias)
        removed.push(alias)
      }
      keys.forgetAlias(alias)
    }
    if (page.next === null) return removed
    after = page.next
  }
}

/** The deletion was cancelled while it was under way; a name that was given away by now stays so. */
async function restoreAliases(
  removed: readonly AliasRecord[],
  aliases: AliasRepository,
  keys: Keys,
): Promise<void> {
  for (const alias of removed) {
    try {
      await aliases.create({ ...alias, rev: 1 })
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
    } finally {
      keys.forgetAlias(alias)
    }
  }
}

export const handler = async (): Promise<{ readonly deleted: number }> => ({
  deleted: await deleteDueKeys((await environment()).services),
})
