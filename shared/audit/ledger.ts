/**
 * The durable audit log: appending is finished when the record lies in the store. Records that come
 * while a block is being written wait and go into the next block together (group commit), so a
 * process that serves many calls at once pays for one write, not for many.
 */

import type { Clock } from '../clock.ts'
import { freshBytes } from '../crypto/random.ts'
import type { AccountId, Region } from '../ids.ts'
import type { LedgerBlockRecord } from '../store/records.ts'
import type { LedgerRepository } from '../store/repositories.ts'
import { blockHash, FIRST_PREVIOUS_HASH } from './chain.ts'
import type { AuditRecord } from './record.ts'
import { recordLine } from './record-line.ts'

/** The record is not known to be durable (`cause` says why); the call must not be answered. */
export class LedgerUnavailable extends Error {
  override readonly name = 'LedgerUnavailable'
}

/** Where a record lies, and the hash that proves it: the block's, as 64 hex digits. */
export interface Receipt {
  readonly account: AccountId
  readonly region: Region
  readonly shard: string
  readonly sequence: number
  /** Of the record within the block, from 0. */
  readonly index: number
  readonly hash: string
}

export interface LedgerOptions {
  readonly blocks: LedgerRepository
  readonly clock: Clock
  /** Name of this process's chains; default: random. No two processes may ever share one. */
  readonly shard?: string
  /** A DynamoDB item holds 400 KB (DynamoDB Developer Guide, "Quotas"). */
  readonly maxBlockBytes?: number
  /** How long a block may take to be written. */
  readonly timeoutMs?: number
}

const MAX_BLOCK_BYTES = 300 * 1024
const TIMEOUT_MS = 3000
/** What may wait behind the block being written, in full blocks, before more is refused. */
const MAX_WAITING_BLOCKS = 16
const SHARD_BYTES = 8

export class Ledger {
  readonly #options: Required<LedgerOptions>
  readonly #chains = new Map<string, Chain>()

  constructor(options: LedgerOptions) {
    this.#options = {
      ...options,
      shard: options.shard ?? newShard(),
      maxBlockBytes: options.maxBlockBytes ?? MAX_BLOCK_BYTES,
      timeoutMs: options.timeoutMs ?? TIMEOUT_MS,
    }
  }

  /**
   * Appends a record to an account's ledger in a Region.
   * @returns when it is durable
   * @throws LedgerUnavailable when it is not, or is not known to be
   */
  append(account: AccountId, region: Region, record: AuditRecord): Promise<Receipt> {
    const name = `${account}#${region}`
    let chain = this.#chains.get(name)
    if (chain === undefined) {
      chain = new Chain(account, region, this.#options)
      this.#chains.set(name, chain)
    }
    return chain.append(recordLine(record))
  }

  /** Waits until nothing waits any more. What fails is told to those who appended it. */
  async flush(): Promise<void> {
    await Promise.all([...this.#chains.values()].map((chain) => chain.idle()))
  }
}

interface Waiting {
  readonly line: string
  readonly bytes: number
  resolve(receipt: Receipt): void
  reject(error: LedgerUnavailable): void
}

class TimedOut extends Error {
  override readonly name = 'TimedOut'
}

/** One account's chain in one Region, with at most one block on its way. */
class Chain {
  readonly #account: AccountId
  readonly #region: Region
  readonly #options: Required<LedgerOptions>
  #shard: string
  #sequence = 0
  #previousHash = FIRST_PREVIOUS_HASH
  #writtenAt = 0
  #waiting: Waiting[] = []
  #waitingBytes = 0
  #writing: Promise<void> | null = null

  constructor(account: AccountId, region: Region, options: Required<LedgerOptions>) {
    this.#account = account
    this.#region = region
    this.#options = options
    this.#shard = options.shard
  }

  append(line: string): Promise<Receipt> {
    const bytes = Buffer.byteLength(line) + 1
    if (this.#waitingBytes + bytes > this.#options.maxBlockBytes * MAX_WAITING_BLOCKS) {
      return Promise.reject(new LedgerUnavailable('Too many records wait to be written.'))
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, bytes, resolve, reject })
      this.#waitingBytes += bytes
      this.#writing ??= this.#write()
    })
  }

  async idle(): Promise<void> {
    await this.#writing
  }

  async #write(): Promise<void> {
    await endOfTurn()
    while (this.#waiting.length > 0) await this.#writeBlock(this.#takeWaiting())
    this.#writing = null
  }

  /** As many as a block may hold, and at least one. */
  #takeWaiting(): readonly Waiting[] {
    let bytes = 0
    let count = 0
    for (const { bytes: more } of this.#waiting) {
      if (count > 0 && bytes + more > this.#options.maxBlockBytes) break
      bytes += more
      count += 1
    }
    this.#waitingBytes -= bytes
    return this.#waiting.splice(0, count)
  }

  async #writeBlock(group: readonly Waiting[]): Promise<void> {
    try {
      const block = this.#nextBlock(group)
      await within(this.#options.timeoutMs, this.#options.blocks.append(block))
      this.#sequence = block.sequence
      this.#previousHash = block.hash
      this.#writtenAt = block.writtenAt
      acknowledge(group, block)
    } catch (cause) {
      this.#fail(group, cause)
    }
  }

  #nextBlock(group: readonly Waiting[]): LedgerBlockRecord {
    const block = {
      account: this.#account,
      region: this.#region,
      shard: this.#shard,
      sequence: this.#sequence + 1,
      // Growing even when the clock is set back, so that the blocks of a chain sort by time.
      writtenAt: Math.max(this.#options.clock.now(), this.#writtenAt + 1),
      previousHash: this.#previousHash,
      count: group.length,
      records: Buffer.from(group.map(({ line }) => line).join('\n')),
    }
    return { ...block, hash: blockHash(block) }
  }

  /**
   * Whether the block got through is not known, so nothing may follow it: the chain ends there, and
   * a new one begins. After a time-out those who wait are refused too, for their write would hang
   * like this one and each would wait for all before it.
   */
  #fail(group: readonly Waiting[], cause: unknown): void {
    this.#shard = newShard()
    this.#sequence = 0
    this.#previousHash = FIRST_PREVIOUS_HASH
    const refused = cause instanceof TimedOut ? [...group, ...this.#waiting] : group
    if (cause instanceof TimedOut) {
      this.#waiting = []
      this.#waitingBytes = 0
    }
    const error = new LedgerUnavailable('The audit record could not be written.', { cause })
    for (const { reject } of refused) reject(error)
  }
}

const newShard = (): string => freshBytes(SHARD_BYTES).toString('hex')

/** Records of calls that were read from their sockets in one turn of the event loop share a block. */
const endOfTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

function acknowledge(group: readonly Waiting[], block: LedgerBlockRecord): void {
  const { account, region, shard, sequence } = block
  const hash = Buffer.from(block.hash).toString('hex')
  for (const [index, { resolve }] of group.entries()) {
    resolve({ account, region, shard, sequence, index, hash })
  }
}

/** @throws TimedOut when the promise takes longer; what becomes of it then is not heard */
async function within(timeoutMs: number, promise: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new TimedOut(`The write took longer than ${timeoutMs} ms.`)),
      timeoutMs,
    )
  })
  try {
    await Promise.race([promise, timeout])
  } finally {
    clearTimeout(timer)
  }
}
