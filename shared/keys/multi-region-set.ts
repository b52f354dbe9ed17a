/** Changes of a set of multi-Region keys: who is the primary, who is a replica, who is about to be one. */
import { keyArn, type Region } from '../ids.ts'
import type { RelatedKeysRecord, ReplicaClaim } from '../store/records.ts'
import { ConditionFailed, type KeyName } from '../store/repositories.ts'
import { keyMissing } from './keys.ts'
import { type MultiRegionServices, regionsOf } from './multi-region.ts'

const MAX_ATTEMPTS = 8

/**
 * Changes a set of multi-Region keys by one conditional write, tried again from a fresh read when
 * somebody else was faster.
 * @param change - gives the changed set; `null` when nothing is to be changed
 * @returns the set as it is then
 * @throws JsonError NotFoundException when there is none; what `change` throws
 * @throws ConditionFailed when others were faster again and again
 */
export async function changeSet(
  of: KeyName,
  { store, keys }: Pick<MultiRegionServices, 'store' | 'keys'>,
  change: (set: RelatedKeysRecord) => RelatedKeysRecord | null | Promise<RelatedKeysRecord | null>,
): Promise<RelatedKeysRecord> {
  for (let attempt = 1; ; attempt++) {
    const present = await store.relatedKeys.get(of.account, of.keyId)
    if (present === null) throw keyMissing(keyArn(of.region, of.account, of.keyId))
    const changed = await change(present)
    if (changed === null) return present
    const next = { ...changed, rev: present.rev + 1 }
    try {
      await store.relatedKeys.put(next, present.rev)
      return next
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
    } finally {
      for (const region of regionsOf(present)) keys.forget({ ...of, region })
    }
  }
}

/** The claims of a set but those on a Region. */
export const otherClaims = (
  { replicating = [] }: RelatedKeysRecord,
  region: Region,
): readonly ReplicaClaim[] => replicating.filter((claim) => claim.region !== region)
