/** The canonical request and its hash ("Create a signed AWS API request", steps 1 and 2). */
import { hash } from 'node:crypto'
import { canonicalHeaders } from './canonical-headers.ts'
import { canonicalPath } from './canonical-path.ts'
import { canonicalQuery, type QueryParameter } from './canonical-query.ts'
import type { SignedRequest } from './request.ts'
import type { ServiceRules } from './service-rules.ts'

/** What decides the canonical form of a request, beside the request itself. */
export interface Canonicalization {
  readonly path: ServiceRules['path']
  readonly parameters: readonly QueryParameter[]
  readonly presigned: boolean
  readonly signedHeaders: readonly string[]
  /** Last line: the hash of the payload in hex, or the word that stands for it. */
  readonly payload: string
}

/** @returns the canonical request, or `null` when a signed header did not come with it */
export function canonicalRequest(request: SignedRequest, form: Canonicalization): string | null {
  const headers = canonicalHeaders(request.headers, form.signedHeaders)
  if (headers === null) return null
  const path = canonicalPath(request.path, form.path)
  const query = canonicalQuery(form.parameters, form.presigned ? 'x-amz-signature' : null)
  const names = form.signedHeaders.join(';')
  return `${request.method}\n${path}\n${query}\n${headers}\n${names}\n${form.payload}`
}

/**
 * SHA-256 in hex. Only header values can be more than ASCII; they are bytes, one to a character,
 * unless whoever received the request has decoded them already.
 */
export function canonicalRequestHash(text: string): string {
  if (Buffer.byteLength(text) === text.length) return hash('sha256', text)
  return hash('sha256', Buffer.from(text, isBytes(text) ? 'latin1' : 'utf8'))
}

// Beyond U+00FF 'latin1' would drop bits and make different texts equal.
const isBytes = (text: string): boolean => /^[\p{ASCII}\u0080-\u00ff]*$/u.test(text)
