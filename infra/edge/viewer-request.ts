/**
 * The edge as a CloudFront function for viewer requests (CloudFront Developer Guide, "Event
 * structure"). A request for S3 goes to the origin that streams its answers.
 */
import { OWN_PREFIX, route } from './route.ts'

interface HeaderValue {
  value: string
  multiValue?: { value: string }[]
}

/** The parts of CloudFront's event that are read or set here. */
export interface ViewerRequestEvent {
  readonly viewer: { readonly ip: string }
  readonly request: {
    readonly method: string
    uri: string
    querystring: unknown
    /** `undefined` when there is no `?`. */
    rawQueryString(): string | undefined
    headers: Record<string, HeaderValue>
  }
}

/** Of the module `cloudfront` that the runtime brings, what is used here. */
export interface CloudFront {
  selectRequestOriginById(originId: string): void
}

/** The origin of the distribution that streams; all others are served by its default origin. */
export const STREAMING_ORIGIN = 'blobs'

/** Set by the build, since the runtime has no settings: hosts, parted by commas. */
const S3_HOSTS = (process.env.KEYHOLD_S3_HOSTS || '').split(',').filter(Boolean)

/** @returns CloudFront's request, changed into what the origin gets */
export function viewerRequest(
  event: ViewerRequestEvent,
  cloudFront: CloudFront,
): ViewerRequestEvent['request'] {
  const request = event.request
  const routed = route({
    method: request.method,
    path: request.uri,
    query: request.rawQueryString() || '',
    headers: joined(request.headers),
    sourceIp: event.viewer.ip,
    s3Hosts: S3_HOSTS,
  })
  for (const name in request.headers) {
    // Host is read-only here; the origin request policy leaves it out. One of our own that a client
    // sent must not stand where the edge's belongs.
    const goesOn = name === 'host' || routed.headers[name] !== undefined
    if (!goesOn || name.indexOf(OWN_PREFIX) === 0) delete request.headers[name]
  }
  for (const name in routed.headers) {
    if (request.headers[name] === undefined) {
      request.headers[name] = { value: routed.headers[name] as string }
    }
  }
  request.uri = routed.path
  request.querystring = ''
  if (routed.path.indexOf('/s3/') === 0) cloudFront.selectRequestOriginById(STREAMING_ORIGIN)
  return request
}

function joined(headers: Record<string, HeaderValue>): Record<string, string> {
  const result: Record<string, string> = {}
  for (const name in headers) {
    const header = headers[name] as HeaderValue
    result[name] = header.multiValue
      ? header.multiValue.map((entry) => entry.value).join(',')
      : header.value
  }
  return result
}
