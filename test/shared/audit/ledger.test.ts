import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { blockLines, verifyChain } from '../../../shared/audit/chain.ts'
import { Ledger, LedgerUnavailable, type Receipt } from '../../../shared/audit/ledger.ts'
import { recordLine } from '../../../shared/audit/record-line.ts'
import { ConditionFailed, StoreUnavailable } from '../../../shared/store/repositories.ts'
import {
  ACCOUNT,
  givenClock,
  givenRecord,
  NOON,
  OTHER_ACCOUNT,
  REGION,
} from '../../support/audit-records.ts'
import { givenLedger, type MemoryLedger } from '../../support/memory-ledger.ts'

const DAY = 24 * 60 * 60 * 1000

function given(options: Partial<ConstructorParameters<typeof Ledger>[0]> = {}) {
  const blocks = givenLedger()
  const clock = givenClock()
  const ledger = new Ledger({ blocks, clock, ...options })
  const append = (requestId = 'r') => ledger.append(ACCOUNT, REGION, givenRecord({ requestId }))
  return { blocks, clock, ledger, append }
}

/** The record that a receipt points to. */
function recordOf(blocks: MemoryLedger, receipt: Receipt): { requestID: string } {
  const block = blocks.stored.find(
    ({ shard, sequence, hash }) =>
      shard === receipt.shard &&
      sequence === receipt.sequence &&
      Buffer.from(hash).toString('hex') === receipt.hash,
  )
  if (block === undefined) throw new Error('The receipt points to no block.')
  return JSON.parse(blockLines(block)[receipt.index] ?? '')
}

test('an append resolves only after its block was put', async () => {
  const { blocks, append } = given()
  let release = (): void => {}
  blocks.beforePut = () => new Promise((resolve) => (release = resolve))
  let resolved = false
  const appended = append().then((receipt) => {
    resolved = true
    return receipt
  })
  await sleep(20)
  expect(resolved).toBe(false)
  release()
  const receipt = await appended
  expect(receipt).toMatchObject({ account: ACCOUNT, region: REGION, sequence: 1, index: 0 })
  expect(receipt.hash).toBe(Buffer.from(blocks.stored[0]?.hash ?? []).toString('hex'))
})

test('the receipt of every record leads to it', async () => {
  const { blocks, append } = given()
  blocks.beforePut = () => sleep(1)
  const receipts = await Promise.all(
    Array.from({ length: 50 }, async (_, at) => {
      await sleep(at % 5)
      return append(`r${at}`)
    }),
  )
  expect(receipts.map((receipt) => recordOf(blocks, receipt).requestID)).toEqual(
    receipts.map((_, at) => `r${at}`),
  )
})

test('records that come in one turn share a block', async () => {
  const { blocks, append } = given()
  await Promise.all([append(), append(), Promise.resolve().then(() => append())])
  expect(blocks.stored.map(({ count }) => count)).toEqual([3])
})

test('what comes while a block is being put goes into the next one together', async () => {
  const { blocks, append } = given()
  let putting = 0
  let mostAtOnce = 0
  blocks.beforePut = async () => {
    putting += 1
    mostAtOnce = Math.max(mostAtOnce, putting)
    await sleep(30)
    putting -= 1
  }
  const first = append()
  await sleep(10)
  await Promise.all([first, ...Array.from({ length: 99 }, () => append())])
  expect(blocks.stored.map(({ count }) => count)).toEqual([1, 99])
  expect(mostAtOnce).toBe(1)
  expect(verifyChain(blocks.stored)).toEqual([])
})

test('accounts and Regions have chains of their own and do not wait for each other', async () => {
  const { blocks, ledger, append } = given()
  blocks.beforePut = ({ account }) =>
    account === ACCOUNT ? new Promise<void>(() => {}) : Promise.resolve()
  append().catch(() => {})
  const receipt = await ledger.append(OTHER_ACCOUNT, REGION, givenRecord())
  expect(receipt).toMatchObject({ account: OTHER_ACCOUNT, sequence: 1 })
})

test('a block holds no more bytes than it may, and a larger record goes alone', async () => {
  const line = Buffer.byteLength(recordLine(givenRecord({ requestId: 'r' })))
  const { blocks, ledger, append } = given({ maxBlockBytes: 2 * line + 2 })
  const large = givenRecord({ requestParameters: { text: 'x'.repeat(3 * line) } })
  await Promise.all([append(), append(), append(), ledger.append(ACCOUNT, REGION, large), append()])
  expect(blocks.stored.map(({ count }) => count)).toEqual([2, 1, 1, 1])
  expect(verifyChain(blocks.stored)).toEqual([])
})

test('a chain goes on into the next day', async () => {
  const { blocks, clock, append } = given()
  await append()
  clock.time += DAY
  await append()
  expect(verifyChain(blocks.stored)).toEqual([])
  expect(await blocks.days(ACCOUNT, REGION)).toEqual(['2026-11-24', '2026-11-23'])
})

test('blocks are dated later and later even when the clock is set back', async () => {
  const { blocks, clock, append } = given()
  await append()
  clock.time -= DAY
  await append()
  expect(blocks.stored.map(({ writtenAt }) => writtenAt)).toEqual([NOON, NOON + 1])
  expect(new Set(blocks.stored.map(({ shard }) => shard)).size).toBe(1)
})

test.each([
  ['a refused condition', new ConditionFailed()],
  ['an unavailable store', new StoreUnavailable('No answer.')],
  ['an unexpected error', new TypeError('Unexpected.')],
])('%s refuses everyone who waits on the block, and a new shard begins', async (_, fault) => {
  const { blocks, append } = given({ shard: '00000000000000aa' })
  await append('before')
  blocks.beforePut = () => Promise.reject(fault)
  const refused = await Promise.allSettled([append('x'), append('y')])
  for (const outcome of refused) {
    expect(outcome.status).toBe('rejected')
    const { reason } = outcome as PromiseRejectedResult
    expect(reason).toBeInstanceOf(LedgerUnavailable)
    expect(reason.cause).toBe(fault)
  }
  blocks.beforePut = () => {}
  const after = await append('after')
  expect(after.sequence).toBe(1)
  expect(after.shard).toMatch(/^[0-9a-f]{16}$/)
  expect(after.shard).not.toBe('00000000000000aa')
  expect(verifyChain(blocks.stored)).toEqual([])
})

test('a put that throws at once refuses the append', async () => {
  const { blocks, append } = given()
  blocks.append = () => {
    throw new Error('At once.')
  }
  await expect(append()).rejects.toThrow(LedgerUnavailable)
})

test('what waits behind a block that was refused is written under the new shard', async () => {
  const { blocks, append } = given()
  let fail = (_: Error): void => {}
  blocks.beforePut = () => new Promise((_, reject) => (fail = reject))
  const first = append('first')
  await sleep(10)
  const second = append('second')
  blocks.beforePut = () => {}
  fail(new StoreUnavailable('No answer.'))
  await expect(first).rejects.toThrow(LedgerUnavailable)
  expect(recordOf(blocks, await second)).toMatchObject({ requestID: 'second' })
})

test('a put that takes too long refuses all who wait, and nothing follows it when it ends late', async () => {
  const { blocks, append } = given({ timeoutMs: 40 })
  let release = (): void => {}
  blocks.beforePut = () => new Promise((resolve) => (release = resolve))
  const first = append('first')
  await sleep(10)
  const second = append('second')
  await expect(first).rejects.toMatchObject({ cause: { name: 'TimedOut' } })
  await expect(second).rejects.toThrow(LedgerUnavailable)
  blocks.beforePut = () => {}
  await append('third')
  release()
  await sleep(1)
  await append('fourth')
  expect(blocks.stored).toHaveLength(3)
  expect(verifyChain(blocks.stored)).toEqual([])
})

test('a put whose answer was lost leaves its block as the end of its chain', async () => {
  const { blocks, append } = given()
  blocks.afterPut = () => Promise.reject(new StoreUnavailable('The answer was lost.'))
  await expect(append('lost')).rejects.toThrow(LedgerUnavailable)
  blocks.afterPut = () => {}
  await append('after')
  expect(blocks.stored.map(({ sequence }) => sequence)).toEqual([1, 1])
  expect(verifyChain(blocks.stored)).toEqual([])
})

test('too much waiting is refused at once, and what waited is written', async () => {
  const { blocks, append } = given({ maxBlockBytes: 1000 })
  let release = (): void => {}
  blocks.beforePut = () => new Promise((resolve) => (release = resolve))
  const first = append()
  await sleep(10)
  const appended = Array.from({ length: 40 }, () => append())
  const outcomes = Promise.allSettled(appended)
  await expect(appended.at(-1)).rejects.toThrow('Too many records wait to be written.')
  blocks.beforePut = () => {}
  release()
  await first
  const written = (await outcomes).filter(({ status }) => status === 'fulfilled')
  expect(written.length).toBeGreaterThan(10)
  expect(blocks.stored.reduce((sum, { count }) => sum + count, 0)).toBe(written.length + 1)
})

test('flush waits for everything, and does not fail with what fails', async () => {
  const { blocks, ledger, append } = given()
  blocks.beforePut = () => sleep(5)
  const appended = [append(), append()]
  await ledger.flush()
  expect(blocks.stored.flatMap(blockLines)).toHaveLength(2)
  await Promise.all(appended)
  blocks.beforePut = () => Promise.reject(new StoreUnavailable('No answer.'))
  const failing = append()
  failing.catch(() => {})
  await ledger.flush()
  await expect(failing).rejects.toThrow(LedgerUnavailable)
})

test('whatever fails, what was acknowledged is there once, in chains that hold', async () => {
  const fault = fc.constantFrom('none', 'none', 'none', 'before', 'after', 'hang')
  await fc.assert(
    fc.asyncProperty(fc.array(fault, { maxLength: 8 }), fc.nat(40), async (faults, count) => {
      const { blocks, append } = given({ timeoutMs: 10, maxBlockBytes: 4000 })
      const left = [...faults]
      let lose = false
      blocks.beforePut = async () => {
        const next = left.shift() ?? 'none'
        lose = next === 'after'
        if (next === 'before') throw new ConditionFailed()
        if (next === 'hang') await sleep(15)
      }
      blocks.afterPut = () => {
        if (lose) throw new StoreUnavailable('The answer was lost.')
      }
      const outcomes = await Promise.allSettled(
        Array.from({ length: count }, async (_, at) => {
          if (at % 7 === 0) await sleep(1)
          return append(`r${at}`)
        }),
      )
      await sleep(faults.includes('hang') ? 20 : 0)
      const lines = blocks.stored.flatMap(blockLines).map((line) => JSON.parse(line).requestID)
      for (const [at, outcome] of outcomes.entries()) {
        if (outcome.status === 'rejected') continue
        expect(recordOf(blocks, outcome.value).requestID).toBe(`r${at}`)
      }
      expect(new Set(lines).size).toBe(lines.length)
      expect(verifyChain(blocks.stored)).toEqual([])
    }),
    { numRuns: 40 },
  )
})
