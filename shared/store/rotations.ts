/** Rotations, last uses and sets of related keys: what lies beside the keys themselves. */
import type { AccountId, KeyId } from '../ids.ts'
import { integer } from './attribute-values.ts'
import { dueItems } from './due.ts'
import type {
  KeyUsageRepository,
  RelatedKeysRepository,
  RotationRepository,
} from './repositories.ts'
import { ConditionFailed } from './repositories.ts'
import {
  DUE_FOR_ROTATION,
  encodeRelated,
  encodeRotation,
  encodeUsage,
  parseRelated,
  parseRotation,
  relatedPlace,
  rotationPlace,
  usagePlace,
} from './rotation-rows.ts'
import { keyOf, nobodyChangedSince, nothingIsThere, requireNextRev, type Table } from './table.ts'

const sinceRev = (rev: number | null) => (rev === null ? nothingIsThere : nobodyChangedSince(rev))

/** @param table - `keys` */
export const openRelatedKeys = (table: Table): RelatedKeysRepository => ({
  async get(account: AccountId, keyId: KeyId) {
    const item = await table.get(relatedPlace({ account, keyId }))
    return item && parseRelated(item)
  },
  async put(next, rev) {
    if (rev !== null) requireNextRev(next, rev)
    await table.put(relatedPlace(next), encodeRelated(next), sinceRev(rev))
  },
  async delete(related) {
    const place = relatedPlace(related)
    // First, since nobody would come back for it once the set is gone.
    await table.delete({ pk: place.pk, sk: 'rotation' })
    await table.delete(place, nobodyChangedSince(related.rev))
  },
})

/** @param table - `keys` */
export const openRotations = (table: Table): RotationRepository => ({
  async put(key, next, rev) {
    if (rev !== null) requireNextRev(next, rev)
    await table.put(rotationPlace(key), encodeRotation(key, next), sinceRev(rev))
  },
  async due(now, limit) {
    const items = await dueItems(table, DUE_FOR_ROTATION, now, limit)
    const found = await Promise.all(items.map((item) => table.get(keyOf(item))))
    return found
      .filter((item) => item !== null)
      .map(parseRotation)
      .filter(({ dueAt }) => dueAt !== null && dueAt <= now)
      .map(({ of }) => of)
  },
})

/** @param table - `keys` */
export const openKeyUsage = (table: Table): KeyUsageRepository => ({
  async put(key, usage) {
    const isNewer = {
      expression: 'attribute_not_exists(pk) OR #at < :at',
      values: { ':at': integer.encode(usage.at) as number },
      names: { '#at': 'at' },
    }
    try {
      await table.put(usagePlace(key), encodeUsage(key, usage), isNewer)
    } catch (error) {
      if (!(error instanceof ConditionFailed)) throw error
    }
  },
})
