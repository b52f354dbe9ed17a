/** A DynamoDB that fails as told: a proxy in front of a real engine. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'

/**
 * `pass`; `throttle` and `break` (500) without doing it; `deaf`: the connection closes before it is done;
 * `mute`: it is done, and the connection closes before the answer; `cut`: in the middle of the answer;
 * `stall`: the answer stops in its middle and the connection stays; `fail`: it is done, and the answer is
 * a 500; `hang`: no answer ever; `refuse`: a validation error.
 */
export type Fault =
  | 'pass'
  | 'throttle'
  | 'break'
  | 'deaf'
  | 'mute'
  | 'cut'
  | 'stall'
  | 'fail'
  | 'hang'
  | 'refuse'

const DONE: ReadonlySet<Fault> = new Set(['pass', 'mute', 'cut', 'stall', 'fail'])

export interface SeenRequest {
  readonly operation: string
  readonly input: Readonly<Record<string, unknown>>
  readonly headers: IncomingMessage['headers']
}

const refusals = {
  throttle: [400, 'ProvisionedThroughputExceededException'],
  break: [500, 'InternalServerError'],
  fail: [500, 'InternalServerError'],
  refuse: [400, 'ValidationException'],
} as const

export interface FaultyDynamoDb {
  readonly endpoint: string
  /** What happens to the next requests, one by one; `pass` after the last. */
  next(...faults: Fault[]): void
  /** Runs once, after the next request was done and before its answer fails. */
  onceDone(action: () => Promise<void>): void
  /** All requests since the last call of `next`. */
  seen(): readonly SeenRequest[]
  close(): Promise<void>
}

/** @param target - endpoint of the engine */
export async function startFaultyDynamoDb(target: string): Promise<FaultyDynamoDb> {
  let faults: Fault[] = []
  let seen: SeenRequest[] = []
  let action: (() => Promise<void>) | null = null

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = faults.shift() ?? 'pass'
    const body = await buffer(request)
    const [, operation = ''] = String(request.headers['x-amz-target']).split('.')
    seen.push({ operation, input: JSON.parse(body.toString()), headers: request.headers })
    if (fault === 'hang') return
    if (fault === 'deaf') return void response.destroy()
    const done = DONE.has(fault)
    const result = done ? await forward(request, body) : null
    const then = action
    if (done) action = null
    if (done && then !== null) await then()
    if (fault === 'mute') return void response.destroy()
    if (fault === 'pass') return void response.writeHead(result?.status ?? 0).end(result?.text)
    if (fault === 'cut' || fault === 'stall') {
      response.writeHead(200, { 'content-length': 100 }).write('{')
      if (fault === 'cut') setImmediate(() => response.destroy())
      return
    }
    const [status, code] = refusals[fault]
    response.writeHead(status).end(JSON.stringify({ __type: `com.amazonaws#${code}` }))
  }

  async function forward(request: IncomingMessage, body: Buffer) {
    const { 'x-amz-target': operation, authorization, 'x-amz-date': date } = request.headers
    const headers = {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': String(operation),
      'x-amz-date': String(date),
      authorization: String(authorization),
    }
    const response = await fetch(target, { method: 'POST', headers, body: new Uint8Array(body) })
    return { status: response.status, text: await response.text() }
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  return {
    endpoint: `http://127.0.0.1:${port}`,
    next(...next) {
      faults = next
      seen = []
    },
    onceDone(next) {
      action = next
    },
    seen: () => seen,
    async close() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}
