import { expect, test } from 'vitest'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, walk, winners } from './contract.ts'
import { bytesOf, DAY_START, givenAccount, givenBlock, otherRegion, region } from './given.ts'

const DAY = '2026-11-23'
const DAY_MS = 86_400_000

export function ledgerContract(given: Given): void {
  const ledger = () => given.store().ledger

  test('a block is read back as it was written', async () => {
    const block = { ...givenBlock(givenAccount(), 1), records: bytesOf(300_000) }
    await ledger().append(block)
    const options = { newestFirst: false, limit: 10, after: null }
    const page = await ledger().blocks(block.account, region, DAY, options)
    expect(page).toEqual({ items: [block], next: null })
    const elsewhere = await ledger().blocks(block.account, otherRegion, DAY, options)
    expect(elsewhere.items).toEqual([])
  })

  test('a block is never overwritten, and of racing appends of one block one wins', async () => {
    const block = givenBlock(givenAccount(), 1)
    const attempts = Array.from({ length: 20 }, () => ledger().append(block))
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test.each([1, 2, 3, 10])('blocks come in the order of time in pages of %i', async (limit) => {
    const account = givenAccount()
    const made = [9, 10, 11, 100].map((sequence) => givenBlock(account, sequence))
    const other = { ...givenBlock(account, 1), shard: 'shard-b', writtenAt: DAY_START + 10 }
    for (const block of [...made, other]) await ledger().append(block)
    const read = (newestFirst: boolean) =>
      walk(limit, (after) => ledger().blocks(account, region, DAY, { newestFirst, limit, after }))
    const oldest = await read(false)
    expect(oldest.map(({ sequence }) => sequence)).toEqual([9, 10, 1, 11, 100])
    expect(await read(true)).toEqual(oldest.toReversed())
  })

  test('pages of blocks that are together larger than an answer lose none', async () => {
    const account = givenAccount()
    const made = Array.from({ length: 6 }, (_, at) => ({
      ...givenBlock(account, at + 1),
      records: bytesOf(300_000),
    }))
    for (const block of made) await ledger().append(block)
    const options = { newestFirst: false, limit: 6, after: null }
    expect(await ledger().blocks(account, region, DAY, options)).toEqual({
      items: made,
      next: null,
    })
  })

  test('days that have blocks come newest first', async () => {
    const account = givenAccount()
    for (const days of [0, 40, 1])
      await ledger().append({ ...givenBlock(account, 1), writtenAt: DAY_START + days * DAY_MS })
    expect(await ledger().days(account, region)).toEqual(['2027-01-02', '2026-11-24', DAY])
    expect(await ledger().days(givenAccount(), region)).toEqual([])
  })

  test('the position of the relay is kept, and is no day', async () => {
    const account = givenAccount()
    expect(await ledger().relayPosition(account, region)).toBeNull()
    await ledger().putRelayPosition(account, region, { day: DAY, after: null })
    expect(await ledger().relayPosition(account, region)).toEqual({ day: DAY, after: null })
    await ledger().putRelayPosition(account, region, { day: DAY, after: 'x' })
    expect(await ledger().relayPosition(account, region)).toEqual({ day: DAY, after: 'x' })
    expect(await ledger().days(account, region)).toEqual([])
  })
}
