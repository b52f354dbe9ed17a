/** From the ledger to the archive, as when deployed: relay, bus, rules and their targets. */
import { randomUUID } from 'node:crypto'
import type { DynamoDBBatchResponse, DynamoDBStreamEvent } from 'aws-lambda'
import type { Region } from '../../shared/ids.ts'
import type { Store } from '../../shared/store/repositories.ts'
import { type Rule, startEventBus } from './event-bus.ts'
import { type FunctionEntry, importHandler } from './functions.ts'
import { startLedgerPump } from './ledger-pump.ts'

export interface LocalAudit {
  /** What is in the ledger by then reaches the archive first. */
  close(): Promise<void>
  /** Brings nothing while that work is done, and then only what is in the ledger afterwards. */
  startOver(work: () => Promise<void>): Promise<void>
}

/** Starts the bus with the rules of the deployment, and what brings the ledger's blocks to the relay. */
export async function startAudit(
  functions: readonly FunctionEntry[],
  openedStore: () => Promise<Pick<Store, 'ledger' | 'tenants'>>,
  regions: readonly Region[],
): Promise<LocalAudit> {
  const bus = await startEventBus({ rules: rulesOf(functions) })
  process.env.KEYHOLD_EVENTBRIDGE_ENDPOINT = bus.endpoint
  const relay = relayOf(functions)
  const start = async () => startLedgerPump({ store: await openedStore(), regions, relay })
  let pump = await start()
  return {
    async close() {
      await pump.close()
      await bus.close()
    },
    async startOver(work) {
      await pump.abandon()
      try {
        await work()
      } finally {
        pump = await start()
      }
    },
  }
}

/** @returns a rule for each event pattern of the description */
export const rulesOf = (functions: readonly FunctionEntry[]): readonly Rule[] =>
  functions.flatMap(({ name, handler, events }) =>
    events
      .filter(({ eventBridge }) => eventBridge !== undefined)
      .map(({ eventBridge }) => ({
        name,
        pattern: eventBridge?.pattern ?? {},
        target: (event) => invoke(handler, event) as Promise<void>,
      })),
  )

/** The function that the ledger's stream calls. */
function relayOf(functions: readonly FunctionEntry[]) {
  const relay = functions.find(({ events }) => events.some(({ stream }) => stream !== undefined))
  if (relay === undefined) throw new Error('No function is called by the stream of the ledger.')
  return (event: DynamoDBStreamEvent) =>
    invoke(relay.handler, event) as Promise<DynamoDBBatchResponse>
}

/**
 * Calls a handler that answers nobody over HTTP.
 * @param handler - `functions/audit/relay.handler`
 */
export async function invoke(handler: string, event: unknown): Promise<unknown> {
  const called = (await importHandler(handler)) as (event: unknown) => Promise<unknown>
  return await called(event)
}

/** @returns the event of a schedule (EventBridge User Guide, "Scheduled events") */
export const scheduledEvent = () => ({
  version: '0',
  id: randomUUID(),
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '',
  time: `${new Date().toISOString().slice(0, 19)}Z`,
  region: '',
  resources: [],
  detail: {},
})
