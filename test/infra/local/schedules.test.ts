import { afterEach, expect, test, vi } from 'vitest'
import { readFunctions } from '../../../infra/local/functions.ts'
import { parseRate, schedulesOf, startSchedules } from '../../../infra/local/schedules.ts'

afterEach(() => {
  vi.useRealTimers()
})

test.each([
  ['rate(1 minute)', 60_000],
  ['rate(5 minutes)', 300_000],
  ['rate(2 hours)', 7_200_000],
  ['rate(1 day)', 86_400_000],
])('%s is %i milliseconds', (text, ms) => {
  expect(parseRate(text)).toBe(ms)
})

test.each(['rate(0 minutes)', 'rate(5 seconds)', 'cron(0 8 * * ? *)', 'rate(5 minutes', ''])(
  '%j is no rate',
  (text) => {
    expect(() => parseRate(text)).toThrow('is not a rate')
  },
)

test('The description has the deletion of due keys every five minutes', async () => {
  expect(schedulesOf(await readFunctions())).toContainEqual({
    handler: 'functions/schedule/delete-due-keys.handler',
    everyMs: 300_000,
  })
})

test('A run that takes longer than the rate is not joined by another, and the end waits for it', async () => {
  vi.useFakeTimers()
  const runs: (() => void)[] = []
  const run = () => new Promise<void>((resolve) => runs.push(resolve))
  const schedules = startSchedules([{ handler: 'slow', everyMs: 1000 }], run)
  vi.advanceTimersByTime(3500)
  expect(runs.length).toBe(1)
  runs[0]?.()
  await vi.advanceTimersByTimeAsync(1000)
  expect(runs.length).toBe(2)

  let closed = false
  const closing = schedules.close().then(() => {
    closed = true
  })
  await vi.advanceTimersByTimeAsync(5000)
  expect([runs.length, closed]).toEqual([2, false])
  runs[1]?.()
  await closing
  expect(closed).toBe(true)
})

test('A run that fails is told, and the next one comes', async () => {
  vi.useFakeTimers()
  const told = vi.spyOn(console, 'error').mockImplementation(() => {})
  let runs = 0
  const schedules = startSchedules([{ handler: 'failing', everyMs: 1000 }], async () => {
    runs += 1
    throw new Error('no')
  })
  await vi.advanceTimersByTimeAsync(2500)
  expect(runs).toBe(2)
  expect(told).toHaveBeenCalledWith('failing failed:', expect.any(Error))
  await schedules.close()
  told.mockRestore()
})
