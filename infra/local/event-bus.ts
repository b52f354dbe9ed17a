/**
 * The event bus of the local stack: EventBridge's `PutEvents` over HTTP. An entry is accepted when
 * every rule that matches it has delivered it, so there is no queue to lose: what a target does not
 * take is refused, and whoever put it puts it again (at least once, as with EventBridge).
 */
import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'
import { compilePattern } from './event-pattern.ts'
import { type BusEvent, eventFrom, type PutEntry, refusedCall } from './put-events.ts'

export interface Rule {
  readonly name: string
  /** An event pattern (event-pattern.ts). */
  readonly pattern: unknown
  /** Takes an event; throwing means that it did not. */
  target(event: BusEvent): Promise<void>
}

export interface LocalEventBus {
  /** `http://127.0.0.1:<port>` */
  readonly endpoint: string
  /** Takes no more events, and waits for those that are being delivered. */
  close(): Promise<void>
}

const DELIVERIES = 3
const PAUSE_MS = 50
/** A call carries less than 1 MB of entries, as JSON within JSON. */
const MAX_BODY_BYTES = 8 * 1024 * 1024

type MatchingRule = Rule & { readonly matches: (event: unknown) => boolean }

/**
 * Starts a bus on a free port of this machine.
 * @throws TypeError when a rule's pattern is none
 */
export async function startEventBus(options: {
  readonly rules: readonly Rule[]
}): Promise<LocalEventBus> {
  const rules = options.rules.map((rule) => ({ ...rule, matches: compilePattern(rule.pattern) }))
  const server = createServer((request, response) => {
    serve(rules, request, response).catch(() => {
      if (!response.headersSent) answer(response, 500, { __type: 'InternalException' })
      else response.destroy()
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    endpoint: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeIdleConnections()
      }),
  }
}

async function serve(
  rules: readonly MatchingRule[],
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers['x-amz-target'] !== 'AWSEvents.PutEvents') {
    return answer(response, 400, { __type: 'UnknownOperationException' })
  }
  const input = await readJson(request)
  if (input === undefined) return answer(response, 400, { __type: 'SerializationException' })
  const refusal = refusedCall(input)
  if (refusal !== null) {
    return answer(response, 400, { __type: 'ValidationException', message: refusal })
  }
  const { Entries: entries } = input as { Entries: readonly PutEntry[] }
  const region = regionOf(request)
  const Entries = await Promise.all(entries.map((entry) => put(rules, entry, region)))
  const FailedEntryCount = Entries.filter((entry) => 'ErrorCode' in entry).length
  answer(response, 200, { FailedEntryCount, Entries })
}

/** The result of one entry: its event's id, or why it was refused. */
async function put(rules: readonly MatchingRule[], entry: PutEntry, region: string) {
  const event = eventFrom(entry, region)
  if ('ErrorCode' in event) return event
  try {
    const matching = rules.filter(({ matches }) => matches(event))
    await Promise.all(matching.map((rule) => deliver(rule, event)))
    return { EventId: event.id }
  } catch {
    return { ErrorCode: 'InternalFailure', ErrorMessage: 'A target did not take the event.' }
  }
}

async function deliver({ target }: Rule, event: BusEvent): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await target(event)
    } catch (error) {
      if (attempt === DELIVERIES) throw error
      await setTimeout(PAUSE_MS * attempt)
    }
  }
}

/** The Region of the credential scope; nothing here depends on the signature itself. */
const regionOf = ({ headers }: IncomingMessage): string =>
  /Credential=[^/]+\/[0-9]+\/([a-z0-9-]+)\//.exec(headers.authorization ?? '')?.[1] ?? 'us-east-1'

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > MAX_BODY_BYTES) return undefined
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    return undefined
  }
}

function answer(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.1',
    'x-amzn-requestid': randomUUID(),
  })
  response.end(JSON.stringify(body))
}
