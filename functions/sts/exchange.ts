/**
 * Temporary credentials for callers whom AWS knows: the route is behind API Gateway's IAM authorizer,
 * which verifies their signature and says in the event who they are (API Gateway Developer Guide,
 * "Controlling access to HTTP APIs with IAM authorization"). The configuration says which role each
 * may have; the role must trust them as well.
 */
import middy from '@middy/core'
import type { Context } from 'aws-lambda'
import { AWS_PROVIDER, awsCallerOf, parseAwsCallers } from '../../shared/authn/aws-callers.ts'
import { sessionNameOf } from '../../shared/authn/session-name.ts'
import { QueryError } from '../../shared/errors.ts'
import { AMZ_JSON, parseJson } from '../../shared/lambda/amz-json.ts'
import { environment } from '../../shared/lambda/environment.ts'
import {
  type Event,
  errorAnswer,
  type Handler,
  type Internal,
  type Middleware,
  type Result,
  requestId,
} from '../../shared/lambda/middlewares.ts'
import { bodyOf } from '../../shared/lambda/origin.ts'
import { toQueryError } from '../../shared/lambda/query-stack.ts'
import { findRole } from '../../shared/pipeline/role-trust.ts'
import { decode, integer, structure } from '../../shared/pipeline/shape.ts'
import { beginFederated } from './federated-session.ts'
import { arn } from './sts-members.ts'

const request = structure({
  /** One of those that the caller is mapped to; absent: the first. */
  RoleArn: arn,
  DurationSeconds: integer({ min: 900, max: 43_200 }),
})

const NAME = 'ExchangeCredentials'
const REFUSED =
  'No AWS identity came with this request, or none that is mapped to a role: sign it for execute-api and call API Gateway itself.'

export const handler: Handler = middy<Event, Result, Error, Context, Internal>()
  .use(requestId()) // every answer, good or bad, carries its id
  .use(errorAnswer(NAME, errorResult)) // whatever is thrown below becomes an error in JSON
  .use(identified()) // so that the record has the id too
  .handler((event) => exchange(event as unknown as Identified))

interface Identified {
  readonly event: Event
  readonly id: string
}

function identified(): Middleware {
  return {
    before: function identifiedBefore(request) {
      const { event, internal } = request
      request.event = { event, id: internal.requestId } as unknown as Event
    },
  }
}

async function exchange({ event, id }: Identified): Promise<Result> {
  const caller = awsCallerOf(iamOf(event))
  const mappings = parseAwsCallers(process.env.KEYHOLD_AWS_CALLERS ?? '')
  const roles = mappings.filter(({ principal }) => principal === caller?.principal)
  if (caller === null || roles.length === 0) throw refused()
  const { RoleArn, DurationSeconds } = decode(request, parseJson(bodyOf(event)))
  const mapped = roles.find(({ roleArn }) => roleArn === (RoleArn ?? roleArn))
  const { services } = await environment()
  const named = mapped === undefined ? null : await findRole(mapped.roleArn, services)
  const [region] = services.regions
  if (named === null || region === undefined) throw refused()
  const { sourceIp, userAgent } = event.requestContext.http
  const session = await beginFederated(
    {
      eventName: NAME,
      named,
      federated: {
        provider: AWS_PROVIDER,
        subject: caller.principal,
        audience: caller.account,
      },
      sessionName: sessionNameOf(caller.name),
      claimed: () => ({ tags: [], transitiveTagKeys: [], sourceIdentity: null }),
      policy: undefined,
      policyArns: undefined,
      durationSeconds: DurationSeconds,
      recorded: {},
    },
    { services, region, requestId: id, sourceIp, userAgent, secure: true },
  )
  const { Credentials, AssumedRoleUser } = session
  // As the SDKs read it from a `credential_process`.
  return jsonResult(200, id, { Version: 1, ...Credentials, AssumedRoleUser })
}

/** What API Gateway's authorizer found out; nothing that a client sends gets there. */
function iamOf({ requestContext }: Event): { accountId?: unknown; userArn?: unknown } {
  const { authorizer } = requestContext as { authorizer?: { iam?: object } }
  return authorizer?.iam ?? {}
}

const refused = (): QueryError => new QueryError('AccessDenied', 403, REFUSED)

function errorResult(error: unknown, id: string): Result {
  const { status, code, text } = toQueryError(error)
  return jsonResult(status, id, { __type: code, message: text })
}

const jsonResult = (statusCode: number, id: string, body: object): Result => ({
  statusCode,
  headers: {
    'content-type': AMZ_JSON,
    'x-amzn-requestid': id,
    'cache-control': 'no-cache, no-store, must-revalidate, private',
  },
  body: JSON.stringify(body),
})
