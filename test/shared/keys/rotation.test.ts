import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  dueRotations,
  dueTime,
  NEVER_ROTATED,
  nextPeriod,
  planAfter,
  putOff,
  type RotationPlan,
  withAutomatic,
  withOnDemand,
} from '../../../shared/keys/rotation.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const NOW = Date.UTC(2026, 10, 24)
const ARN = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const plan = (differs: Partial<RotationPlan> = {}): RotationPlan => ({
  automatic: null,
  onDemandSince: null,
  onDemandCount: 0,
  ...differs,
})
const times = fc.integer({ min: 0, max: 10_000 * DAY }).map((after) => NOW + after)
const plans = fc.record({
  automatic: fc.option(
    fc.record({ periodDays: fc.integer({ min: 90, max: 2560 }), nextDate: times }),
  ),
  onDemandSince: fc.option(times),
  onDemandCount: fc.nat(25),
})

test('A key without rotation is never looked at', () => {
  expect(dueTime(NEVER_ROTATED)).toBeNull()
  expect(dueRotations(NEVER_ROTATED, Number.MAX_SAFE_INTEGER)).toEqual([])
})

test('What is due is due since the time for which the plan is looked at, and not before', () => {
  fc.assert(
    fc.property(plans, (given) => {
      const due = dueTime(given)
      fc.pre(due !== null)
      expect(dueRotations(given, due - 1)).toEqual([])
      expect(dueRotations(given, due)[0]?.date).toBe(due)
    }),
  )
})

test('Rotations that are due come in the order of their dates', () => {
  const both = plan({
    automatic: { periodDays: 90, nextDate: NOW },
    onDemandSince: NOW - 3 * MINUTE,
  })
  expect(dueRotations(both, NOW)).toEqual([
    { type: 'ON_DEMAND', date: NOW - MINUTE },
    { type: 'AUTOMATIC', date: NOW },
  ])
})

test('Once all that is due has happened, nothing is due', () => {
  fc.assert(
    fc.property(plans, times, (given, now) => {
      let left: RotationPlan = given
      for (let due = dueRotations(left, now)[0]; due; due = dueRotations(left, now)[0]) {
        left = planAfter(left, due)
      }
      expect(dueTime(left) ?? Number.MAX_SAFE_INTEGER).toBeGreaterThan(now)
      expect(left.onDemandCount).toBe(given.onDemandCount)
    }),
  )
})

test('An automatic rotation plans the next one a period later; one on demand plans none', () => {
  const both = plan({ automatic: { periodDays: 90, nextDate: NOW }, onDemandSince: NOW })
  const after = planAfter(both, { type: 'AUTOMATIC', date: NOW })
  expect(after).toEqual({ ...both, automatic: { periodDays: 90, nextDate: NOW + 90 * DAY } })
  expect(planAfter(both, { type: 'ON_DEMAND', date: NOW })).toEqual({
    ...both,
    onDemandSince: null,
  })
  expect(planAfter(plan(), { type: 'AUTOMATIC', date: NOW })).toEqual(plan())
})

test('What cannot happen is put off the longer the longer it is overdue, and for ten minutes at least', () => {
  const automatic = { periodDays: 90, nextDate: NOW }
  expect(putOff(plan({ automatic }), NOW, NOW)).toBe(NOW + 10 * MINUTE)
  expect(putOff(plan({ automatic }), NOW, NOW + 3 * DAY)).toBe(NOW + 6 * DAY)
})

test('An on-demand rotation is not put off with an automatic one that cannot happen', () => {
  const automatic = { periodDays: 90, nextDate: NOW - DAY }
  expect(putOff(plan({ automatic, onDemandSince: NOW }), NOW - DAY, NOW)).toBe(NOW + 2 * MINUTE)
})

test.for([
  [undefined, 100, null],
  [100, 100, null],
  [90, 100, 90],
  [undefined, null, 365],
  [90, null, 90],
] as const)('Asked for a period of %s with one of %s, a key gets %s', ([asked, has, gets]) => {
  const given = plan({ automatic: has === null ? null : { periodDays: has, nextDate: 1 } })
  const expected = gets === null ? null : { ...given, automatic: nextPeriod(gets, NOW) }
  expect(withAutomatic(given, asked, NOW)).toEqual(expected)
})

test('An on-demand rotation that is in progress is not asked for twice, whatever the limit', () => {
  expect(withOnDemand(plan({ onDemandSince: 1, onDemandCount: 25 }), ARN, NOW)).toBeNull()
  expect(withOnDemand(plan({ onDemandCount: 24 }), ARN, NOW)).toEqual(
    plan({ onDemandSince: NOW, onDemandCount: 25 }),
  )
})

test.for([
  [plan({ onDemandCount: 25 }), 'LimitExceededException'],
  [plan({ automatic: { periodDays: 90, nextDate: NOW + 20 * MINUTE } }), 'ConflictException'],
  [plan({ automatic: { periodDays: 90, nextDate: NOW - DAY } }), 'ConflictException'],
] as const)('An on-demand rotation is refused: %o', ([given, code]) => {
  expect(() => withOnDemand(given, ARN, NOW)).toThrow(expect.objectContaining({ code }))
})

test('An automatic rotation that is more than 20 minutes away is in nobody’s way', () => {
  const automatic = { periodDays: 90, nextDate: NOW + 20 * MINUTE + 1 }
  expect(withOnDemand(plan({ automatic }), ARN, NOW)).not.toBeNull()
})
