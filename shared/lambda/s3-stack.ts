/** The stack of S3: XML and streams, answered as they are made. */
import middy from '@middy/core'
import type { APIGatewayProxyEventV2, Context } from 'aws-lambda'
import type { Authentication } from '../authn/authenticate.ts'
import type { AuthenticationFailure } from '../authn/failure.ts'
import { s3Failure } from '../authn/s3-failure.ts'
import { S3Error, type S3ErrorCode } from '../blobs/s3-error.ts'
import { freshBytes } from '../crypto/random.ts'
import { ApiError } from '../errors.ts'
import type { Call } from '../pipeline/operation.ts'
import { execute } from '../pipeline/pipeline.ts'
import { environment } from './environment.ts'
import { type BlobExchange, type BlobHandler, blobHandler } from './exchange.ts'
import { logFailure } from './log.ts'
import { type OriginHead, readOriginHead } from './origin.ts'
import {
  asUpload,
  type FormFields,
  isVersionTwo,
  readPostedForm,
  signedForm,
  versionTwoForm,
} from './post-form.ts'
import { type S3Answer, sendAnswer } from './s3-answer.ts'
import { crossOriginHeaders, preflightAnswer } from './s3-cross-origin.ts'
import { explainS3 } from './s3-explain.ts'
import type { S3Operation } from './s3-operation.ts'
import { S3Request, type S3RequestFacts } from './s3-request.ts'
import { plainXmlDocument } from './s3-xml.ts'

/** What goes through the stack. */
interface Passage {
  readonly event: APIGatewayProxyEventV2
  readonly exchange: BlobExchange
  readonly requestId: string
  /** A second id, longer, as S3 gives one. */
  readonly hostId: string
}

/** What a passage becomes once the caller is known. */
interface AuthenticatedPassage extends Passage {
  readonly call: Call
  readonly facts: S3RequestFacts
  /** Gives up what was not read of a body that was asked for before the operation was. */
  readonly release?: () => void
}

const REQUEST_ID_LENGTH = 8
const HOST_ID_LENGTH = 48

/**
 * The one place where this stack is written. `before` runs top to bottom, `onError` bottom to top.
 * @param operation - or what gives one, where the edge has named what is asked for
 */
export const s3Handler = (
  operation: S3Operation | ((origin: OriginHead) => S3Operation),
): BlobHandler => stackOf(operation, authenticate)

/** The same for what browsers send as a form, whose fields stand in the body. */
export const formHandler = (operation: S3Operation): BlobHandler =>
  stackOf(operation, authenticateForm)

const stackOf = (
  operation: S3Operation | ((origin: OriginHead) => S3Operation),
  authenticate: (request: { event: Passage }) => Promise<void>,
): BlobHandler => {
  const stack = middy<Passage, S3Answer, Error, Context>()
    .use({ onError: errorAnswer }) // whatever is thrown below becomes the error that S3 gives
    .use({ before: answerPreflight }) // what browsers ask ahead of a request is not signed
    .use({ before: authenticate }) // the head alone: the body is not asked for before it is wanted
    .handler((passage) => run(operation, passage as AuthenticatedPassage))
  return blobHandler((event, exchange) => pass(stack, event, exchange))
}

type Stack = (passage: Passage, context: Context) => Promise<S3Answer>

async function pass(
  stack: Stack,
  event: APIGatewayProxyEventV2,
  exchange: BlobExchange,
): Promise<void> {
  // Every answer, good or bad, carries its ids.
  const requestId = freshBytes(REQUEST_ID_LENGTH).toString('hex').toUpperCase()
  const hostId = freshBytes(HOST_ID_LENGTH).toString('base64')
  const answer = await stack({ event, exchange, requestId, hostId }, {} as Context)
  const { method } = event.requestContext.http
  const headers = { 'x-amz-request-id': requestId, 'x-amz-id-2': hostId, server: 'Keyhold' }
  try {
    await sendAnswer({ ...answer, headers: { ...headers, ...answer.headers } }, method, exchange)
  } catch (error) {
    logFailure(event.rawPath, requestId, error)
  }
}

async function answerPreflight(request: { event: Passage }): Promise<S3Answer | undefined> {
  const origin = readOriginHead(request.event.event)
  if (origin.request.method !== 'OPTIONS') return undefined
  const { accessKeys, services } = await environment()
  return preflightAnswer(origin, accessKeys, services.store.buckets)
}

async function authenticate(request: { event: Passage }): Promise<void> {
  const { event, exchange } = request.event
  const origin = readOriginHead(event)
  const { authenticator } = await environment()
  const answer = await authenticator.authenticate(origin.request, { service: 's3', body: null })
  if (!answer.ok) throw refusal(answer.failure, origin)
  request.event = await authenticated(request.event, origin, answer, { exchange })
}

/** The fields of a form come first, so the body is asked for; its file is left for the operation. */
async function authenticateForm(request: { event: Passage }): Promise<void> {
  const { event, exchange } = request.event
  const origin = readOriginHead(event)
  const body = exchange.body()
  try {
    const { fields, file } = await readPostedForm(origin, body)
    const answer = await authenticateFields(fields, origin)
    if (!answer.ok) throw refusal(answer.failure, origin)
    const ofFile = { signal: exchange.signal, body: () => file.data }
    const rest = { exchange: ofFile, form: fields }
    const passage = await authenticated(request.event, asUpload(fields, origin), answer, rest)
    request.event = { ...passage, release: () => body.destroy() } as AuthenticatedPassage
  } catch (error) {
    body.destroy()
    throw error
  }
}

async function authenticateFields(fields: FormFields, origin: OriginHead): Promise<Authentication> {
  const { authenticator, accessKeys, services } = await environment()
  const [region] = services.regions
  if (!isVersionTwo(fields) || region === undefined) {
    return authenticator.authenticateForm(signedForm(fields, origin))
  }
  const { authenticateVersionTwo } = await import('../authn/form-version-2.ts')
  return authenticateVersionTwo(versionTwoForm(fields), accessKeys, region)
}

async function authenticated(
  passage: Passage,
  origin: OriginHead,
  { caller, region, payload, presigned }: Extract<Authentication, { readonly ok: true }>,
  rest: Pick<S3RequestFacts, 'exchange' | 'form'>,
): Promise<AuthenticatedPassage> {
  const { services } = await environment()
  const { requestId } = passage
  const { sourceIp, userAgent, secure } = origin
  const call: Call = { services, caller, region, requestId, sourceIp, userAgent, secure, via: null }
  return {
    ...passage,
    call,
    facts: { origin, account: caller.account, payload, presigned, ...rest },
  }
}

function refusal(failure: AuthenticationFailure, { request }: OriginHead): S3Error {
  // Presigned by Signature Version 2, as old clients still do: they are told what to use instead.
  const isVersion2 = failure.kind === 'missing' && /(?:^|&)AWSAccessKeyId=/.test(request.query)
  const told = isVersion2 ? ({ kind: 'unsupported-mechanism' } as const) : failure
  const { code, message, details } = s3Failure(told)
  return new S3Error(code as S3ErrorCode, message, details)
}

async function run(
  operation: S3Operation | ((origin: OriginHead) => S3Operation),
  { call, facts, release }: AuthenticatedPassage,
): Promise<S3Answer> {
  const chosen = typeof operation === 'function' ? operation(facts.origin) : operation
  let request: S3Request | undefined
  let answer: S3Answer | undefined
  const watched: S3Operation = {
    ...chosen,
    async run(...inputs) {
      answer = await chosen.run(...inputs)
      return answer
    },
  }
  const read = (): S3Request => {
    request = new S3Request(facts)
    return request
  }
  try {
    const given = await execute(watched, read, call)
    const cors = request && (await crossOriginHeaders(request, call.services.store.buckets))
    return cors ? { ...given, headers: { ...given.headers, ...cors } } : given
  } catch (error) {
    // Without its record, an answer that was made is not given.
    if (typeof answer?.body === 'object') answer.body.destroy()
    throw request ? await withCrossOrigin(error, request, call) : error
  } finally {
    request?.discardBody()
    release?.()
  }
}

/** A page is to see why it was refused, if its origin may see anything. */
async function withCrossOrigin(error: unknown, request: S3Request, { services }: Call) {
  const told = toS3Error(error instanceof Error ? error : null)
  const cors = await crossOriginHeaders(request, services.store.buckets).catch(() => null)
  if (cors === null) return error
  const options = { headers: { ...told.headers, ...cors }, cause: told.cause ?? error }
  return new S3Error(told.code, told.text ?? '', told.details, options)
}

function errorAnswer(request: {
  readonly event: Passage
  readonly error: Error | null
  response: S3Answer | undefined
}): void {
  const { requestId, hostId, event } = request.event
  const error = toS3Error(request.error)
  if (error.status >= 500 && error.code !== 'NotImplemented') {
    logFailure(event.rawPath, requestId, error)
  }
  request.response = {
    status: error.status,
    headers: { ...error.headers, 'content-type': 'application/xml' },
    body: plainXmlDocument('Error', {
      Code: error.code,
      Message: error.text ?? '',
      ...error.details,
      RequestId: requestId,
      HostId: hostId,
    }),
  }
}

/** What did not come through the edge is refused as what was not signed is. */
const toS3Error = (error: unknown): S3Error =>
  error instanceof ApiError && error.status === 403 && !(error instanceof S3Error)
    ? new S3Error('AccessDenied', 'Access Denied')
    : explainS3(error)
