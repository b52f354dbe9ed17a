/** The stack of the AWS JSON 1.1 services, KMS and CloudTrail. */
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { jsonFailure } from '../authn/failure-text.ts'
import type { Service } from '../authn/service-rules.ts'
import { ApiError, JsonError, jsonErrorStatus } from '../errors.ts'
import type { Operation } from '../pipeline/operation.ts'
import { execute } from '../pipeline/pipeline.ts'
import { decode } from '../pipeline/shape.ts'
import { wipeMembers } from '../pipeline/wipe.ts'
import { AMZ_JSON, encodeOutput, parseJson } from './amz-json.ts'
import {
  type AuthenticatedEvent,
  authenticate,
  type Event,
  errorAnswer,
  type Handler,
  type Internal,
  type Result,
  requestId,
} from './middlewares.ts'

/** Handler of one operation. */
export const jsonHandler = <Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
): Handler => jsonStack(signedFor(operation), operation.name, (event) => run(operation, event))

/** An operation of an API that is one function. */
export interface ServedOperation {
  readonly name: string
  readonly service: Service
  answer(event: AuthenticatedEvent): Promise<Result>
}

/** An operation, whatever its input and output, as `jsonApiHandler` takes it. */
export const serve = <Input, Output, Role extends string>(
  operation: Operation<Input, Output, Role>,
): ServedOperation => ({
  name: operation.name,
  service: signedFor(operation),
  answer: (event) => run(operation, event),
})

/**
 * One handler for all operations of an API; the edge says in a header of its own which one is meant.
 * @param otherwise - what answers for a name that none of them has
 */
export const jsonApiHandler = (
  name: string,
  operations: readonly ServedOperation[],
  otherwise: ServedOperation,
): Handler => {
  const byName = new Map(operations.map((operation) => [operation.name, operation]))
  return jsonStack(otherwise.service, name, (event) =>
    (byName.get(event.origin.operation ?? '') ?? otherwise).answer(event),
  )
}

/** The API of tenants and principals is one, and so is what its requests are signed for. */
const signedFor = ({ service }: Pick<Operation<unknown, unknown>, 'service'>): Service =>
  service === 'iam' ? 'keyhold' : service

/**
 * The one place where this stack is written. `before` runs top to bottom, `after` and `onError`
 * bottom to top.
 */
const jsonStack = (
  service: Service,
  name: string,
  handle: (event: AuthenticatedEvent) => Promise<Result>,
): Handler =>
  middy<Event, Result, Error, Context, Internal>()
    .use(requestId()) // every answer, good or bad, carries its id
    .use(errorAnswer(name, renderFor(service))) // whatever is thrown below becomes AWS's error
    .use(authenticate(service, refusal)) // over the raw body, so before anything reads it
    .handler((event) => handle(event as unknown as AuthenticatedEvent))

const refusal = (failure: Parameters<typeof jsonFailure>[0]): JsonError => {
  const { code, text } = jsonFailure(failure)
  return new JsonError(code, text)
}

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
    wipeMembers(output)
    return result
  } finally {
    wipeMembers(input)
  }
}

const renderFor =
  (service: Service) =>
  (error: unknown, id: string): Result => {
    const { code, text } = toJsonError(error, service)
    return jsonResult(jsonErrorStatus[code], JSON.stringify({ __type: code, message: text }), id)
  }

/** What is not of this protocol is either a refusal of the edge's or nobody's business. */
function toJsonError(error: unknown, service: Service): JsonError {
  if (error instanceof JsonError) return error
  if (error instanceof ApiError) return new JsonError('AccessDeniedException', error.text)
  return new JsonError(service === 'kms' ? 'KMSInternalException' : 'InternalFailure')
}

const jsonResult = (statusCode: number, body: string, id: string): Result => ({
  statusCode,
  headers: {
    'content-type': AMZ_JSON,
    'x-amzn-requestid': id,
    'cache-control': 'no-cache, no-store, must-revalidate, private',
  },
  body,
})
