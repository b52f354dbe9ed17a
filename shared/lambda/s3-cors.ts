/**
 * Answers to browsers that ask for pages of other origins (Amazon S3 User Guide, "Using cross-origin
 * resource sharing"; the Fetch standard, "CORS protocol").
 */

import { S3Error } from '../blobs/s3-error.ts'
import { type AccountId, parseAccessKeyId } from '../ids.ts'
import type { CorsRule } from '../store/records.ts'
import type { BucketRepository } from '../store/repositories.ts'
import type { AccessKeys } from '../tenants/access-keys.ts'

type Headers = Readonly<Record<string, string>>

/** What a browser says of the request that it makes, or is about to make. */
export interface CrossOrigin {
  readonly origin: string
  readonly method: string
  /** Lower-case names of headers that it would send; none for the request itself. */
  readonly headers: readonly string[]
}

const VARY = 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method'

/** @returns the headers by which the first rule that fits allows it; `null` when none does */
export function corsHeaders(rules: readonly CorsRule[], asked: CrossOrigin): Headers | null {
  for (const rule of rules) {
    const origin = rule.allowedOrigins.find((pattern) => matches(pattern, asked.origin))
    const isMethod = rule.allowedMethods.includes(asked.method)
    if (origin === undefined || !isMethod || !allowsHeaders(rule, asked.headers)) continue
    return headersOf(rule, origin === '*' ? '*' : asked.origin, asked.headers)
  }
  return null
}

/**
 * Whose bucket is meant: a question ahead of a presigned request names the access key, as that
 * request will; nothing else tells, since two tenants may have buckets of one name.
 */
export async function accountAsking(
  credential: string | undefined,
  accessKeys: Pick<AccessKeys, 'find'>,
): Promise<AccountId | null> {
  const id = parseAccessKeyId(credential?.split('/')[0] ?? '')
  const found = id && (await accessKeys.find(id))
  return found?.principal.account ?? null
}

/** @throws S3Error AccessForbidden, alike for buckets that there are and that there are not */
export async function preflight(
  account: AccountId | null,
  bucket: Parameters<BucketRepository['get']>[1],
  asked: CrossOrigin,
  buckets: BucketRepository,
): Promise<Headers> {
  const found = account && (await buckets.get(account, bucket))
  const allowed = corsHeaders(found?.settings.cors ?? [], asked)
  if (allowed !== null) return allowed
  throw new S3Error(
    'AccessForbidden',
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
    { Method: asked.method, ResourceType: 'OBJECT' },
  )
}

function headersOf(rule: CorsRule, origin: string, asked: readonly string[]): Headers {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': rule.allowedMethods.join(', '),
    ...(asked.length === 0 ? {} : { 'access-control-allow-headers': asked.join(', ') }),
    ...(rule.exposeHeaders.length === 0
      ? {}
      : { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }),
    ...(rule.maxAgeSeconds === null
      ? {}
      : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    ...(origin === '*' ? {} : { 'access-control-allow-credentials': 'true' }),
    vary: VARY,
  }
}

const allowsHeaders = ({ allowedHeaders }: CorsRule, asked: readonly string[]): boolean =>
  asked.every((name) =>
    allowedHeaders.some((pattern) => matches(pattern.toLowerCase(), name.toLowerCase())),
  )

/** A pattern has one `*` at most. */
function matches(pattern: string, text: string): boolean {
  const at = pattern.indexOf('*')
  if (at === -1) return pattern === text
  const [before, after] = [pattern.slice(0, at), pattern.slice(at + 1)]
  const isLongEnough = text.length >= before.length + after.length
  return isLongEnough && text.startsWith(before) && text.endsWith(after)
}
