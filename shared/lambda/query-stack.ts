/** The stack of the services that speak AWS's Query protocol: a form in, XML out. */
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { XMLBuilder } from 'fast-xml-parser'
import { LedgerUnavailable } from '../audit/ledger.ts'
import type { AuthenticationFailure } from '../authn/failure.ts'
import { queryFailure } from '../authn/failure-text.ts'
import { ApiError, QueryError } from '../errors.ts'
import { HsmUnavailable } from '../hsm/hsm.ts'
import type { Call, Operation } from '../pipeline/operation.ts'
import { execute } from '../pipeline/pipeline.ts'
import { decode } from '../pipeline/shape.ts'
import { StoreUnavailable } from '../store/repositories.ts'
import { environment } from './environment.ts'
import {
  callOf,
  type Event,
  errorAnswer,
  type Handler,
  type Internal,
  type Middleware,
  type Result,
  requestId,
} from './middlewares.ts'
import { type Origin, readOrigin } from './origin.ts'
import { type Form, parseForm } from './query-form.ts'

/** An output of the Query protocol: what is undefined is left out, dates are written in ISO 8601. */
export type QueryOutput = Readonly<Record<string, unknown>>

export type QueryOperation<Input = object> = Operation<Input, QueryOutput> & {
  readonly service: 'sts'
}

/** A call that nobody signs. */
export type UnsignedCall = Omit<Call, 'caller' | 'via'>

/** An operation, whatever its input, as `queryHandler` takes it. */
export interface ServedQuery {
  readonly name: string
  answer(form: Form, call: Call): Promise<QueryOutput>
}

/** An operation that is not signed for: it tells by itself who calls. */
export interface UnsignedQuery {
  readonly name: string
  answer(form: Form, call: UnsignedCall): Promise<QueryOutput>
}

export const serveQuery = <Input>(operation: QueryOperation<Input>): ServedQuery => ({
  name: operation.name,
  answer: ({ input }, call) =>
    execute({ ...operation, explain: toQueryError }, () => decode(operation.input, input), call),
})

export interface QueryApi {
  readonly signed: readonly ServedQuery[]
  readonly unsigned: readonly UnsignedQuery[]
  /** Answers for a name that none of them has, and for a form that cannot be read. */
  readonly otherwise: ServedQuery
}

/** Names no operation. */
const UNREADABLE: Form = { action: '', version: null, input: {} }
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'
/** What the JSON services call otherwise. */
const NAMES: Readonly<Record<string, { readonly code: string; readonly status: number }>> = {
  AccessDeniedException: { code: 'AccessDenied', status: 403 },
  SerializationException: { code: 'MalformedInput', status: 400 },
  ServiceUnavailableException: { code: 'ServiceUnavailable', status: 503 },
  ThrottlingException: { code: 'Throttling', status: 400 },
  ValidationException: { code: 'ValidationError', status: 400 },
}

/** What the event has become once it is known who answers. */
interface Addressed {
  readonly name: string
  readonly requestId: string
  answer(): Promise<QueryOutput>
}

/**
 * One handler for all operations of a service, as only the form in the body names the one that is
 * meant. `before` runs top to bottom, `after` and `onError` bottom to top.
 */
export const queryHandler = (api: QueryApi): Handler =>
  middy<Event, Result, Error, Context, Internal>()
    .use(requestId()) // every answer, good or bad, carries its id
    .use(errorAnswer('sts', errorResult)) // whatever is thrown below becomes the error that AWS gives
    .use(address(api)) // whether there is a signature to verify depends on the operation
    .handler((event) => answer(event as unknown as Addressed))

const address = (api: QueryApi): Middleware => ({
  before: async function addressBefore(request) {
    const origin = readOrigin(request.event)
    const { requestId: id } = request.internal
    const addressed = await addressedTo(api, origin, id)
    request.event = addressed as unknown as Event
  },
})

/**
 * A form that cannot be read names no operation that goes unsigned, so that its sender is known first.
 * @throws QueryError when the signature is missing or wrong
 */
async function addressedTo(api: QueryApi, origin: Origin, id: string): Promise<Addressed> {
  const form = formOrNull(origin)
  const unsigned = api.unsigned.find(({ name }) => name === form?.action)
  if (unsigned !== undefined && form !== null) {
    const call = unsignedCallOf(origin, (await environment()).services, id)
    return { name: unsigned.name, requestId: id, answer: () => unsigned.answer(form, call) }
  }
  const call = await callOf(origin, 'sts', id, refusal)
  const served = api.signed.find(({ name }) => name === form?.action) ?? api.otherwise
  const known = form ?? UNREADABLE
  return { name: served.name, requestId: id, answer: () => served.answer(known, call) }
}

function formOrNull({ request, body }: Origin): Form | null {
  try {
    return parseForm(request.query, body.toString())
  } catch {
    return null
  }
}

/** In the first Region, as no signature names another. */
function unsignedCallOf(
  { sourceIp, userAgent, secure }: Origin,
  services: Call['services'],
  id: string,
): UnsignedCall {
  const [region] = services.regions
  if (region === undefined) throw new Error('No Region is served.')
  return { services, region, requestId: id, sourceIp, userAgent, secure }
}

function refusal(failure: AuthenticationFailure): QueryError {
  const { code, status, message } = queryFailure(failure)
  return new QueryError(code, status, message)
}

async function answer({ name, requestId: id, answer: reply }: Addressed): Promise<Result> {
  return xmlResult(200, id, {
    [`${name}Response`]: {
      '@xmlns': NAMESPACE,
      [`${name}Result`]: plain(await reply()),
      ResponseMetadata: { RequestId: id },
    },
  })
}

/** The same error under the name that the Query services have for it. What is not meant for callers says nothing. */
export function toQueryError(error: unknown): ApiError {
  if (error instanceof QueryError) return error
  const cause = { cause: error }
  if (error instanceof ApiError && error.status < 500) {
    const { code, status } = NAMES[error.code] ?? error
    return new QueryError(code, status, error.text, cause)
  }
  const unavailable =
    error instanceof StoreUnavailable ||
    error instanceof HsmUnavailable ||
    error instanceof LedgerUnavailable ||
    (error instanceof ApiError && error.status === 503)
  return unavailable
    ? new QueryError('ServiceUnavailable', 503, undefined, cause)
    : new QueryError('InternalFailure', 500, undefined, cause)
}

function errorResult(thrown: unknown, id: string): Result {
  const { status, code, text } = toQueryError(thrown)
  return xmlResult(status, id, {
    ErrorResponse: {
      '@xmlns': NAMESPACE,
      Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: text ?? '' },
      RequestId: id,
    },
  })
}

function plain(value: unknown): unknown {
  if (value instanceof Date) return `${value.toISOString().slice(0, 19)}Z`
  if (typeof value !== 'object' || value === null) return value
  const present = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(present.map(([name, entry]) => [name, plain(entry)]))
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
