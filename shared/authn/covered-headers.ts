/** What a signature has to cover, so that nothing that changes a request's meaning can be added to it. */
import { type Refusal, refuse } from './failure.ts'
import type { SignedRequest } from './request.ts'

/** Added by CloudFront on the way. (`x-amzn-…` does not begin with `x-amz-`.) */
const ADDED_ON_THE_WAY = 'x-amz-cf-id'

/**
 * `host` and every `x-amz-` header must be signed. Content-Type need not be: AWS's services do not
 * insist, and tools that send presigned URLs add one.
 *
 * @param hosts - the public hosts, lower case; `*.` at the front stands for any labels; empty = any host
 * @returns `null` when nothing is amiss
 */
export function checkCoveredHeaders(
  headers: SignedRequest['headers'],
  signedHeaders: readonly string[],
  hosts: readonly string[],
): Refusal | null {
  const names = signedHeaders.includes('host') ? [] : ['host']
  for (const name of headers.keys()) {
    if (!name.startsWith('x-amz-') || name === ADDED_ON_THE_WAY) continue
    if (!signedHeaders.includes(name)) names.push(name)
  }
  if (names.length > 0) return refuse({ kind: 'unsigned-headers', names })
  const host = headers.get('host')?.[0]?.toLowerCase() ?? ''
  return isServed(host, hosts) ? null : refuse({ kind: 'wrong-host' })
}

/** @param host - lower case; @param hosts - as `checkCoveredHeaders` takes them */
export const isServed = (host: string, hosts: readonly string[]): boolean =>
  hosts.length === 0 ||
  hosts.some((served) =>
    served.startsWith('*.')
      ? host.length > served.length - 1 && host.endsWith(served.slice(1))
      : host === served,
  )
