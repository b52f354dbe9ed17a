/** The middlewares that the stacks of the JSON and the Query services share. */
import { randomUUID } from 'node:crypto'
import type { MiddlewareObj } from '@middy/core'
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2, Context } from 'aws-lambda'
import type { AuthenticationFailure } from '../authn/failure.ts'
import type { Service } from '../authn/service-rules.ts'
import { ApiError } from '../errors.ts'
import type { Call } from '../pipeline/operation.ts'
import { environment } from './environment.ts'
import { logFailure } from './log.ts'
import { type Origin, readOrigin } from './origin.ts'

export type Event = APIGatewayProxyEventV2
export type Result = APIGatewayProxyStructuredResultV2
/** What the middlewares of one call hand on to each other. */
export interface Internal extends Record<string, unknown> {
  requestId: string
}
export type Middleware = MiddlewareObj<Event, Result, Error, Context, Internal>
/** What a stack is to the Lambda runtime. */
export type Handler = (event: Event, context: Context) => Promise<Result>

/** What the event has become once the caller is known; the handler gets this in its place. */
export interface AuthenticatedEvent {
  readonly call: Call
  readonly origin: Origin
}

export const requestId = (generate: () => string = randomUUID): Middleware => ({
  before: function requestIdBefore(request) {
    request.internal.requestId = generate()
  },
})

/**
 * @param render - gives the answer for whatever was thrown; what is no ApiError says nothing
 * @param name - for the log
 */
export const errorAnswer = (
  name: string,
  render: (error: unknown, requestId: string) => Result,
): Middleware => ({
  onError: function errorAnswerOnError(request) {
    const { error, internal } = request
    if (!(error instanceof ApiError) || error.status >= 500) {
      logFailure(name, internal.requestId, error)
    }
    request.response = render(error, internal.requestId)
  },
})

/** @param refusal - words a failure as the protocol does */
export const authenticate = (
  service: Service,
  refusal: (failure: AuthenticationFailure) => ApiError,
): Middleware => ({
  before: async function authenticateBefore(request) {
    const origin = readOrigin(request.event)
    const call = await callOf(origin, service, request.internal.requestId, refusal)
    const authenticated: AuthenticatedEvent = { call, origin }
    request.event = authenticated as unknown as Event
  },
})

/**
 * @returns the call, once it is known who makes it
 * @throws ApiError what `refusal` gives for a request that is not authentic
 */
export async function callOf(
  origin: Origin,
  service: Service,
  id: string,
  refusal: (failure: AuthenticationFailure) => ApiError,
): Promise<Call> {
  const { request, body, sourceIp, userAgent, secure } = origin
  const { authenticator, bearers, services } = await environment()
  const token = service === 'sts' ? null : bearers.tokenOf(request)
  if (token !== null) {
    const { caller, region } = await bearers.callerOf(token, origin)
    return { services, caller, region, requestId: id, sourceIp, userAgent, secure, via: null }
  }
  const answer = await authenticator.authenticate(request, { service, body })
  if (!answer.ok) throw refusal(answer.failure)
  const { caller, region } = answer
  return { services, caller, region, requestId: id, sourceIp, userAgent, secure, via: null }
}
