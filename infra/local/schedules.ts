/** The schedules of the deployment, kept by timers (EventBridge User Guide, "Rate expressions"). */
import type { FunctionEntry } from './functions.ts'

export interface Schedule {
  /** `functions/schedule/delete-due-keys.handler` */
  readonly handler: string
  readonly everyMs: number
}

const RATE = /^rate\(([1-9][0-9]*) (minute|hour|day)s?\)$/
const MINUTE = 60_000
const UNITS = { minute: MINUTE, hour: 60 * MINUTE, day: 24 * 60 * MINUTE } as const

/**
 * @returns every schedule of every function
 * @throws Error when a schedule is not a rate
 */
export const schedulesOf = (functions: readonly FunctionEntry[]): readonly Schedule[] =>
  functions.flatMap(({ handler, events }) =>
    events.flatMap(({ schedule }) => {
      if (schedule === undefined) return []
      const rates = typeof schedule === 'string' ? schedule : schedule.rate
      return [rates].flat().map((rate) => ({ handler, everyMs: parseRate(rate) }))
    }),
  )

/** @returns milliseconds, e.g. 300,000 for `rate(5 minutes)` */
export function parseRate(text: string): number {
  const [, count, unit] = RATE.exec(text) ?? []
  if (count === undefined) throw new Error(`'${text}' is not a rate, such as rate(5 minutes).`)
  return Number(count) * UNITS[unit as keyof typeof UNITS]
}

/**
 * Runs each at its rate, never twice at a time. A run that fails is logged and the next one comes.
 * @param run - calls the handler
 * @returns how to end them; it waits for a run that is under way
 */
export function startSchedules(
  schedules: readonly Schedule[],
  run: (schedule: Schedule) => Promise<unknown>,
): { close(): Promise<void> } {
  const running = new Map<Schedule, Promise<void>>()
  const runOnce = (schedule: Schedule): void => {
    if (running.has(schedule)) return
    const ended = run(schedule)
      .catch((error: unknown) => console.error(`${schedule.handler} failed:`, error))
      .then(() => void running.delete(schedule))
    running.set(schedule, ended)
  }
  const timers = schedules.map((schedule) => setInterval(runOnce, schedule.everyMs, schedule))
  for (const timer of timers) timer.unref()
  return {
    async close() {
      for (const timer of timers) clearInterval(timer)
      await Promise.all(running.values())
    },
  }
}
