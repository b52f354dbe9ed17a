/** When a signature is good: around the time of signing, or for as long as a presigned URL says. */
import { type Refusal, refuse } from './failure.ts'
import type { Presented } from './presented.ts'
import type { ServiceRules } from './service-rules.ts'
import { parseHttpDate, parseSigningDate } from './signing-date.ts'

/** A week: Amazon S3 API, "Authenticating requests: using query parameters". */
export const MAX_EXPIRES_SECONDS = 604_800

/**
 * @param now - milliseconds since the epoch
 * @returns the time of signing in milliseconds since the epoch, or why the request is not good now
 */
export function readSigningTime(
  presented: Presented,
  rules: ServiceRules,
  now: number,
): number | Refusal {
  const { via, date } = presented
  const signedAt = parseSigningDate(date) ?? (via === 'header' ? parseHttpDate(date) : null)
  if (signedAt === null) return refuse({ kind: 'bad-date', via, given: date })
  const window = { via, signedAt, now, windowMs: rules.windowMs }
  if (presented.expires !== null) {
    const expiresSeconds = readExpires(presented.expires)
    if (typeof expiresSeconds !== 'number') return expiresSeconds
    if (signedAt - now > rules.windowMs) return refuse({ kind: 'not-yet', ...window })
    if (now > signedAt + expiresSeconds * 1000) {
      return refuse({ kind: 'presigned-expired', signedAt, now, expiresSeconds })
    }
    return signedAt
  }
  if (now - signedAt > rules.windowMs) return refuse({ kind: 'expired', ...window })
  if (signedAt - now > rules.windowMs) return refuse({ kind: 'not-yet', ...window })
  return signedAt
}

function readExpires(text: string): number | Refusal {
  if (!/^-?[0-9]{1,15}$/.test(text)) return refuse({ kind: 'bad-expires', fault: 'not-a-number' })
  const seconds = Number(text)
  if (seconds <= 0) return refuse({ kind: 'bad-expires', fault: 'negative' })
  if (seconds > MAX_EXPIRES_SECONDS) return refuse({ kind: 'bad-expires', fault: 'too-long' })
  return seconds
}
