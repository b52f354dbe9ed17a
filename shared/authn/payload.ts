/** How a request's body is covered by its signature. */
import type { KeyObject } from 'node:crypto'
import { type Refusal, refuse } from './failure.ts'

/** What the signature of each chunk is chained from and made with. */
export interface ChunkSigning {
  /** The signature of the request, which seeds the chain; 64 hex digits. */
  readonly seedSignature: string
  readonly signingKey: KeyObject
  /** `20261123T101500Z` */
  readonly timestamp: string
  /** `20261123/eu-central-1/s3/aws4_request` */
  readonly scope: string
}

export type Payload =
  /** The body as it is; its SHA-256 in hex was signed. */
  | { readonly kind: 'hash'; readonly sha256: string }
  /** The body as it is, not signed. */
  | { readonly kind: 'unsigned' }
  /** aws-chunked, not signed, with a trailer. */
  | { readonly kind: 'unsigned-trailer' }
  /** aws-chunked, every chunk signed. */
  | ({ readonly kind: 'signed-chunks' } & ChunkSigning)
  /** aws-chunked, every chunk and the trailer signed. */
  | ({ readonly kind: 'signed-chunks-trailer' } & ChunkSigning)

/** What `x-amz-content-sha256` declares; `text` is the last line of the canonical request. */
export interface DeclaredPayload {
  readonly kind: Payload['kind']
  readonly text: string
}

const SHA256_HEX = /^[0-9a-f]{64}$/
const MODES: ReadonlyMap<string, Payload['kind']> = new Map([
  ['UNSIGNED-PAYLOAD', 'unsigned'],
  ['STREAMING-UNSIGNED-PAYLOAD-TRAILER', 'unsigned-trailer'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD', 'signed-chunks'],
  ['STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'signed-chunks-trailer'],
])

/**
 * Reads `x-amz-content-sha256`. A value that is none of the modes above is refused.
 * Source: Amazon S3 API, "Signature calculations for the Authorization header".
 */
export function declaredPayload(text: string): DeclaredPayload | Refusal {
  if (SHA256_HEX.test(text)) return { kind: 'hash', text }
  const kind = MODES.get(text)
  if (kind !== undefined) return { kind, text }
  if (text.startsWith('STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD')) {
    return refuse({ kind: 'unsupported-payload' })
  }
  return refuse({ kind: 'bad-payload-hash', given: text })
}

/** The declared payload together with what verifies its chunks, once the request's signature is known to be right. */
export function payloadOf(declared: DeclaredPayload, signing: ChunkSigning): Payload {
  switch (declared.kind) {
    case 'hash':
      return { kind: 'hash', sha256: declared.text }
    case 'unsigned':
    case 'unsigned-trailer':
      return { kind: declared.kind }
    case 'signed-chunks':
    case 'signed-chunks-trailer':
      return { kind: declared.kind, ...signing }
    default:
      return declared.kind satisfies never
  }
}
