import { expect, test } from 'vitest'
import { AdjustableClock } from '../../shared/clock.ts'
import { givenClock } from '../support/audit-records.ts'

test('An adjustable clock runs beside its base until it is put elsewhere, and runs on from there', () => {
  const base = givenClock(1000)
  const clock = new AdjustableClock(base)
  expect(clock.now()).toBe(1000)
  clock.set(5000)
  expect([clock.now(), clock.offset]).toEqual([5000, 4000])
  base.time += 10
  expect(clock.now()).toBe(5010)
  clock.set(10)
  expect([clock.now(), clock.offset]).toEqual([10, -1000])
  clock.offset = 0
  expect(clock.now()).toBe(1010)
})
