/** The stack of the AWS JSON 1.1 services, KMS and CloudTrail. */
import { randomUUID } from 'node:crypto'
import middy, { type MiddlewareObj } from '@middy/core'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import { jsonFailure } from '../authn/failure-text.ts'
import { ApiError, JsonError, type JsonErrorCode, jsonErrorStatus } from '../errors.ts'
import type { Call, Operation } from '../pipeline/operation.ts'
import { execute } from '../pipeline/pipeline.ts'
import { decode } from '../pipeline/shape.ts'
import { AMZ_JSON, encodeOutput, parseJson, wipeBytes } from './amz-json.ts'
import { environment } from './environment.ts'
import { logFailure } from './log.ts'
import { type Origin, readOrigin } from './origin.ts'

type Event = APIGatewayProxyEventV2
type Result = APIGatewayProxyStructuredResultV2
type Middleware = MiddlewareObj<Event, Result, Error, Context, { requestId: string }>

/** Of an operation, what all of these need. */
type Named = Pick<Operation<unknown, unknown>, 'service' | 'name'>

/** What the event has become once the caller is known; the handler gets this in its place. */
interface AuthenticatedEvent {
  readonly call: Call
  readonly origin: Origin
}

/**
 * The one place where this stack is written. `before` runs top to bottom, `after` and `onError`
 * bottom to top.
 */
export const jsonHandler = <Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
): ((event: Event, context: Context) => Promise<Result>) =>
  middy<Event, Result, Error, Context, { requestId: string }>()
    .use(requestId()) // every answer, good or bad, carries its id
    .use(errorAnswer(operation)) // whatever is thrown below becomes the error that AWS gives
    .use(authenticate(operation)) // over the raw body, so before anything reads it
    .handler((event) => run(operation, event as unknown as AuthenticatedEvent))

const requestId = (generate: () => string = randomUUID): Middleware => ({
  before: function requestIdBefore(request) {
    request.internal.requestId = generate()
  },
})

const errorAnswer = (operation: Named): Middleware => ({
  onError: function errorAnswerOnError(request) {
    const { requestId } = request.internal
    const error = request.error
    if (!(error instanceof ApiError) || error.status >= 500) {
      logFailure(operation.name, requestId, error)
    }
    request.response = errorResult(toJsonError(error, operation.service), requestId)
  },
})

function toJsonError(error: unknown, service: Named['service']): JsonError {
  if (error instanceof JsonError) return error
  return new JsonError(service === 'kms' ? 'KMSInternalException' : 'InternalFailure')
}

const authenticate = (operation: Named): Middleware => ({
  before: async function authenticateBefore(request) {
    const origin = readOrigin(request.event)
    const { authenticator, services } = await environment()
    const service = operation.service
    const answer = await authenticator.authenticate(origin.request, { service, body: origin.body })
    if (!answer.ok) {
      const { code, text } = jsonFailure(answer.failure)
      throw new JsonError(code as JsonErrorCode, text)
    }
    const call: Call = {
      services,
      caller: answer.caller,
      region: answer.region,
      requestId: request.internal.requestId,
      sourceIp: origin.sourceIp,
      userAgent: origin.userAgent,
      secure: origin.secure,
      via: null,
    }
    const authenticated: AuthenticatedEvent = { call, origin }
    request.event = authenticated as unknown as Event
  },
})

async function run<Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
  { call, origin }: AuthenticatedEvent,
): Promise<Result> {
  let input: Input | undefined
  const read = (): Input => {
    input = decode(operation.input, parseJson(origin.body))
    return input
  }
  try {
    const output = await execute(operation, read, call)
    const result = jsonResult(200, encodeOutput(output), call.requestId)
    wipeBytes(output)
    return result
  } finally {
    wipeBytes(input)
  }
}

const errorResult = (error: JsonError, requestId: string): Result =>
  jsonResult(
    jsonErrorStatus[error.code],
    JSON.stringify({ __type: error.code, message: error.text }),
    requestId,
  )

const jsonResult = (statusCode: number, body: string, requestId: string): Result => ({
  statusCode,
  headers: {
    'content-type': AMZ_JSON,
    'x-amzn-requestid': requestId,
    'cache-control': 'no-cache, no-store, must-revalidate, private',
  },
  body,
})
