/**
 * The clock of a local stack, which can be moved. On the way to a later time what becomes due happens
 * in its order: the clock stops at each date at which work is due and the schedules run there, so a
 * key that rotates every ninety days has rotated four times after a year. Moving back undoes nothing.
 * What it is ahead by is kept in the data directory.
 */
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AdjustableClock, type Clock } from '../../shared/clock.ts'
import { isMissing } from './reset.ts'
import { StartProblem } from './start-problem.ts'

/** What can become due, and what does it. */
export interface DueWork {
  /** Milliseconds since the epoch; `null` when nothing will ever be due. */
  nextDue(): Promise<number | null>
  /** Runs every schedule once. */
  run(): Promise<readonly ScheduleRun[]>
}

export interface ScheduleRun {
  /** `functions/schedule/delete-due-keys.handler` */
  readonly handler: string
  readonly result: unknown
}

/** A run that did something, and when. */
export interface DoneWork extends ScheduleRun {
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** There is more to do on the way than one move may do. */
export class TooFar extends Error {
  override readonly name = 'TooFar'
}

const MAX_STEPS = 10_000
const OWNER_ONLY = 0o600

export class LocalClock implements Clock {
  readonly #clock = new AdjustableClock()
  readonly #path: string

  private constructor(path: string) {
    this.#path = path
  }

  /** @throws StartProblem when the file that says how it was left cannot be read */
  static async open(dataDir: string): Promise<LocalClock> {
    const clock = new LocalClock(join(dataDir, 'clock'))
    clock.#clock.offset = await readOffset(clock.#path)
    return clock
  }

  now(): number {
    return this.#clock.now()
  }

  /** Milliseconds ahead of the real time. */
  get offset(): number {
    return this.#clock.offset
  }

  /** Back to the real time. */
  async reset(): Promise<void> {
    await this.#put(() => {
      this.#clock.offset = 0
    })
  }

  /**
   * @param target - milliseconds since the epoch
   * @param offset - milliseconds ahead of the real time that it is to be then; without it, what makes
   *   it the target when the work on the way has been done
   * @returns what was done on the way, in its order
   * @throws TooFar when there is too much to do; the clock then stands where the work ended
   */
  async moveTo(
    target: number,
    work: DueWork,
    offset: number | null = null,
  ): Promise<readonly DoneWork[]> {
    const done = target > this.now() ? await this.#stepTo(target, work) : []
    await this.#put(() => {
      if (offset === null) this.#clock.set(target)
      else this.#clock.offset = offset
    })
    return done
  }

  async #stepTo(target: number, work: DueWork): Promise<readonly DoneWork[]> {
    const done: DoneWork[] = []
    let before: number | null = null
    for (let step = 0; ; step++) {
      const due = await work.nextDue()
      if (due === null || due > target) return done
      if (step === MAX_STEPS) throw new TooFar(`More than ${MAX_STEPS} dates lie before that time.`)
      if (due > this.now()) await this.#put(() => this.#clock.set(due))
      const at = this.now()
      const runs = (await work.run()).filter(({ result }) => hasDone(result))
      done.push(...runs.map((run) => ({ at, ...run })))
      if (runs.length === 0 && due === before) return done // nobody can do what is due
      before = due
    }
  }

  async #put(change: () => void): Promise<void> {
    change()
    const temporary = `${this.#path}.new`
    await writeFile(temporary, `${this.#clock.offset}\n`, { mode: OWNER_ONLY })
    await rename(temporary, this.#path)
  }
}

/** Schedules answer with numbers of what they did. */
const hasDone = (result: unknown): boolean =>
  typeof result === 'object' &&
  result !== null &&
  Object.values(result).some((value) => typeof value === 'number' && value > 0)

async function readOffset(path: string): Promise<number> {
  try {
    const text = (await readFile(path, 'utf8')).trim()
    if (/^-?[0-9]{1,15}$/.test(text)) return Number(text)
  } catch (error) {
    if (isMissing(error)) return 0
  }
  throw new StartProblem(
    `The file ${path}, which says where the clock was, cannot be read: remove it.`,
  )
}
