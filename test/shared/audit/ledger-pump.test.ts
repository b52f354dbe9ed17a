import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { handler as archive } from '../../../functions/audit/archive.ts'
import { handler as relay } from '../../../functions/audit/relay.ts'
import { startEventBus } from '../../../infra/local/event-bus.ts'
import { type LedgerPump, startLedgerPump } from '../../../infra/local/ledger-pump.ts'
import type { AUDIT_DETAIL_TYPE } from '../../../shared/audit/bus-entries.ts'
import { blockLines } from '../../../shared/audit/chain.ts'
import { Ledger } from '../../../shared/audit/ledger.ts'
import { systemClock } from '../../../shared/clock.ts'
import type { AccountId } from '../../../shared/ids.ts'
import { ledgerBlockFromImage } from '../../../shared/store/ledger-image.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import type { LedgerRepository } from '../../../shared/store/repositories.ts'
import { freshTenant } from '../../../shared/tenants/principal.ts'
import {
  ACCOUNT,
  givenBlock,
  givenClock,
  givenRecord,
  NOON,
  OTHER_ACCOUNT,
  REGION,
} from '../../support/audit-records.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'
import { givenLedger } from '../../support/memory-ledger.ts'
import { givenTenants } from '../../support/memory-tenants.ts'

process.env.KEYHOLD_LOG_LEVEL = 'silent'

const SETTLE_MS = 8000
const SLICE_MS = 5000
const DAY = 24 * 60 * 60 * 1000

const pumps: LedgerPump[] = []
afterEach(async () => {
  for (const pump of pumps.splice(0)) await pump.close().catch(() => {})
})

async function givenTenantsOf(...accounts: AccountId[]) {
  const tenants = givenTenants()
  for (const account of accounts) {
    await tenants.create(freshTenant({ account, name: account, createdAt: NOON }))
  }
  return tenants
}

/** A pump whose relay keeps the batches that it takes. */
async function given(ledger: LedgerRepository = givenLedger()) {
  const batches: LedgerBlockRecord[][] = []
  const fault = { on: false }
  const clock = givenClock()
  const tenants = await givenTenantsOf(ACCOUNT, OTHER_ACCOUNT)
  const start = (): LedgerPump => {
    const pump = startLedgerPump({
      store: { ledger, tenants },
      regions: [REGION],
      clock,
      intervalMs: 2,
      async relay({ Records }: DynamoDBStreamEvent) {
        if (fault.on) return { batchItemFailures: [{ itemIdentifier: '1' }] }
        batches.push(
          Records.map(({ dynamodb }) => ledgerBlockFromImage(dynamodb?.NewImage ?? {})).filter(
            (block) => block !== null,
          ),
        )
        return { batchItemFailures: [] }
      },
    })
    pumps.push(pump)
    return pump
  }
  /** Lets rounds pass at a time; each step is more than a quiet ledger waits. */
  const passTo = async (time: number): Promise<void> => {
    clock.time = time
    for (let round = 0; round < 6; round++) {
      await sleep(5)
      clock.time += 11
    }
  }
  const names = () => batches.flat().map(nameOf)
  return { ledger, batches, fault, clock, start, passTo, names }
}

const nameOf = (block: LedgerBlockRecord): string =>
  JSON.parse(blockLines(block)[0] ?? '').requestID

const block = (name: string, time: number, differs: Partial<LedgerBlockRecord> = {}) =>
  givenBlock([givenRecord({ requestId: name })], { writtenAt: time, ...differs })

test('blocks are brought once they have settled, in order, and only once', async () => {
  const { ledger, start, passTo, names } = await given()
  await ledger.append(block('1', NOON))
  await ledger.append(block('2', NOON + 1, { sequence: 2 }))
  start()
  await passTo(NOON + SETTLE_MS)
  expect(names()).toEqual([])
  await passTo(NOON + SETTLE_MS + SLICE_MS)
  expect(names()).toEqual(['1', '2'])
  await ledger.append(block('3', NOON + SLICE_MS, { sequence: 3 }))
  await passTo(NOON + SETTLE_MS + 2 * SLICE_MS)
  expect(names()).toEqual(['1', '2', '3'])
})

test('a block that becomes visible after a later one of another shard is not lost', async () => {
  const { ledger, start, passTo, names } = await given()
  start()
  await ledger.append(block('later', NOON + 20, { shard: 'b' }))
  await passTo(NOON + 3000)
  await ledger.append(block('earlier', NOON + 10, { shard: 'a' }))
  await passTo(NOON + SETTLE_MS + SLICE_MS)
  expect(names()).toEqual(['earlier', 'later'])
})

test('all tenants and all days are brought', async () => {
  const { ledger, start, passTo, names } = await given()
  await ledger.append(block('1', NOON))
  await ledger.append(block('2', NOON + 3 * DAY, { sequence: 2 }))
  await ledger.append(block('other', NOON + DAY, { account: OTHER_ACCOUNT }))
  start()
  await passTo(NOON + 4 * DAY)
  expect(names().toSorted()).toEqual(['1', '2', 'other'])
})

test('what the relay does not take is brought again, and nothing after it before', async () => {
  const { ledger, fault, start, passTo, names } = await given()
  await ledger.append(block('1', NOON))
  await ledger.append(block('2', NOON + SLICE_MS, { sequence: 2 }))
  fault.on = true
  start()
  await passTo(NOON + SETTLE_MS + 2 * SLICE_MS)
  expect(names()).toEqual([])
  fault.on = false
  await passTo(NOON + SETTLE_MS + 3 * SLICE_MS)
  expect(names()).toEqual(['1', '2'])
})

test('a pump that starts again goes on where the one before stood', async () => {
  const { ledger, start, passTo, names } = await given()
  await ledger.append(block('1', NOON))
  await start().close()
  expect(names()).toEqual(['1'])
  await ledger.append(block('2', NOON + DAY, { sequence: 2 }))
  start()
  await passTo(NOON + DAY + SETTLE_MS + SLICE_MS)
  expect(names()).toEqual(['1', '2'])
})

test('closing brings what has not settled, and then nothing more', async () => {
  const { ledger, start, passTo, names } = await given()
  const pump = start()
  await ledger.append(block('1', NOON))
  await pump.close()
  expect(names()).toEqual(['1'])
  await ledger.append(block('2', NOON + 1, { sequence: 2 }))
  await passTo(NOON + DAY)
  expect(names()).toEqual(['1'])
})

test("closing reports a relay that does not take it, and still brings other tenants' blocks", async () => {
  const ledger = givenLedger()
  const brought: string[] = []
  await ledger.append(block('refused', NOON))
  await ledger.append(block('other', NOON, { account: OTHER_ACCOUNT }))
  const pump = startLedgerPump({
    store: { ledger, tenants: await givenTenantsOf(ACCOUNT, OTHER_ACCOUNT) },
    regions: [REGION],
    async relay({ Records }) {
      const taken = ledgerBlockFromImage(Records[0]?.dynamodb?.NewImage ?? {})
      if (taken?.account === ACCOUNT) return { batchItemFailures: [{ itemIdentifier: '1' }] }
      brought.push(nameOf(taken as LedgerBlockRecord))
      return { batchItemFailures: [] }
    },
  })
  await expect(pump.close()).rejects.toThrow('The relay did not take a batch of blocks.')
  expect(brought).toEqual(['other'])
})

test('a quiet ledger is looked at less often', async () => {
  const ledger = givenLedger()
  let looks = 0
  const { start, clock } = await given({
    ...ledger,
    days: (account, region) => {
      looks += 1
      return ledger.days(account, region)
    },
  })
  start()
  for (let round = 0; round < 20; round++) {
    await sleep(4)
    clock.time += 1
  }
  // Two ledgers in 20 ms of the clock, each looked at every five intervals of 2 ms.
  expect(looks).toBeGreaterThan(0)
  expect(looks).toBeLessThanOrEqual(6)
})

test('a batch that is brought again after a crash is the same batch', async () => {
  // Slices of some forty blocks, so that pages of a hundred end within one.
  const gap = fc.oneof(
    { weight: 40, arbitrary: fc.nat(20) },
    { weight: 1, arbitrary: fc.nat(9000) },
  )
  const gaps = fc.array(gap, { minLength: 1, maxLength: 400, size: 'max' })
  await fc.assert(
    fc.asyncProperty(gaps, fc.nat(12), async (steps, crashAfter) => {
      let time = NOON
      const blocks = steps.map((step, at) => {
        time += step + 1
        return { ...block(`${at}`, NOON), writtenAt: time, sequence: at + 1 }
      })
      const batchesUntil = async (crash: number): Promise<string[]> => {
        const ledger = givenLedger()
        ledger.stored.push(...blocks)
        const taken: string[] = []
        const putPosition = ledger.putRelayPosition
        let left = crash
        ledger.putRelayPosition = async (...position) => {
          if (left-- === 0) throw new Error('Crashed before the position was kept.')
          await putPosition(...position)
        }
        const tenants = await givenTenantsOf(ACCOUNT)
        for (let run = 0; run < 2; run++) {
          const pump = startLedgerPump({
            store: { ledger, tenants },
            regions: [REGION],
            intervalMs: 1_000_000,
            async relay({ Records }) {
              taken.push(Records.map(({ dynamodb }) => dynamodb?.SequenceNumber).join())
              return { batchItemFailures: [] }
            },
          })
          await pump.close().catch(() => {})
        }
        return taken
      }
      const undisturbed = await batchesUntil(-1)
      const crashed = await batchesUntil(crashAfter)
      expect([...new Set(crashed)]).toEqual(undisturbed)
    }),
    { numRuns: 30 },
  )
})

let dynamoDb: GivenDynamoDb
let directory: string
beforeAll(async () => {
  dynamoDb = await givenDynamoDb()
  directory = await mkdtemp(join(tmpdir(), 'keyhold-pump-'))
})
afterAll(async () => {
  await dynamoDb.close()
  await rm(directory, { recursive: true, force: true })
})

/** The request ids of all records in the archive. */
async function archived(): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const records = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const { Records } = JSON.parse(gunzipSync(await readFile(join(parentPath, name))).toString())
      return Records as { requestID: string }[]
    }),
  )
  return records.flat().map(({ requestID }) => requestID)
}

test('what two processes append reaches the archive, each record once', async () => {
  const { store } = dynamoDb
  process.env.KEYHOLD_AUDIT_ARCHIVE = `file:${directory}`
  const bus = await startEventBus({
    rules: [
      {
        name: 'archive',
        pattern: { source: ['keyhold'] },
        target: (event) =>
          archive(event as typeof event & { 'detail-type': typeof AUDIT_DETAIL_TYPE }),
      },
    ],
  })
  process.env.KEYHOLD_EVENTBRIDGE_ENDPOINT = bus.endpoint
  const pump = startLedgerPump({
    store: { ledger: store.ledger, tenants: await givenTenantsOf(ACCOUNT, OTHER_ACCOUNT) },
    regions: [REGION],
    relay,
    intervalMs: 20,
    settleMs: 0,
  })
  pumps.push(pump)
  const ledgers = [0, 1].map(() => new Ledger({ blocks: store.ledger, clock: systemClock }))
  const names = Array.from({ length: 400 }, (_, at) => `${at}`)
  await Promise.all(
    names.map(async (requestId, at) => {
      await sleep(at)
      const account = at % 3 === 0 ? OTHER_ACCOUNT : ACCOUNT
      await ledgers[at % 2]?.append(account, REGION, givenRecord({ requestId }))
    }),
  )
  await pump.close()
  await bus.close()
  expect((await archived()).toSorted()).toEqual(names.toSorted())
})
