/** The event that an HTTP API gives a function, format 2.0, and what Lambda adds to it. */
import { isUtf8 } from 'node:buffer'
import { randomUUID } from 'node:crypto'
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda'
import type { Route } from './routes.ts'

/** What a request brings to the event. */
export interface EventParts {
  readonly route: Route
  readonly method: string
  /** As the edge set it. */
  readonly path: string
  /** As the edge set them; kept, not copied. */
  readonly headers: Record<string, string>
  readonly sourceIp: string
  /** `null` for calls that get their body as a stream. */
  readonly body: Buffer | null
}

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')

/** @returns the event; a body that is not UTF-8 goes as base64, so that every byte stays as it was */
export function httpEvent(parts: EventParts): APIGatewayProxyEventV2 {
  const { route, method, path, headers, sourceIp, body } = parts
  const routeKey = `${route.method} ${route.path}`
  const now = Date.now()
  const cookie = headers.cookie
  if (cookie !== undefined) delete headers.cookie
  const event: APIGatewayProxyEventV2 = {
    version: '2.0',
    routeKey,
    rawPath: path,
    rawQueryString: '',
    headers,
    requestContext: {
      accountId: 'local',
      apiId: 'local',
      domainName: 'localhost',
      domainPrefix: 'localhost',
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp,
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey,
      stage: '$default',
      time: clfTime(now),
      timeEpoch: now,
    },
    isBase64Encoded: false,
  }
  if (cookie !== undefined) event.cookies = cookie.split('; ')
  if (body !== null && body.length > 0) {
    event.isBase64Encoded = !isUtf8(body)
    event.body = body.toString(event.isBase64Encoded ? 'base64' : 'utf8')
  }
  return event
}

/** @returns what Lambda tells a function about the invocation */
export const invocation = (route: Route, event: APIGatewayProxyEventV2): Context => ({
  awsRequestId: event.requestContext.requestId,
  callbackWaitsForEmptyEventLoop: false,
  functionName: route.handler,
  functionVersion: '$LATEST',
  invokedFunctionArn: '',
  memoryLimitInMB: '',
  logGroupName: '',
  logStreamName: '',
  getRemainingTimeInMillis: () => 30_000, // HTTP API's limit on an integration
  done() {},
  fail() {},
  succeed() {},
})

let second = -1
let secondText = ''

/** `23/Nov/2026:20:18:00 +0000`, made once a second. */
function clfTime(now: number): string {
  const current = Math.floor(now / 1000)
  if (current !== second) {
    const iso = new Date(now).toISOString()
    const month = MONTHS[Number(iso.slice(5, 7)) - 1]
    secondText = `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
    second = current
  }
  return secondText
}
