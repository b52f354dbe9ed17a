/**
 * Removes the bytes of imported material whose time is over. Keys refuse to work with it from that
 * moment on, whether or not this ran; this makes sure that nobody can make them work again. Run by a
 * schedule; every run does some of what is due, and a run that was cut short harms nothing.
 */
import { recordServiceEvent } from '../../shared/audit/service-event.ts'
import { withoutBytes } from '../../shared/keys/delete-imported-material.ts'
import { environment } from '../../shared/lambda/environment.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import type { MaterialRecord } from '../../shared/store/records.ts'
import { ConditionFailed } from '../../shared/store/repositories.ts'

const MATERIALS_PER_RUN = 100

/** @returns how many materials were removed */
export async function expireImportedMaterial(services: Services): Promise<number> {
  let expired = 0
  for (const candidate of await services.store.keys.dueForExpiry(
    services.clock.now(),
    MATERIALS_PER_RUN,
  )) {
    try {
      if (await expireIfDue(candidate, services)) expired += 1
    } catch (error) {
      logFailure('DeleteExpiredKeyMaterial', candidate.keyId, error)
    }
  }
  return expired
}

/** The index may be behind the material: it may have been imported again with another date. */
async function expireIfDue(row: MaterialRecord, services: Services): Promise<boolean> {
  const validTo = row.imported?.validTo ?? null
  if (row.wrapped === null || validTo === null || validTo > services.clock.now()) return false
  try {
    await services.store.keys.putMaterial(withoutBytes(row), row.rev)
  } catch (error) {
    if (error instanceof ConditionFailed) return false
    throw error
  } finally {
    services.keys.forget(row)
    services.material.forget(row.account, row.region, row.keyId)
  }
  await tellOf(row, validTo, services)
  return true
}

/** As CloudTrail shows it (AWS KMS Developer Guide, "DeleteExpiredKeyMaterial"). */
const tellOf = (row: MaterialRecord, validTo: number, services: Services) =>
  recordServiceEvent(services, {
    eventName: 'DeleteExpiredKeyMaterial',
    key: row,
    occurrence: `${row.materialId} ${validTo}`,
    details: { keyId: row.keyId, keyMaterialId: row.materialId },
  })

export const handler = async (): Promise<{ readonly expired: number }> => ({
  expired: await expireImportedMaterial((await environment()).services),
})
