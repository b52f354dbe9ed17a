import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type DueWork, LocalClock, TooFar } from '../../../infra/local/local-clock.ts'
import { StartProblem } from '../../../infra/local/start-problem.ts'

const DAY = 86_400_000

let dataDir = ''

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'keyhold-clock-'))
})

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true })
})

/** Work that is due at these times, and what the clock said when it was done. */
function givenWork(clock: LocalClock, times: readonly number[], repeatMs: number | null = null) {
  const due = times.toSorted((a, b) => a - b)
  const doneAt: number[] = []
  const work: DueWork = {
    nextDue: async () => due[0] ?? null,
    async run() {
      const now = clock.now()
      let count = 0
      while (due[0] !== undefined && due[0] <= now) {
        const time = due.shift() as number
        doneAt.push(time)
        if (repeatMs !== null) due.push(time + repeatMs)
        count += 1
      }
      return [
        { handler: 'due', result: { done: count } },
        { handler: 'idle', result: { done: 0 } },
      ]
    },
  }
  return { work, doneAt }
}

describe('Moving on', () => {
  test('does what becomes due on the way, in its order and at its time', async () => {
    const clock = await LocalClock.open(dataDir)
    const start = clock.now()
    const { work, doneAt } = givenWork(clock, [start + 3 * DAY, start + DAY, start + 9 * DAY])
    const done = await clock.moveTo(start + 5 * DAY, work)
    expect(doneAt).toEqual([start + DAY, start + 3 * DAY])
    expect(done.map(({ handler, result }) => [handler, result])).toEqual([
      ['due', { done: 1 }],
      ['due', { done: 1 }],
    ])
    for (const [index, { at }] of done.entries()) {
      expect(Math.abs(at - (doneAt[index] ?? 0))).toBeLessThan(1000)
    }
    expect(Math.abs(clock.now() - (start + 5 * DAY))).toBeLessThan(1000)
  })

  test('does what comes back as often as it comes back', async () => {
    const clock = await LocalClock.open(dataDir)
    const start = clock.now()
    const { work, doneAt } = givenWork(clock, [start + 90 * DAY], 90 * DAY)
    await clock.moveTo(start + 365 * DAY, work)
    expect(doneAt).toHaveLength(4)
  })

  test('passes what nobody can do', async () => {
    const clock = await LocalClock.open(dataDir)
    const overdue = clock.now() - DAY
    const work: DueWork = {
      nextDue: async () => overdue,
      run: async () => [{ handler: 'broken', result: { done: 0 } }],
    }
    expect(await clock.moveTo(overdue + 9 * DAY, work)).toEqual([])
    expect(Math.abs(clock.now() - overdue - 9 * DAY)).toBeLessThan(1000)
  })

  test('ends where there is too much to do', async () => {
    const clock = await LocalClock.open(dataDir)
    const start = clock.now()
    let due = start
    const work: DueWork = {
      async nextDue() {
        due += 1000
        return due
      },
      run: async () => [{ handler: 'busy', result: { done: 1 } }],
    }
    await expect(clock.moveTo(start + 365 * DAY, work)).rejects.toThrow(TooFar)
    expect(clock.now()).toBeLessThan(start + DAY)
  })
})

test('Moving back does nothing else', async () => {
  const clock = await LocalClock.open(dataDir)
  const start = clock.now()
  const { work, doneAt } = givenWork(clock, [start - 2 * DAY])
  expect(await clock.moveTo(start - DAY, work)).toEqual([])
  expect(doneAt).toEqual([])
  expect(Math.abs(clock.now() - (start - DAY))).toBeLessThan(1000)
})

test('What it is ahead by is kept, and is gone after a reset', async () => {
  const clock = await LocalClock.open(dataDir)
  const { work } = givenWork(clock, [])
  await clock.moveTo(clock.now() + DAY, work, DAY)
  expect((await LocalClock.open(dataDir)).offset).toBe(DAY)
  await clock.reset()
  expect([clock.offset, (await LocalClock.open(dataDir)).offset]).toEqual([0, 0])
})

test('A file that cannot be read is a problem with a name', async () => {
  await writeFile(join(dataDir, 'clock'), 'noon')
  await expect(LocalClock.open(dataDir)).rejects.toThrow(StartProblem)
})
