import { setTimeout } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inParallel } from '../../../cli/transfer/in-parallel.ts'

test('All is done, in order, and never more at once than asked for', async () => {
  let [now, most] = [0, 0]
  const results = await inParallel([30, 1, 20, 5, 1, 1], 3, async (pause, index) => {
    now += 1
    most = Math.max(most, now)
    await setTimeout(pause)
    now -= 1
    return index
  })
  expect(results).toEqual([0, 1, 2, 3, 4, 5])
  expect(most).toBe(3)
  expect(await inParallel([], 3, async () => 1)).toEqual([])
})

test('After a failure nothing is begun, and what was begun has ended', async () => {
  const [begun, ended]: [number[], number[]] = [[], []]
  const attempt = inParallel([1, 2, 3, 4, 5, 6], 2, async (thing) => {
    begun.push(thing)
    await setTimeout(thing * 5)
    if (thing === 1) throw new Error('the first')
    ended.push(thing)
  })
  await expect(attempt).rejects.toThrow('the first')
  expect(begun).toEqual([1, 2])
  expect(ended).toEqual([2])
})
