/** The stack of the services that speak AWS's Query protocol: a form in, XML out. */
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { XMLBuilder } from 'fast-xml-parser'
import type { AuthenticationFailure } from '../authn/failure.ts'
import { queryFailure } from '../authn/failure-text.ts'
import { ApiError, QueryError } from '../errors.ts'
import type { Operation } from '../pipeline/operation.ts'
import { execute } from '../pipeline/pipeline.ts'
import { decode } from '../pipeline/shape.ts'
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

/** An operation whose input and output are of the Query protocol: texts by name. */
export type QueryOperation = Operation<object, Readonly<Record<string, string>>> & {
  readonly service: 'sts'
}

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
/** Some older services say `AccessDenied` where the JSON ones say `AccessDeniedException`. */
const NAMES: Readonly<Record<string, { readonly code: string; readonly status: number }>> = {
  AccessDeniedException: { code: 'AccessDenied', status: 403 },
  ServiceUnavailableException: { code: 'ServiceUnavailable', status: 503 },
  InternalFailure: { code: 'InternalFailure', status: 500 },
}

/**
 * One handler for all operations of a service, as only the form in the body names the one that is
 * meant. `before` runs top to bottom, `after` and `onError` bottom to top.
 */
export const queryHandler = (operations: readonly QueryOperation[]): Handler =>
  middy<Event, Result, Error, Context, Internal>()
    .use(requestId()) // every answer, good or bad, carries its id
    .use(errorAnswer('sts', errorResult)) // whatever is thrown below becomes the error that AWS gives
    .use(authenticate('sts', refusal)) // over the raw body, so before anything reads it
    .handler((event) => run(operations, event as unknown as AuthenticatedEvent))

function refusal(failure: AuthenticationFailure): QueryError {
  const { code, status, message } = queryFailure(failure)
  return new QueryError(code, status, message)
}

async function run(
  operations: readonly QueryOperation[],
  { call, origin }: AuthenticatedEvent,
): Promise<Result> {
  const form = Object.fromEntries([
    ...new URLSearchParams(origin.request.query),
    ...new URLSearchParams(origin.body.toString()),
  ])
  const operation = operations.find(({ name }) => name === form.Action)
  if (operation === undefined) {
    throw new QueryError(
      'InvalidAction',
      400,
      `Could not find operation ${form.Action ?? ''} for version ${form.Version ?? 'NO_VERSION_SPECIFIED'}`,
    )
  }
  const output = await execute(operation, () => decode(operation.input, form), call)
  return xmlResult(200, call.requestId, {
    [`${operation.name}Response`]: {
      '@xmlns': NAMESPACE,
      [`${operation.name}Result`]: output,
      ResponseMetadata: { RequestId: call.requestId },
    },
  })
}

function errorResult(error: unknown, id: string): Result {
  const known = error instanceof ApiError ? error : null
  const { code, status } =
    known === null ? { code: 'InternalFailure', status: 500 } : (NAMES[known.code] ?? known)
  return xmlResult(status, id, {
    ErrorResponse: {
      '@xmlns': NAMESPACE,
      Error: {
        Type: status < 500 ? 'Sender' : 'Receiver',
        Code: code,
        Message: known?.text ?? '',
      },
      RequestId: id,
    },
  })
}

let builder: XMLBuilder | undefined

function xmlResult(statusCode: number, id: string, document: object): Result {
  builder ??= new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@' })
  return {
    statusCode,
    headers: { 'content-type': 'text/xml', 'x-amzn-requestid': id },
    body: builder.build(document),
  }
}
