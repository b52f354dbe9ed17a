/**
 * Rotates keys whose time has come, automatically or on demand. Run by a schedule; every run does
 * some of what is due, a run that was cut short harms nothing, and two at once do one another's work.
 */
import { setTimeout } from 'node:timers/promises'
import { recordServiceEvent } from '../../shared/audit/service-event.ts'
import { keyArn } from '../../shared/ids.ts'
import {
  postpone,
  prepareRotation,
  type Rotation,
  rotateIfDue,
} from '../../shared/keys/key-rotation.ts'
import { environment } from '../../shared/lambda/environment.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import { readSeconds } from '../../shared/lambda/seconds.ts'
import type { Services } from '../../shared/pipeline/operation.ts'
import type { KeyName } from '../../shared/store/repositories.ts'

const KEYS_PER_RUN = 100

/**
 * @param settleMs - for how long another environment may go on reading what it has of a key: between
 *   the writing of new material and its first use, so that whoever is given what was encrypted under
 *   it can open it
 * @returns how many rotations there were
 */
export async function rotateDueKeys(services: Services, settleMs = 0): Promise<number> {
  const due = await services.store.rotations.due(services.clock.now(), KEYS_PER_RUN)
  let isNew = false
  for (const name of due) {
    if (await attempt(name, services, () => prepareRotation(name, services))) isNew = true
  }
  if (isNew && settleMs > 0) await setTimeout(settleMs)
  let rotated = 0
  for (const name of due) {
    const tell = (rotation: Rotation): Promise<void> => tellOf(rotation, services)
    rotated += (await attempt(name, services, () => rotateIfDue(name, tell, services))) ?? 0
  }
  return rotated
}

/** One key's failure is not the others': it is put off, so that it does not come first every time. */
async function attempt<Result>(
  name: KeyName,
  services: Services,
  work: () => Promise<Result>,
): Promise<Result | null> {
  try {
    return await work()
  } catch (error) {
    logFailure('RotateKey', name.keyId, error)
    await postpone(name, services).catch((failure: unknown) =>
      logFailure('RotateKey', name.keyId, failure),
    )
    return null
  }
}

/** As CloudTrail shows it (AWS KMS Developer Guide, "RotateKey", "SynchronizeMultiRegionKey"). */
async function tellOf(
  { key, type, previous, current, hasReplicas }: Rotation,
  services: Services,
): Promise<void> {
  await recordServiceEvent(services, {
    eventName: 'RotateKey',
    key,
    occurrence: current,
    details: {
      rotationType: type,
      keyOrigin: key.origin,
      previousKeyMaterialId: previous,
      currentKeyMaterialId: current,
      keyId: key.keyId,
    },
  })
  if (!hasReplicas) return
  await recordServiceEvent(services, {
    eventName: 'SynchronizeMultiRegionKey',
    key,
    occurrence: current,
    responseElements: { keyId: keyArn(key.region, key.account, key.keyId) },
  })
}

export const handler = async (): Promise<{ readonly rotated: number }> => ({
  rotated: await rotateDueKeys(
    (await environment()).services,
    readSeconds(process.env, 'KEYHOLD_SETTLE_SECONDS', 0),
  ),
})
