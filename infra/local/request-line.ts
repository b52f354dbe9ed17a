/** What the first lines of a request say, as the edge wants to have it. */
import type { IncomingMessage } from 'node:http'

export interface Target {
  /** As received, percent-encoded, without the query. */
  readonly path: string
  /** Without `?`. */
  readonly query: string
}

/** RFC 9112 section 3.2: origin form, or absolute form as sent to proxies; `null` for others. */
export function targetOf(url: string): Target | null {
  const target = url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?]*\/?/i, '/')
  if (!target.startsWith('/')) return null
  const mark = target.indexOf('?')
  return mark === -1
    ? { path: target, query: '' }
    : { path: target.slice(0, mark), query: target.slice(mark + 1) }
}

/** Lower-case names; what came more than once is joined by commas, as API Gateway does. */
export function joinedHeaders({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] as string).toLowerCase()
    const value = rawHeaders[i + 1] as string
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before},${value}`
  }
  return headers
}

/** An IPv4 address of a socket that speaks both stands in IPv6 form. */
export const plainAddress = (address = ''): string =>
  address.startsWith('::ffff:') ? address.slice(7) : address
