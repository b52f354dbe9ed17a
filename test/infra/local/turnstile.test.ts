import { expect, test } from 'vitest'
import { StillInside, Turnstile } from '../../../infra/local/turnstile.ts'

const PATIENCE = 5000

function givenCall(log: string[], name: string) {
  const { promise, resolve } = Promise.withResolvers<void>()
  const call = async (): Promise<void> => {
    log.push(`${name} in`)
    await promise
    log.push(`${name} out`)
  }
  return { call, end: resolve }
}

const settled = () => new Promise((resolve) => setImmediate(resolve))

test('Calls go through side by side', async () => {
  const turnstile = new Turnstile()
  const log: string[] = []
  const [first, second] = [givenCall(log, 'first'), givenCall(log, 'second')]
  const both = Promise.all([turnstile.pass(first.call), turnstile.pass(second.call)])
  second.end()
  await settled()
  first.end()
  await both
  expect(log).toEqual(['first in', 'second in', 'second out', 'first out'])
})

test('Work that is to be alone waits for those inside and keeps the others out', async () => {
  const turnstile = new Turnstile()
  const log: string[] = []
  const [before, after] = [givenCall(log, 'before'), givenCall(log, 'after')]
  const passed = turnstile.pass(before.call)
  const alone = turnstile.alone(PATIENCE, async () => {
    log.push('alone')
    await settled()
    log.push('alone no more')
    return 7
  })
  const waiting = turnstile.pass(after.call)
  await settled()
  expect(log).toEqual(['before in'])
  before.end()
  after.end()
  expect(await alone).toBe(7)
  await Promise.all([passed, waiting])
  expect(log).toEqual([
    'before in',
    'before out',
    'alone',
    'alone no more',
    'after in',
    'after out',
  ])
})

test('A call that fails has ended like any other', async () => {
  const turnstile = new Turnstile()
  const failing = turnstile.pass(() => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  expect(await turnstile.alone(PATIENCE, async () => 'done')).toBe('done')
})

test('Who waits too long does not begin, and lets everybody in again', async () => {
  const turnstile = new Turnstile()
  const log: string[] = []
  const [stuck, next] = [givenCall(log, 'stuck'), givenCall(log, 'next')]
  const passed = turnstile.pass(stuck.call)
  const alone = turnstile.alone(1, async () => log.push('alone'))
  await expect(alone).rejects.toThrow(StillInside)
  next.end()
  await turnstile.pass(next.call)
  stuck.end()
  await passed
  expect(log).toEqual(['stuck in', 'next in', 'next out', 'stuck out'])
})

test('Two that are to be alone are so one after the other, and work that fails opens the way', async () => {
  const turnstile = new Turnstile()
  const log: string[] = []
  const alone = (name: string) =>
    turnstile.alone(PATIENCE, async () => {
      log.push(`${name} in`)
      await settled()
      log.push(`${name} out`)
      throw new Error(name)
    })
  const results = await Promise.allSettled([alone('first'), alone('second')])
  expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
  expect(log).toEqual(['first in', 'first out', 'second in', 'second out'])
})
