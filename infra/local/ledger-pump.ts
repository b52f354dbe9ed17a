/**
 * What the stream of the ledger's table does when deployed: it brings new blocks to the relay, in
 * order, until the relay took them, and goes on after a restart where it stood.
 *
 * Several shards write at once, and a block becomes visible somewhat after the time that it bears. So
 * a block is brought only when it has settled: when everything that could come before it is there.
 * Batches are cut at the borders of fixed slices of time, so a batch that is brought again after a
 * crash is the same batch, and what is made of it has the same name.
 */
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import { type Clock, systemClock } from '../../shared/clock.ts'
import type { AccountId, Region } from '../../shared/ids.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import { ledgerCursor, ledgerDay } from '../../shared/store/ledger-cursor.ts'
import { ledgerBlockToImage } from '../../shared/store/ledger-image.ts'
import type { LedgerBlockRecord } from '../../shared/store/records.ts'
import type { LedgerRepository, Store } from '../../shared/store/repositories.ts'

export interface LedgerPumpOptions {
  readonly store: Pick<Store, 'ledger' | 'tenants'>
  readonly regions: readonly Region[]
  relay(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse>
  /** Between looks at a ledger that has new blocks; a quiet one is looked at less often. */
  readonly intervalMs?: number
  /** How long after its time a block may become visible: longer than the store tries to write. */
  readonly settleMs?: number
  readonly clock?: Clock
}

export interface LedgerPump {
  /** Brings everything that is there, settled or not. For when nobody writes. */
  drain(): Promise<void>
  /** Drains and stops; what could not be brought is brought after the next start. Nobody may write any more. */
  close(): Promise<void>
  /** Stops after the batch that is under way; the rest is not brought. */
  abandon(): Promise<void>
}

const INTERVAL_MS = 2000
const SETTLE_MS = 8000
const QUIET_FACTOR = 5
const SLICE_MS = 5000
const BATCH_BLOCKS = 100
const TENANTS_MS = 10_000

/** Starts bringing the blocks of all tenants to the relay. */
export function startLedgerPump(options: LedgerPumpOptions): LedgerPump {
  const pump = new Pump(options)
  pump.start()
  return pump
}

class Pump implements LedgerPump {
  readonly #options: Required<LedgerPumpOptions>
  readonly #ledgers = new Map<string, PumpedLedger>()
  #tenantsReadAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #round: Promise<void> = Promise.resolve()
  #closed = false
  #abandoned = false

  constructor(options: LedgerPumpOptions) {
    this.#options = {
      ...options,
      intervalMs: options.intervalMs ?? INTERVAL_MS,
      settleMs: options.settleMs ?? SETTLE_MS,
      clock: options.clock ?? systemClock,
    }
  }

  start(): void {
    if (this.#closed) return
    this.#timer = setTimeout(() => {
      this.#inTurn(() => this.#settledRound())
        .catch((error: unknown) => logFailure('LedgerPump', '', error))
        .finally(() => this.start())
    }, this.#options.intervalMs)
    this.#timer.unref()
  }

  drain(): Promise<void> {
    return this.#inTurn(async () => {
      this.#tenantsReadAt = Number.NEGATIVE_INFINITY
      await this.#findLedgers()
      await bringAll([...this.#ledgers.values()])
    })
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.drain()
  }

  async abandon(): Promise<void> {
    this.#closed = true
    this.#abandoned = true
    clearTimeout(this.#timer)
    await this.#round
  }

  /** Rounds never overlap. */
  #inTurn(round: () => Promise<void>): Promise<void> {
    const done = this.#round.then(round)
    this.#round = done.catch(() => {})
    return done
  }

  async #settledRound(): Promise<void> {
    await this.#findLedgers()
    const now = this.#options.clock.now()
    const horizon = Math.floor((now - this.#options.settleMs) / SLICE_MS) * SLICE_MS
    for (const ledger of this.#ledgers.values()) {
      if (this.#closed) return
      await this.#bringDue(ledger, now, horizon)
    }
  }

  /** One ledger's failure is not the others'. */
  async #bringDue(ledger: PumpedLedger, now: number, horizon: number): Promise<void> {
    if (ledger.dueAt > now) return
    const { intervalMs } = this.#options
    try {
      const brought = await ledger.bring(horizon)
      ledger.dueAt = now + (brought ? 0 : intervalMs * QUIET_FACTOR)
    } catch (error) {
      ledger.dueAt = now + intervalMs * QUIET_FACTOR
      logFailure('LedgerPump', '', error)
    }
  }

  async #findLedgers(): Promise<void> {
    const { store, regions, relay, clock } = this.#options
    if (clock.now() - this.#tenantsReadAt < TENANTS_MS) return
    for (const { account } of await store.tenants.list()) {
      for (const region of regions) {
        const name = `${account}#${region}`
        if (this.#ledgers.has(name)) continue
        const isAbandoned = () => this.#abandoned
        this.#ledgers.set(name, new PumpedLedger(store.ledger, account, region, relay, isAbandoned))
      }
    }
    this.#tenantsReadAt = clock.now()
  }
}

/** One ledger's failure keeps none of the others back. @throws Error the first failure, at the end */
async function bringAll(ledgers: readonly PumpedLedger[]): Promise<void> {
  const failures: unknown[] = []
  for (const ledger of ledgers) {
    await ledger.bring(Number.POSITIVE_INFINITY).catch((error: unknown) => failures.push(error))
  }
  if (failures.length > 0) throw failures[0]
}

interface Position {
  readonly day: string
  readonly after: string | null
}

/** One account's ledger in one Region, and how far it was brought. */
class PumpedLedger {
  dueAt = Number.NEGATIVE_INFINITY
  readonly #ledger: LedgerRepository
  readonly #account: AccountId
  readonly #region: Region
  readonly #relay: LedgerPumpOptions['relay']
  readonly #isAbandoned: () => boolean
  #position: Position | null = null

  constructor(
    ledger: LedgerRepository,
    account: AccountId,
    region: Region,
    relay: LedgerPumpOptions['relay'],
    isAbandoned: () => boolean,
  ) {
    this.#ledger = ledger
    this.#account = account
    this.#region = region
    this.#relay = relay
    this.#isAbandoned = isAbandoned
  }

  /**
   * Brings what was written before the horizon.
   * @returns whether there was anything
   * @throws Error when the relay did not take it; it will be brought again
   */
  async bring(horizon: number): Promise<boolean> {
    const [account, region] = [this.#account, this.#region]
    this.#position ??= await this.#ledger.relayPosition(account, region)
    this.#position ??= await this.#dayAfter('', horizon)
    let brought = false
    while (this.#position !== null) {
      const { day, after } = this.#position
      const options = { newestFirst: false, limit: BATCH_BLOCKS, after }
      const page = await this.#ledger.blocks(account, region, day, options)
      for (const batch of batchesOf(page.items, page.next !== null, horizon)) {
        if (this.#isAbandoned()) return brought
        await this.#bringBatch(batch)
        brought = true
      }
      if (page.next !== null && (page.items.at(-1)?.writtenAt ?? 0) < horizon) continue
      const next: Position | null = await this.#dayAfter(day, horizon)
      if (next === null) break
      this.#position = next
    }
    return brought
  }

  async #bringBatch(blocks: readonly LedgerBlockRecord[]): Promise<void> {
    const { batchItemFailures } = await this.#relay({ Records: blocks.map(streamRecord) })
    if (batchItemFailures.length > 0) throw new Error('The relay did not take a batch of blocks.')
    const last = blocks.at(-1)
    if (last === undefined) return
    const position = { day: ledgerDay(last.writtenAt), after: ledgerCursor(last) }
    await this.#ledger.putRelayPosition(this.#account, this.#region, position)
    this.#position = position
  }

  /** The next day that has blocks, once no block can be added to the day before any more. */
  async #dayAfter(day: string, horizon: number): Promise<Position | null> {
    const last = Number.isFinite(horizon) ? ledgerDay(horizon) : '9999-12-31'
    if (day >= last) return null
    const days = await this.#ledger.days(this.#account, this.#region)
    const next = days.findLast((each) => each > day && each <= last)
    return next === undefined ? null : { day: next, after: null }
  }
}

/**
 * Blocks by slices of time. A slice that the page may have cut is left for the next page, which then
 * begins with it, unless the page is all of that slice.
 */
function batchesOf(
  blocks: readonly LedgerBlockRecord[],
  more: boolean,
  horizon: number,
): readonly (readonly LedgerBlockRecord[])[] {
  const settled = blocks.filter(({ writtenAt }) => writtenAt < horizon)
  const slices = [...Map.groupBy(settled, ({ writtenAt }) => Math.floor(writtenAt / SLICE_MS))]
  const cut = more && settled.length === blocks.length && slices.length > 1
  return slices.slice(0, cut ? -1 : undefined).map(([, slice]) => slice)
}

/** DynamoDB Developer Guide, "Change data capture for DynamoDB Streams". */
const streamRecord = (block: LedgerBlockRecord): DynamoDBRecord => ({
  eventName: 'INSERT',
  eventSource: 'aws:dynamodb',
  eventVersion: '1.1',
  dynamodb: {
    NewImage: ledgerBlockToImage(block),
    SequenceNumber: ledgerCursor(block),
    StreamViewType: 'NEW_IMAGE',
  },
})
