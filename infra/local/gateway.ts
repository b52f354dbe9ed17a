/**
 * The one port of the local stack. A request goes the way it goes when deployed: through the edge,
 * to the route, into the event that API Gateway would build, to the same handler.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import type { BlobHandler } from '../../shared/lambda/exchange.ts'
import { type RoutedRequest, route as routeAtEdge } from '../edge/route.ts'
import { listen } from './connections.ts'
import { httpEvent, invocation } from './http-event.ts'
import {
  BAD_REQUEST,
  INTERNAL,
  NOT_FOUND,
  NOT_READY,
  type Refusal,
  refuse,
  TOO_LARGE,
} from './refusals.ts'
import { BodyIncomplete, BodyTooLarge, drain, readBody } from './request-body.ts'
import { joinedHeaders, plainAddress, type Target, targetOf } from './request-line.ts'
import type { Route, RouteTable } from './routes.ts'
import { socketExchange } from './socket-exchange.ts'
import { answerTest, isForTests, type TestControls } from './test-endpoints.ts'
import { Turnstile } from './turnstile.ts'

export const HEALTH_PATH = '/_keyhold/health'
/** Bytes of a body that is not a stream: above every limit of KMS, STS and CloudTrail. */
export const MAX_BODY = 1_048_576
/** Bytes that are still read after a refusal, so that the client gets to read it. */
const MAX_DRAINED = 64 * 1_048_576

export interface Health {
  readonly ready: boolean
  /** Part → whether it serves. */
  readonly parts: Readonly<Record<string, boolean>>
}

export interface GatewayOptions {
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
  readonly routes: RouteTable
  /** Gives the handler of a route: `(event, context)`, or `(event, exchange)` where it streams. */
  load(route: Route): Promise<unknown>
  health(): Health
  /** Lower case, without ports: names below them name buckets. */
  readonly s3Hosts?: readonly string[]
  /** Added to what goes to the handlers, as CloudFront adds it. */
  readonly originSecret?: string
  /** Where every call goes through; absent: nothing ever keeps calls out. */
  readonly turnstile?: Turnstile
  /** `null`: there are no endpoints for tests. */
  tests?(): TestControls | null
}

export interface Gateway {
  readonly host: string
  readonly port: number
  /**
   * Stops accepting, lets the calls under way end, and after that time (in milliseconds) cuts them.
   */
  close(patience: number): Promise<void>
}

type BufferedHandler = (
  event: APIGatewayProxyEventV2,
  context: Context,
) => Promise<APIGatewayProxyStructuredResultV2>

/** A request on its way through, with what was found out about it. */
interface Passage {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly routed: RoutedRequest
  readonly route: Route
  readonly sourceIp: string
  /** The client waits for `100 Continue`. */
  readonly waits: boolean
}

/**
 * Listens; until `health` says ready every call is answered with 503.
 * @throws the error of `listen`, e.g. with the code EADDRINUSE
 */
export async function startGateway(given: GatewayOptions): Promise<Gateway> {
  const options = { turnstile: new Turnstile(), tests: () => null, s3Hosts: [], ...given }
  const load = remembering(options.load)
  const server = createServer({ maxHeaderSize: 32_768, highWaterMark: 262_144 })
  const take = (waits: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    request.on('error', ignore)
    response.on('error', ignore)
    accept(options, load, request, response, waits)
  }
  server.on('request', take(false))
  server.on('checkContinue', take(true))
  server.on('checkExpectation', take(false)) // Node would answer 417, which S3 never does
  const connections = await listen(server, options.port, options.host)
  const { port } = server.address() as AddressInfo
  return { host: options.host, port, close: connections.close }
}

type Options = Required<Omit<GatewayOptions, 'originSecret'>> & Pick<GatewayOptions, 'originSecret'>

function accept(
  options: Options,
  load: GatewayOptions['load'],
  request: IncomingMessage,
  response: ServerResponse,
  waits: boolean,
): void {
  const target = targetOf(request.url ?? '')
  if (target === null) refuse(response, '', BAD_REQUEST)
  else if (target.path === HEALTH_PATH) answerHealth(response, options.health())
  else if (isForTests(request.method ?? '', target, options.tests())) {
    passTest(options, target, { request, response, waits })
  } else pass(options, load, target, { request, response, waits })
}

function passTest(
  options: Options,
  target: Target,
  exchange: Pick<Passage, 'request' | 'response' | 'waits'>,
): void {
  const { request, response } = exchange
  if (!options.health().ready) refuseAndDrain(request, response, target.path, NOT_READY)
  else answerTest(exchange, target, options.tests()).catch(() => response.destroy())
}

function pass(
  options: Options,
  load: GatewayOptions['load'],
  target: Target,
  exchange: Pick<Passage, 'request' | 'response' | 'waits'>,
): void {
  const { request, response } = exchange
  const sourceIp = plainAddress(request.socket.remoteAddress)
  const method = request.method ?? ''
  const routed = routeAtEdge({
    method,
    ...target,
    headers: joinedHeaders(request),
    sourceIp,
    s3Hosts: options.s3Hosts,
  })
  const route = options.routes(method, routed.path)
  if (route === null || !options.health().ready) {
    refuseAndDrain(request, response, routed.path, route === null ? NOT_FOUND : NOT_READY)
    return
  }
  routed.headers['x-forwarded-proto'] = 'http'
  if (options.originSecret !== undefined) {
    routed.headers['x-keyhold-origin-secret'] = options.originSecret
  }
  const passage: Passage = { ...exchange, routed, route, sourceIp }
  const call = () => (route.streams ? passStream(passage, load) : passWhole(passage, load))
  options.turnstile.pass(call).catch((error: unknown) => fail(passage, error))
}

async function passWhole(passage: Passage, load: GatewayOptions['load']): Promise<void> {
  const { request, response, route, waits } = passage
  if (waits) response.writeContinue()
  const body = await readBody(request, MAX_BODY)
  const handler = (await load(route)) as BufferedHandler
  const event = eventOf(passage, body)
  answer(response, await handler(event, invocation(route, event)))
}

async function passStream(passage: Passage, load: GatewayOptions['load']): Promise<void> {
  const { request, response, route, waits } = passage
  const handler = (await load(route)) as BlobHandler
  await handler(eventOf(passage, null), socketExchange(request, response, waits))
  if (!response.writableEnded) throw new Error(`${route.handler} did not finish its answer.`)
}

const eventOf = ({ request, routed, route, sourceIp }: Passage, body: Buffer | null) =>
  httpEvent({
    route,
    method: request.method ?? '',
    path: routed.path,
    headers: routed.headers,
    sourceIp,
    body,
  })

function answer(response: ServerResponse, result: APIGatewayProxyStructuredResultV2): void {
  const { statusCode = 200, headers, body = '', isBase64Encoded } = result
  const bytes = isBase64Encoded ? Buffer.from(body, 'base64') : body
  const length = Buffer.byteLength(bytes)
  response.writeHead(statusCode, { ...(headers as object), 'content-length': length })
  // As many bytes as characters means ASCII, for which Latin-1 says the same and is written faster.
  response.end(bytes, length === bytes.length ? 'latin1' : 'utf8')
}

/** The last resort: handlers render their own errors. What is thrown here stays in the log. */
function fail({ request, response, routed, route }: Passage, error: unknown): void {
  if (error instanceof BodyIncomplete || response.destroyed) response.destroy()
  else if (error instanceof BodyTooLarge) {
    refuseAndDrain(request, response, routed.path, TOO_LARGE)
  } else {
    console.error(`${route.handler} failed:`, error)
    refuseAndDrain(request, response, routed.path, INTERNAL)
  }
}

function refuseAndDrain(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  refusal: Refusal,
): void {
  refuse(response, path, refusal)
  if (!request.complete) drain(request, MAX_DRAINED)
}

function answerHealth(response: ServerResponse, { ready, parts }: Health): void {
  const body = JSON.stringify({ status: ready ? 'ok' : 'starting', ...parts })
  response.writeHead(ready ? 200 : 503, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  })
  response.end(body)
}

function remembering(load: GatewayOptions['load']): GatewayOptions['load'] {
  const loaded = new Map<Route, Promise<unknown>>()
  return (route) => {
    const known = loaded.get(route)
    if (known !== undefined) return known
    const loading = load(route)
    loaded.set(route, loading)
    loading.catch(() => loaded.delete(route))
    return loading
  }
}

const ignore = (): void => {}
