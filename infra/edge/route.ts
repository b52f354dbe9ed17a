/**
 * The edge: tells from a request's method, path, query and headers which function it is for, and
 * moves what its signature covers out of reach of whatever stands between here and that function.
 * API Gateway routes by method and path alone, and drops or rewrites `Authorization` and `Host`
 * (API Gateway Developer Guide, "Important notes").
 *
 * The local gateway imports this file; a CloudFront function is built from it. That runtime knows
 * ECMAScript 5.1 and some of what came later (CloudFront Developer Guide, "JavaScript runtime 2.0
 * features"), hence no `for…of`, destructuring or spread, no classes and
 * no Map here and in what this file imports.
 */
import { bucketOfHost } from './s3-address.ts'
import { s3Operation } from './s3-operation.ts'

export interface EdgeRequest {
  readonly method: string
  /** As received, percent-encoded, without the query. */
  readonly path: string
  /** As received, without `?`; empty when there is none. */
  readonly query: string
  /** Lower-case name → value; what came more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>
  /** The address that the connection came from. */
  readonly sourceIp: string
  /** Lower case, without ports: `<bucket>.<one of them>` is the host of a bucket. */
  readonly s3Hosts: readonly string[]
}

/** What goes on to the origin: method and body as they were, no query, and these. */
export interface RoutedRequest {
  /** `/kms/Encrypt`, `/s3/PutObject`, `/sts`, … */
  readonly path: string
  readonly headers: Record<string, string>
}

/** Headers of this name are Keyhold's own: the edge sets them, and none that a client sent gets through. */
export const OWN_PREFIX = 'x-keyhold-'

const MOVED_HEADERS = ['authorization', 'host']
const OPERATION_NAME = /^[A-Za-z0-9]{1,64}$/
/** Operations of the JSON services by path, as clients of plain HTTP call them. */
const PLAIN_PATH = /^\/(kms|cloudtrail|tenants)\/([A-Za-z0-9]{1,64})$/
/** Where API Gateway tells who calls (functions/sts/exchange.ts). */
const EXCHANGE_PATH = '/sts/exchange'

/** @returns the request as the origin gets it; the argument is left as it was */
export function route(request: EdgeRequest): RoutedRequest {
  const headers = foreignHeaders(request.headers)
  const target = pathOf(request)
  move(headers, 'authorization', request.headers.authorization)
  move(headers, 'host', request.headers.host)
  move(headers, 'path', request.path)
  move(headers, 'query', request.query)
  move(headers, 'source-ip', request.sourceIp)
  move(headers, 'operation', target.operation)
  move(headers, 'bucket', target.bucket)
  return { path: target.path, headers }
}

interface Target {
  readonly path: string
  /** The operation's name, where the path does not tell it. */
  readonly operation?: string
  /** The bucket that the host names, where it names one. */
  readonly bucket?: string
}

function pathOf(request: EdgeRequest): Target {
  const headers = request.headers
  const service = signedService(request)
  if (service === 's3') return s3Target(request)
  if (service === 'sts') return { path: '/sts' }
  const target = headers['x-amz-target']
  if (target !== undefined) return jsonTarget(target)
  const plain = request.method === 'POST' ? plainTarget(request.path) : null
  if (plain !== null) return plain
  if (service === 'keyhold') return { path: '/tenants' }
  if (service === 'kms' || service === 'cloudtrail') return { path: `/${service}/unknown` }
  if (request.path === '/' && isQueryCall(request)) return { path: '/sts' }
  if (request.path === '/' && request.method === 'POST' && isJson(headers))
    return { path: '/kms/unknown' }
  return s3Target(request)
}

/** AWS JSON 1.1: `TrentService.Encrypt`; SDKs differ in how they prefix CloudTrail's targets. */
function jsonTarget(target: string): Target {
  const dot = target.lastIndexOf('.')
  const name = target.slice(dot + 1)
  const operation = OPERATION_NAME.test(name) ? name : 'unknown'
  const prefix = target.slice(0, Math.max(dot, 0))
  if (prefix === 'TrentService') return { path: `/kms/${operation}` }
  if (prefix === 'Keyhold') return { path: '/tenants', operation }
  if (prefix.indexOf('CloudTrail') !== -1) return { path: `/cloudtrail/${operation}` }
  return { path: '/kms/unknown' }
}

/**
 * `POST /kms/Encrypt`, with a bearer token or signed for the service. An object of S3 has no
 * operation that is a POST to its plain path.
 */
function plainTarget(path: string): Target | null {
  if (path === EXCHANGE_PATH) return { path: path }
  const named = PLAIN_PATH.exec(path)
  if (!named) return null
  return named[1] === 'tenants'
    ? { path: '/tenants', operation: named[2] as string }
    : { path: path }
}

/** The AWS Query protocol: `Action` in a form-encoded body or in the query. */
function isQueryCall(request: EdgeRequest): boolean {
  const form = contentType(request.headers).indexOf('application/x-www-form-urlencoded') === 0
  return (request.method === 'POST' && form) || /(?:^|&)Action=/.test(request.query)
}

const isJson = (headers: EdgeRequest['headers']): boolean =>
  /^application\/(?:x-amz-)?json/.test(contentType(headers))

const contentType = (headers: EdgeRequest['headers']): string =>
  (headers['content-type'] || '').toLowerCase()

function s3Target(request: EdgeRequest): Target {
  const bucket = bucketOfHost(request.headers.host || '', request.s3Hosts)
  const operation = s3Operation({
    method: request.method,
    path: request.path,
    query: request.query,
    headers: request.headers,
    hostBucket: bucket,
  })
  if (operation.place === 'own') return { path: `/s3/${operation.name}`, bucket: bucket }
  const path = operation.place === 'settings' ? '/s3/settings' : '/s3/not-implemented'
  return { path: path, operation: operation.name, bucket: bucket }
}

/**
 * The service that the signature is made for, from the credential scope
 * `<access key id>/<date>/<region>/<service>/aws4_request` in the header or, presigned, in the query
 * (AWS General Reference, "Signature Version 4"). Nothing is verified here.
 */
function signedService(request: EdgeRequest): string | null {
  const header = request.headers.authorization
  const scope =
    header !== undefined
      ? /Credential=([^,\s]+)/.exec(header)
      : /(?:^|&)X-Amz-Credential=([^&]*)/.exec(request.query)
  if (!scope) return null
  const parts = (scope[1] || '').split(/\/|%2F/i)
  return parts.length < 4 ? null : parts[parts.length - 2] || null
}

function foreignHeaders(received: EdgeRequest['headers']): Record<string, string> {
  const headers: Record<string, string> = {}
  for (const name in received) {
    if (name.indexOf(OWN_PREFIX) === 0 || MOVED_HEADERS.indexOf(name) !== -1) continue
    headers[name] = received[name] as string
  }
  return headers
}

/** An empty header would not survive every hop, and reads the same as none. */
function move(headers: Record<string, string>, name: string, value: string | undefined): void {
  if (value) headers[OWN_PREFIX + name] = value
}
