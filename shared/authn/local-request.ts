/**
 * Whether a request can be believed to come from a program on this machine. A stack that listens on
 * loopback only is still reached by every page in a browser on the machine (by its address, or by a
 * name of the page's own that is made to lead there), and by whoever a proxy beside it lets through.
 */
import type { SignedRequest } from './request.ts'

/** Put on by proxies: RFC 7239, RFC 9110 section 7.6.3, and what was usual before. */
const PROXY_HEADERS = ['forwarded', 'via', 'x-forwarded-for', 'x-forwarded-host', 'x-real-ip']
const LOOPBACK_NAME = /^(?:localhost|127(?:\.[0-9]{1,3}){3}|\[::1\])$/
const LOOPBACK_ADDRESS = /^(?:127(?:\.[0-9]{1,3}){3}|::1)$/

/** @returns why it cannot, as the end of a sentence; `null` when nothing speaks against it */
export function whyNotLocal(headers: SignedRequest['headers']): string | null {
  const host = headers.get('host') ?? []
  if (host.length !== 1 || !isLoopbackName(withoutPort(host[0] ?? ''))) {
    return 'that name localhost, 127.0.0.1 or [::1] as their host'
  }
  const site = headers.get('sec-fetch-site')?.[0] ?? 'none'
  if (headers.has('origin') || site !== 'none') return 'that no page in a browser makes'
  const proxied = PROXY_HEADERS.some((name) => headers.has(name))
  return proxied ? 'that come through no proxy' : null
}

/** @param name - of a host, as it stands in a URL */
export const isLoopbackName = (name: string): boolean => LOOPBACK_NAME.test(name.toLowerCase())

/** @param address - of a socket's end; an IPv4 address not in its IPv6 form */
export const isLoopbackAddress = (address: string): boolean => LOOPBACK_ADDRESS.test(address)

const withoutPort = (host: string): string => host.replace(/:[0-9]*$/, '')
