/**
 * When a key rotates: automatically, period by period, and on demand (AWS KMS Developer Guide,
 * "Rotate AWS KMS keys"). What lies here is the plan; `key-rotation.ts` carries it out.
 */
import { JsonError } from '../errors.ts'
import type { KeyRecord, MaterialRotation, RotationRecord } from '../store/records.ts'
import { ConditionFailed, type RotationRepository } from '../store/repositories.ts'
import { requireState, type StateRule } from './key-states.ts'
import type { FoundKey, Keys } from './keys.ts'
import { isReplica } from './multi-region.ts'

const MINUTE_MS = 60 * 1000
const DAY_MS = 24 * 60 * MINUTE_MS
export const DEFAULT_PERIOD_DAYS = 365
/** AWS KMS API reference, "RotateKeyOnDemand": no more than that for a key, ever. */
const MAX_ON_DEMAND = 25
/** How long after the request an on-demand rotation ends. */
const ON_DEMAND_MS = 2 * MINUTE_MS
/** An automatic rotation that is this near is let happen first (API reference, "ConflictException"). */
const CONFLICT_MS = 20 * MINUTE_MS
/** Between looks at a rotation that is due and cannot happen. */
const SHORTEST_WAIT_MS = 10 * MINUTE_MS
const MAX_ATTEMPTS = 8

/** The rotation of a key that has no row yet. */
export const NEVER_ROTATED: RotationRecord = {
  automatic: null,
  onDemandSince: null,
  onDemandCount: 0,
  dueAt: null,
  rev: 0,
}

/** What a rotation row says beside when it is looked at. */
export type RotationPlan = Pick<RotationRecord, 'automatic' | 'onDemandSince' | 'onDemandCount'>

export interface RotationServices {
  readonly keys: Keys
  readonly store: { readonly rotations: RotationRepository }
}

/** Whether keys of this kind have material that can be replaced: symmetric ones for encryption. */
export const isRotatable = ({ keySpec }: Pick<KeyRecord, 'keySpec'>): boolean =>
  keySpec === 'SYMMETRIC_DEFAULT'

/** @throws JsonError UnsupportedOperationException, without a message, for a key of another spec */
export function requireRotatable({ key }: FoundKey): void {
  if (!isRotatable(key)) throw new JsonError('UnsupportedOperationException')
}

/**
 * @param operation - `EnableKeyRotation`
 * @throws JsonError UnsupportedOperationException for a replica, whose rotation is its primary's
 */
export function requireNoReplica({ bundle, arn }: FoundKey, operation: string): void {
  if (!isReplica(bundle)) return
  throw new JsonError(
    'UnsupportedOperationException',
    `${arn} is a multi-region replica key which is not valid for ${operation}.`,
  )
}

/** @throws JsonError UnsupportedOperationException for a key whose material is imported */
export function requireGenerated({ key, arn }: FoundKey): void {
  if (key.origin === 'AWS_KMS') return
  throw new JsonError(
    'UnsupportedOperationException',
    `${arn} origin is ${key.origin} which is not valid for this operation.`,
  )
}

/** When an on-demand rotation ends that was asked for at that time; both in milliseconds since the epoch. */
export const onDemandEnd = (since: number): number => since + ON_DEMAND_MS

/** @returns when the rotation is to be looked at; `null`: never */
export function dueTime({ automatic, onDemandSince }: RotationPlan): number | null {
  const times = [
    ...(automatic === null ? [] : [automatic.nextDate]),
    ...(onDemandSince === null ? [] : [onDemandEnd(onDemandSince)]),
  ]
  return times.length === 0 ? null : Math.min(...times)
}

/**
 * When a rotation that is overdue and cannot happen is looked at again: when it is overdue twice as
 * long. So a key that is disabled for years costs next to nothing and is never forgotten.
 */
export function putOff(plan: RotationPlan, overdueSince: number, now: number): number {
  const again = now + Math.max(SHORTEST_WAIT_MS, now - overdueSince)
  const { onDemandSince } = plan
  return onDemandSince === null ? again : Math.min(again, onDemandEnd(onDemandSince))
}

/** The plan with automatic rotation; a schedule that has the period already stays as it is. */
export function withAutomatic(
  plan: RotationPlan,
  periodDays: number | undefined,
  now: number,
): RotationPlan | null {
  const { automatic } = plan
  if (automatic !== null && (periodDays ?? automatic.periodDays) === automatic.periodDays) {
    return null
  }
  return { ...plan, automatic: nextPeriod(periodDays ?? DEFAULT_PERIOD_DAYS, now) }
}

/** @param from - milliseconds since the epoch */
export const nextPeriod = (
  periodDays: number,
  from: number,
): NonNullable<RotationPlan['automatic']> => ({ periodDays, nextDate: from + periodDays * DAY_MS })

/**
 * The plan with an on-demand rotation from now on; one that is under way is not asked for twice.
 * @throws JsonError LimitExceededException or ConflictException
 */
export function withOnDemand(plan: RotationPlan, arn: string, now: number): RotationPlan | null {
  if (plan.onDemandSince !== null) return null
  if (plan.onDemandCount >= MAX_ON_DEMAND) throw tooManyOnDemand(arn)
  if (plan.automatic !== null && plan.automatic.nextDate - now <= CONFLICT_MS) {
    throw new JsonError(
      'ConflictException',
      `An automatic rotation of ${arn} is in progress or begins within the next 20 minutes.`,
    )
  }
  return { ...plan, onDemandSince: now, onDemandCount: plan.onDemandCount + 1 }
}

const tooManyOnDemand = (arn: string): JsonError =>
  new JsonError(
    'LimitExceededException',
    `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${arn}`,
  )

/**
 * Changes when a key rotates: one conditional write, tried again from a fresh read when somebody else
 * was faster.
 * @param found - as read from the store; of a set, its primary
 * @param change - gives the new plan, `null` when nothing is to be changed
 * @throws JsonError NotFoundException when the key is gone by now, or the state's error
 */
export async function changeRotation(
  found: FoundKey,
  rule: StateRule,
  change: (plan: RotationRecord, present: FoundKey) => RotationPlan | null,
  services: RotationServices,
): Promise<void> {
  for (let present = found, attempt = 1; ; attempt++) {
    requireState(present.state, present.arn, rule)
    const stored = present.bundle.rotation
    const changed = change(stored ?? NEVER_ROTATED, present)
    if (changed === null) return
    try {
      return await putRotation(present.key, stored, changed, dueTime(changed), services)
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
      present = await services.keys.reread(found)
    }
  }
}

/** @throws ConditionFailed when the stored row is another by now */
export async function putRotation(
  key: KeyRecord,
  stored: RotationRecord | null,
  { automatic, onDemandSince, onDemandCount }: RotationPlan,
  dueAt: number | null,
  { keys, store }: RotationServices,
): Promise<void> {
  const rev = (stored ?? NEVER_ROTATED).rev + 1
  const next = { automatic, onDemandSince, onDemandCount, dueAt, rev }
  try {
    await store.rotations.put(key, next, stored?.rev ?? null)
  } finally {
    keys.forget(key)
  }
}

/** A rotation that is to happen, as the material that comes by it will show it. */
export type DueRotation = MaterialRotation

/** What is due by `now`, automatic rotations first when both are since the same moment. */
export function dueRotations(plan: RotationPlan, now: number): readonly DueRotation[] {
  const { automatic, onDemandSince } = plan
  const planned: DueRotation[] = [
    ...(automatic === null ? [] : [{ type: 'AUTOMATIC', date: automatic.nextDate } as const]),
    ...(onDemandSince === null
      ? []
      : [{ type: 'ON_DEMAND', date: onDemandEnd(onDemandSince) } as const]),
  ]
  return planned.filter(({ date }) => date <= now).sort((one, other) => one.date - other.date)
}

/** The plan once a rotation has happened. An on-demand one moves no automatic date. */
export function planAfter(plan: RotationPlan, { type, date }: DueRotation): RotationPlan {
  const { automatic } = plan
  if (type === 'ON_DEMAND') return { ...plan, onDemandSince: null }
  return automatic === null ? plan : { ...plan, automatic: nextPeriod(automatic.periodDays, date) }
}
