import { describe, expect, test } from 'vitest'
import { ReadCache } from '../../shared/cache.ts'

const givenCache = (maxAgeMs: number, maxEntries = 10) => {
  const time = { now: 1_000 }
  const cache = new ReadCache<string | null>({
    maxEntries,
    maxAgeMs,
    clock: { now: () => time.now },
  })
  const reads: string[] = []
  const read = (key: string, value: string | null = key) =>
    cache.get(key, async () => {
      reads.push(key)
      return value
    })
  return { cache, time, reads, read }
}

describe('a read cache', () => {
  test('gives a value from memory until it is as old as allowed', async () => {
    const { time, reads, read } = givenCache(5_000)
    expect(await read('a', 'old')).toBe('old')
    time.now += 4_999
    expect(await read('a', 'new')).toBe('old')
    time.now += 1
    expect(await read('a', 'new')).toBe('new')
    expect(reads).toEqual(['a', 'a'])
  })

  test('counts age from the start of the read, not from its end', async () => {
    const { cache, time, read } = givenCache(5_000)
    const slow = Promise.withResolvers<string>()
    const first = cache.get('a', () => slow.promise)
    time.now += 4_000
    slow.resolve('old')
    expect(await first).toBe('old')
    time.now += 1_000
    expect(await read('a', 'new')).toBe('new')
  })

  test('remembers that a thing does not exist', async () => {
    const { reads, read } = givenCache(5_000)
    expect(await read('a', null)).toBeNull()
    expect(await read('a', 'new')).toBeNull()
    expect(reads).toHaveLength(1)
  })

  test('reads every time when the allowed age is 0, also for callers at the same moment', async () => {
    const { reads, read } = givenCache(0)
    const both = [read('a', 'first'), read('a', 'second')]
    expect(await Promise.all(both)).toEqual(['first', 'second'])
    expect(reads).toHaveLength(2)
  })

  test('lets callers at the same moment share one read', async () => {
    const { reads, read } = givenCache(5_000)
    expect(await Promise.all([read('a'), read('a'), read('b')])).toEqual(['a', 'a', 'b'])
    expect(reads).toEqual(['a', 'b'])
  })

  test('does not share a read that began longer ago than the allowed age', async () => {
    const { cache, time, read } = givenCache(5_000)
    const stuck = Promise.withResolvers<string>()
    const first = cache.get('a', () => stuck.promise)
    time.now += 5_000
    expect(await read('a', 'new')).toBe('new')
    stuck.resolve('old')
    expect(await first).toBe('old')
    expect(await read('a', 'newest')).toBe('new')
  })

  test('reads anew after a change in this process', async () => {
    const { cache, read } = givenCache(5_000)
    await read('a', 'old')
    cache.forget('a')
    expect(await read('a', 'new')).toBe('new')
  })

  test('is not filled by a read that was under way when a change was made', async () => {
    const { cache, read } = givenCache(5_000)
    const stale = Promise.withResolvers<string>()
    const before = cache.get('a', () => stale.promise)
    cache.forget('a')
    const after = read('a', 'new')
    stale.resolve('old')
    expect(await before).toBe('old')
    expect(await after).toBe('new')
    expect(await read('a', 'newer')).toBe('new')
  })

  test('does not keep a failure', async () => {
    const { cache, read } = givenCache(5_000)
    await expect(cache.get('a', () => Promise.reject(new Error('down')))).rejects.toThrow('down')
    expect(await read('a')).toBe('a')
  })

  test('holds no more entries than allowed', async () => {
    const { reads, read } = givenCache(5_000, 2)
    for (const key of ['a', 'b', 'c', 'a']) await read(key)
    expect(reads).toEqual(['a', 'b', 'c', 'a'])
  })

  test('reads anew when the clock was set back', async () => {
    const { time, read } = givenCache(5_000)
    await read('a', 'old')
    time.now -= 10_000
    expect(await read('a', 'new')).toBe('new')
  })
})
