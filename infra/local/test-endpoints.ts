/**
 * What test suites need and nobody else may have: the clock, and the way back to the seed. Only a
 * local stack has these endpoints. They ask for no signature, so they are for programs on the same
 * machine alone: the stack must listen on loopback only, and so must the request come.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isLoopbackAddress, whyNotLocal } from '../../shared/authn/local-request.ts'
import { isInCalendar } from './calendar.ts'
import { addDuration, type Duration, parseDuration } from './duration.ts'
import { type DoneWork, TooFar } from './local-clock.ts'
import { BodyTooLarge, drain, readBody } from './request-body.ts'
import { joinedHeaders, plainAddress, type Target } from './request-line.ts'
import { StillInside } from './turnstile.ts'

/** What the endpoints do. */
export interface TestControls {
  now(): number
  /** Milliseconds ahead of the real time. */
  offset(): number
  /** @throws TooFar */
  moveTo(time: number): Promise<readonly DoneWork[]>
  /** @throws TooFar */
  moveBy(duration: Duration): Promise<readonly DoneWork[]>
  /** Back to the real time. */
  resetClock(): Promise<void>
  /** Empties the stack back to its seed. @throws StillInside */
  reset(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: object
  readonly allow?: string
}

type Action = (controls: TestControls, body: unknown) => Promise<Answer>

const OWN_PREFIX = '/_keyhold/'
/** As moto has it. Apart from this one call, `moto-api` is a bucket like any other. */
const MOTO_RESET = '/moto-api/reset'
const MAX_BODY = 4096
/** Bytes that are still read after a refusal, so that the client gets to read it. */
const MAX_DRAINED = 1_048_576
const LATEST = Date.UTC(10_000, 0) - 1

const ACTIONS: Readonly<Record<string, Readonly<Record<string, Action>>>> = {
  '/_keyhold/clock': { GET: async (controls) => told(controls), POST: moveClock },
  '/_keyhold/reset': { POST: reset },
  [MOTO_RESET]: { POST: reset },
}

/**
 * @param controls - `null` when the stack has no such endpoints
 * @returns whether the request is none of the gateway's other business
 */
export const isForTests = (
  method: string,
  { path, query }: Target,
  controls: TestControls | null,
): boolean =>
  path.startsWith(OWN_PREFIX) ||
  (controls !== null && path === MOTO_RESET && method === 'POST' && query === '')

/** Answers one request of that kind. Never throws. */
export async function answerTest(
  exchange: {
    readonly request: IncomingMessage
    readonly response: ServerResponse
    /** The client waits for `100 Continue`. */
    readonly waits: boolean
  },
  { path }: Target,
  controls: TestControls | null,
): Promise<void> {
  const { request, response, waits } = exchange
  const refusal = refused(request, path, controls)
  if (refusal !== null || controls === null) {
    drain(request, MAX_DRAINED)
    return send(response, refusal ?? problem(404, ''))
  }
  if (waits) response.writeContinue()
  send(response, await attempt(request, path, controls))
  if (!request.complete) drain(request, MAX_DRAINED)
}

function refused(
  request: IncomingMessage,
  path: string,
  controls: TestControls | null,
): Answer | null {
  if (controls === null) return problem(404, 'This stack has no endpoints for tests.')
  const headers = new Map(
    Object.entries(joinedHeaders(request)).map(([name, value]) => [name, [value]]),
  )
  const address = plainAddress(request.socket.remoteAddress)
  const reason = isLoopbackAddress(address) ? whyNotLocal(headers) : 'from this machine'
  if (reason !== null) return problem(403, `This endpoint takes requests only ${reason}.`)
  const methods = ACTIONS[path]
  if (methods === undefined) return problem(404, 'There is no such endpoint.')
  if (methods[request.method ?? ''] !== undefined) return null
  const allow = Object.keys(methods).join(', ')
  return { ...problem(405, `This endpoint takes ${allow}.`), allow }
}

async function attempt(
  request: IncomingMessage,
  path: string,
  controls: TestControls,
): Promise<Answer> {
  try {
    const body = (await readBody(request, MAX_BODY)).toString()
    const action = ACTIONS[path]?.[request.method ?? '']
    return action === undefined ? problem(404, '') : await action(controls, parsed(body))
  } catch (error) {
    if (error instanceof TooFar) return problem(409, `${error.message} The clock stands there.`)
    if (error instanceof BodyTooLarge) return problem(413, 'The body is too large.')
    if (error instanceof StillInside) return problem(503, error.message)
    console.error(`${path} failed:`, error)
    return problem(500, (error as Error).message)
  }
}

async function reset(controls: TestControls): Promise<Answer> {
  await controls.reset()
  return { status: 200, body: { status: 'ok' } } // as moto answers
}

async function moveClock(controls: TestControls, body: unknown): Promise<Answer> {
  const asked = typeof body === 'object' && body !== null ? Object.entries(body) : []
  const [[name, value] = ['', null]] = asked
  if (asked.length === 1 && name === 'reset' && value === true) {
    await controls.resetClock()
    return told(controls)
  }
  const move = asked.length === 1 ? readMove(name, value) : null
  if (move === null) return problem(400, CLOCK_USAGE)
  if (!isInRange(move, controls.now())) return problem(400, OUT_OF_RANGE)
  const { to, by } = move
  return told(controls, to === undefined ? await controls.moveBy(by) : await controls.moveTo(to))
}

type Move =
  | { readonly to: number; readonly by?: undefined }
  | { readonly to?: undefined; readonly by: Duration }

const CLOCK_USAGE =
  'The body is a JSON object with one member: "now" with a time such as "2027-01-31T12:00:00Z", ' +
  '"advance" with a duration such as "P1Y", "PT90S", "30d" or a number of seconds, or "reset" with true.'

const OUT_OF_RANGE = 'The clock goes from 1970-01-01T00:00:00Z to 9999-12-31T23:59:59.999Z.'

/** With a time zone, or a day alone, which then is UTC's. */
const TIME =
  /^[0-9]{4}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2}))?$/

function readMove(name: string, value: unknown): Move | null {
  if (name === 'now') {
    const isTime = typeof value === 'string' && TIME.test(value) && isInCalendar(value)
    const time = isTime ? Date.parse(value) : Number.NaN
    return Number.isNaN(time) ? null : { to: time }
  }
  if (name !== 'advance') return null
  if (typeof value === 'number')
    return { by: { months: 0, milliseconds: Math.round(value * 1000) } }
  const by = typeof value === 'string' ? parseDuration(value) : null
  return by && { by }
}

function isInRange({ to, by }: Move, now: number): boolean {
  const target = by === undefined ? to : addDuration(now, by)
  return target >= 0 && target <= LATEST
}

const told = (controls: TestControls, done: readonly DoneWork[] | null = null): Answer => ({
  status: 200,
  body: {
    now: new Date(controls.now()).toISOString(),
    offsetSeconds: controls.offset() / 1000,
    ...(done === null ? {} : { done: done.map(toldWork) }),
  },
})

const toldWork = ({ at, handler, result }: DoneWork) => ({
  at: new Date(at).toISOString(),
  function: handler.replace(/\.handler$/, ''),
  result,
})

/** `undefined` for what is no JSON; no body says nothing. */
function parsed(body: string): unknown {
  if (body === '') return {}
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

const problem = (status: number, message: string): Answer => ({ status, body: { message } })

function send(response: ServerResponse, { status, body, allow }: Answer): void {
  const text = `${JSON.stringify(body)}\n`
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    ...(allow === undefined ? {} : { allow }),
  })
  response.end(text)
}
