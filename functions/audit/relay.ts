/**
 * The relay: passes the blocks of the ledger, as the stream of its table brings them, on to the
 * audit bus. What the bus did not take is not confirmed, so the stream brings it again. On the way it
 * keeps when each key was last used, which costs the calls themselves nothing.
 */
import { setTimeout } from 'node:timers/promises'
import type { EventBridge, PutEventsResultEntry } from '@aws-sdk/client-eventbridge'
import type { DynamoDBBatchResponse, DynamoDBRecord, DynamoDBStreamEvent } from 'aws-lambda'
import {
  AUDIT_DETAIL_TYPE,
  AUDIT_SOURCE,
  type BusEntry,
  callsOf,
  packBlocks,
} from '../../shared/audit/bus-entries.ts'
import { lastUses } from '../../shared/audit/last-uses.ts'
import { logFailure } from '../../shared/lambda/log.ts'
import { ledgerBlockFromImage } from '../../shared/store/ledger-image.ts'
import type { LedgerBlockRecord } from '../../shared/store/records.ts'
import type { KeyUsageRepository } from '../../shared/store/repositories.ts'

const ATTEMPTS = 4
const PAUSE_MS = 100
const USES_AT_ONCE = 16

interface Batch {
  readonly blocks: readonly LedgerBlockRecord[]
  /** For each block, the index of its record in the event. */
  readonly indexes: readonly number[]
  /** Of the first record that cannot be read; nothing after it is relayed before it is. */
  readonly unreadable: number | null
}

/**
 * @returns where the stream is to go on, as "Reporting batch item failures" (Lambda Developer Guide)
 *   asks: empty when everything was taken
 */
export async function handler(event: DynamoDBStreamEvent): Promise<DynamoDBBatchResponse> {
  const batch = readBatch(event.Records)
  const [refused] = await Promise.all([relay(packBlocks(batch.blocks)), keepUses(batch.blocks)])
  const failed = refused === null ? batch.unreadable : batch.indexes[refused]
  if (failed === null || failed === undefined) return { batchItemFailures: [] }
  const itemIdentifier = event.Records[failed]?.dynamodb?.SequenceNumber ?? ''
  return { batchItemFailures: [{ itemIdentifier }] }
}

function readBatch(records: readonly DynamoDBRecord[]): Batch {
  const blocks: LedgerBlockRecord[] = []
  const indexes: number[] = []
  for (const [index, { eventName, dynamodb }] of records.entries()) {
    if (eventName !== 'INSERT' || dynamodb?.NewImage === undefined) continue
    try {
      const block = ledgerBlockFromImage(dynamodb.NewImage)
      if (block === null) continue
      blocks.push(block)
      indexes.push(index)
    } catch (error) {
      logFailure('AuditRelay', dynamodb.SequenceNumber ?? '', error)
      return { blocks, indexes, unreadable: index }
    }
  }
  return { blocks, indexes, unreadable: null }
}

/** The trail is what matters: a use that cannot be kept holds nothing back, and the next one is kept. */
async function keepUses(blocks: readonly LedgerBlockRecord[]): Promise<void> {
  try {
    const uses = lastUses(blocks)
    if (uses.length === 0) return
    const keyUsage = await usageRepository()
    for (let at = 0; at < uses.length; at += USES_AT_ONCE) {
      const some = uses.slice(at, at + USES_AT_ONCE)
      await Promise.all(some.map(({ key, usage }) => keyUsage.put(key, usage)))
    }
  } catch (error) {
    logFailure('AuditRelay', '', error)
  }
}

/** @returns the first block that the bus did not take, `null` when it took all */
async function relay(entries: readonly BusEntry[]): Promise<number | null> {
  if (entries.length === 0) return null
  const bus = await eventBus()
  for (const call of callsOf(entries)) {
    const refused = await putEntries(bus, call)
    if (refused.length > 0) return Math.min(...refused.map(({ from }) => from))
  }
  return null
}

/** Puts the entries, and again those that were refused. @returns those that still were at the end */
async function putEntries(
  bus: EventBridge,
  entries: readonly BusEntry[],
): Promise<readonly BusEntry[]> {
  let left = entries
  for (let attempt = 1; ; attempt++) {
    const results = await putOnce(bus, left)
    left = left.filter((_, at) => results[at]?.EventId === undefined)
    if (left.length === 0) return left
    if (attempt === ATTEMPTS) {
      const reasons = results.map(({ ErrorCode }) => ErrorCode).filter(Boolean)
      logFailure('AuditRelay', '', new Error(`The bus refused entries: ${reasons.join(', ')}.`))
      return left
    }
    await setTimeout(PAUSE_MS * 2 ** (attempt - 1))
  }
}

/** One result for each entry; none when the call as a whole failed. */
async function putOnce(
  bus: EventBridge,
  entries: readonly BusEntry[],
): Promise<readonly PutEventsResultEntry[]> {
  const { KEYHOLD_AUDIT_BUS: EventBusName } = process.env
  const request = entries.map(({ detail, time }) => ({
    Source: AUDIT_SOURCE,
    DetailType: AUDIT_DETAIL_TYPE,
    Detail: detail,
    Time: new Date(time),
    ...(EventBusName === undefined ? {} : { EventBusName }),
  }))
  try {
    return (await bus.putEvents({ Entries: request })).Entries ?? []
  } catch (error) {
    logFailure('AuditRelay', '', error)
    return []
  }
}

let shared: { readonly endpoint: string | undefined; readonly bus: Promise<EventBridge> } | null =
  null

/** The client, made at the first block, and anew when the endpoint is another. */
function eventBus(): Promise<EventBridge> {
  const endpoint = process.env.KEYHOLD_EVENTBRIDGE_ENDPOINT
  if (shared === null || shared.endpoint !== endpoint) {
    shared = { endpoint, bus: openEventBus(endpoint) }
  }
  return shared.bus
}

/** An endpoint that was given is the local bus, which checks no signature. */
async function openEventBus(endpoint: string | undefined): Promise<EventBridge> {
  const { EventBridge } = await import('@aws-sdk/client-eventbridge')
  if (endpoint === undefined) return new EventBridge({})
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' }
  return new EventBridge({ endpoint, credentials, region: process.env.AWS_REGION ?? 'us-east-1' })
}

let opened: {
  readonly endpoint: string | undefined
  readonly keyUsage: KeyUsageRepository
} | null = null

/** Of the store, opened at the first use, and anew when the endpoint is another. */
async function usageRepository(): Promise<KeyUsageRepository> {
  const endpoint = process.env.KEYHOLD_DYNAMODB_ENDPOINT
  if (opened === null || opened.endpoint !== endpoint) {
    const { openStore } = await import('../../shared/store/store.ts')
    opened = { endpoint, keyUsage: openStore().keyUsage }
  }
  return opened.keyUsage
}
