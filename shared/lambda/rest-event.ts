/**
 * Only REST APIs stream answers, and they give events of version 1.0 (API Gateway Developer Guide,
 * "Working with AWS Lambda proxy integrations for HTTP APIs"). Handlers know version 2.0 alone.
 */
import type { APIGatewayProxyEvent, APIGatewayProxyEventV2 } from 'aws-lambda'

/** @returns an event of version 2.0: the event itself, or made from one of version 1.0 */
export function asHttpApiEvent(
  event: APIGatewayProxyEvent | APIGatewayProxyEventV2,
): APIGatewayProxyEventV2 {
  if ('version' in event && event.version === '2.0') return event as APIGatewayProxyEventV2
  const rest = event as APIGatewayProxyEvent
  const { requestContext: context } = rest
  const routeKey = `${context.httpMethod} ${context.resourcePath}`
  return {
    version: '2.0',
    routeKey,
    rawPath: rest.path,
    rawQueryString: '',
    headers: joinedHeaders(rest),
    requestContext: {
      accountId: context.accountId,
      apiId: context.apiId,
      domainName: context.domainName ?? '',
      domainPrefix: context.domainPrefix ?? '',
      http: {
        method: context.httpMethod,
        path: rest.path,
        protocol: context.protocol,
        sourceIp: context.identity.sourceIp,
        userAgent: context.identity.userAgent ?? '',
      },
      requestId: context.requestId,
      routeKey,
      stage: context.stage,
      time: context.requestTime ?? '',
      timeEpoch: context.requestTimeEpoch,
    },
    ...(rest.body === null ? {} : { body: rest.body }),
    isBase64Encoded: rest.isBase64Encoded,
  }
}

/** Lower-case names; what came more than once is joined by commas, as in version 2.0. */
function joinedHeaders({ headers, multiValueHeaders }: APIGatewayProxyEvent) {
  const joined: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) {
    if (value !== undefined) joined[name.toLowerCase()] = value
  }
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) {
    if (values !== undefined) joined[name.toLowerCase()] = values.join(',')
  }
  return joined
}
