/**
 * What the edge moved into headers of its own (infra/edge/route.ts), put back: the request as the
 * client signed it, and where it came from.
 */
import { hash, timingSafeEqual } from 'node:crypto'
import type { APIGatewayProxyEventV2 } from 'aws-lambda'
import type { SignedRequest } from '../authn/request.ts'
import { ApiError } from '../errors.ts'

/** A request without its body, as the client sent it. */
export interface OriginHead {
  readonly request: SignedRequest
  readonly sourceIp: string
  /** Empty when the client sent none. */
  readonly userAgent: string
  /** Whether the client came over TLS. */
  readonly secure: boolean
  /** The operation's name, as the edge read it, where the path does not tell it. */
  readonly operation: string | null
  /** The bucket of S3 that the host names, as the edge read it; empty when it names none. */
  readonly bucket: string
}

export interface Origin extends OriginHead {
  /** The exact bytes. */
  readonly body: Buffer
}

/** The event did not come through the edge, so nothing in it can be believed. */
export class UntrustedOrigin extends ApiError {
  readonly code = 'AccessDenied'
  readonly status = 403

  constructor() {
    super('UntrustedOrigin', 'Access Denied')
  }
}

const OWN_PREFIX = 'x-keyhold-'
/** What CloudFront adds to every request; a client cannot have signed it. */
const EDGE_HEADER = 'x-amz-cf-id'

/**
 * @param secretHash - SHA-256 of the secret that the edge's origin adds; `null`: none is asked for
 * @throws UntrustedOrigin when the event does not carry that secret
 */
export function readOrigin(
  event: APIGatewayProxyEventV2,
  secretHash: Buffer | null = configuredSecretHash(),
): Origin {
  return { ...readOriginHead(event, secretHash), body: bodyOf(event) }
}

/** The same without the body, which is not decoded. */
export function readOriginHead(
  event: APIGatewayProxyEventV2,
  secretHash: Buffer | null = configuredSecretHash(),
): OriginHead {
  const { headers, requestContext } = event
  requireSecret(headers['x-keyhold-origin-secret'], secretHash)
  return {
    request: {
      method: requestContext.http.method,
      path: headers['x-keyhold-path'] ?? event.rawPath,
      query: headers['x-keyhold-query'] ?? '',
      headers: signedHeaders(event),
    },
    sourceIp: headers['x-keyhold-source-ip'] ?? requestContext.http.sourceIp,
    userAgent: headers['user-agent'] ?? '',
    secure: headers['x-forwarded-proto'] === 'https',
    operation: headers['x-keyhold-operation'] ?? null,
    bucket: headers['x-keyhold-bucket'] ?? '',
  }
}

/** @returns the exact bytes of the event's body */
export function bodyOf(event: APIGatewayProxyEventV2): Buffer {
  return Buffer.from(event.body ?? '', event.isBase64Encoded ? 'base64' : 'utf8')
}

function signedHeaders({ headers, cookies }: APIGatewayProxyEventV2): SignedRequest['headers'] {
  const signed = new Map<string, readonly string[]>()
  for (const name in headers) {
    const value = headers[name]
    if (value === undefined || name.startsWith(OWN_PREFIX) || name === EDGE_HEADER) continue
    if (name !== 'host' && name !== 'authorization') signed.set(name, [value])
  }
  const { 'x-keyhold-host': host, 'x-keyhold-authorization': authorization } = headers
  if (host !== undefined) signed.set('host', [host])
  if (authorization !== undefined) signed.set('authorization', [authorization])
  if (cookies !== undefined) signed.set('cookie', [cookies.join('; ')])
  return signed
}

function requireSecret(secret: string | undefined, secretHash: Buffer | null): void {
  if (secretHash === null) return
  if (!timingSafeEqual(hash('sha256', secret ?? '', 'buffer'), secretHash)) {
    throw new UntrustedOrigin()
  }
}

let configured: Buffer | null | undefined

/** From `KEYHOLD_ORIGIN_SECRET_SHA256`, 64 hex digits; read once. */
function configuredSecretHash(): Buffer | null {
  if (configured === undefined) {
    const hex = process.env.KEYHOLD_ORIGIN_SECRET_SHA256 ?? ''
    configured = hex === '' ? null : secretHashOf(hex)
  }
  return configured
}

function secretHashOf(hex: string): Buffer {
  if (!/^[0-9a-f]{64}$/i.test(hex)) {
    throw new Error('KEYHOLD_ORIGIN_SECRET_SHA256 must be 64 hex digits.')
  }
  return Buffer.from(hex, 'hex')
}
