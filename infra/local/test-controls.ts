/** What the endpoints for tests do to a running stack: one thing at a time. */
import { environment, renewEnvironment } from '../../shared/lambda/environment.ts'
import type { LocalAudit } from './audit.ts'
import { invoke, scheduledEvent } from './audit.ts'
import { addDuration, type Duration } from './duration.ts'
import type { LocalDynamoDb } from './dynamodb.ts'
import type { DoneWork, DueWork, LocalClock } from './local-clock.ts'
import { beginReset, endReset, type KeptCredentials, removeFiles } from './reset.ts'
import type { Schedule } from './schedules.ts'
import type { TestControls } from './test-endpoints.ts'
import type { Turnstile } from './turnstile.ts'

export interface ControlledParts {
  readonly dataDir: string
  readonly clock: LocalClock
  readonly turnstile: Turnstile
  readonly engine: LocalDynamoDb
  readonly audit: LocalAudit
  readonly schedules: readonly Schedule[]
  /** The same after a reset as before. */
  readonly credentials: KeptCredentials
  /** Makes the first tenant and what the seed names, anew. */
  begin(): Promise<unknown>
}

/** Milliseconds that calls under way get before a reset gives up. */
const PATIENCE = 10_000

export function testControls(parts: ControlledParts): TestControls {
  const { clock } = parts
  let last: Promise<unknown> = Promise.resolve()
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const done = last.then(work)
    last = done.catch(() => {})
    return done
  }
  const work = dueWork(parts.schedules)
  return {
    now: () => clock.now(),
    offset: () => clock.offset,
    moveTo: (time) => inTurn(() => clock.moveTo(time, work)),
    moveBy: (duration) => inTurn(() => moveBy(duration, clock, work)),
    resetClock: () => inTurn(() => clock.reset()),
    reset: () => inTurn(() => reset(parts)),
  }
}

function moveBy(
  duration: Duration,
  clock: LocalClock,
  work: DueWork,
): Promise<readonly DoneWork[]> {
  const now = clock.now()
  const target = addDuration(now, duration)
  return clock.moveTo(target, work, clock.offset + target - now)
}

const dueWork = (schedules: readonly Schedule[]): DueWork => ({
  async nextDue() {
    const { keys, tenants } = (await environment()).services.store
    const deletions = (await tenants.list()).map(({ deletionDate }) => deletionDate)
    const dates = [await keys.nextDue(), ...deletions].filter((date) => date !== null)
    return dates.length === 0 ? null : Math.min(...dates)
  },
  async run() {
    const runs = []
    for (const { handler } of schedules) {
      runs.push({ handler, result: await invoke(handler, scheduledEvent()) })
    }
    return runs
  },
})

/** New calls wait; those under way end first. */
const reset = (parts: ControlledParts): Promise<void> =>
  parts.turnstile.alone(PATIENCE, async () => {
    const { dataDir, engine, audit, clock } = parts
    await beginReset(dataDir, parts.credentials)
    await audit.startOver(async () => {
      await Promise.all([engine.clear(), removeFiles(dataDir), clock.reset()])
      await renewEnvironment()
      await parts.begin()
    })
    await endReset(dataDir)
  })
