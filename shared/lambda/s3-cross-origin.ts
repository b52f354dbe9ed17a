/** What the stack of S3 does about requests of pages from other origins. */
import { decodedQuery } from '../authn/canonical-query.ts'
import type { BucketRepository } from '../store/repositories.ts'
import type { AccessKeys } from '../tenants/access-keys.ts'
import type { OriginHead } from './origin.ts'
import type { S3Answer } from './s3-answer.ts'
import { accountAsking, corsHeaders, preflight } from './s3-cors.ts'
import { requestAddress, type S3Request } from './s3-request.ts'

/** @returns headers for the answer to a request that a page makes; `null` when there are none */
export async function crossOriginHeaders(
  request: S3Request,
  buckets: BucketRepository,
): Promise<Readonly<Record<string, string>> | null> {
  const origin = request.header('origin')
  if (origin === undefined) return null
  const rules = await request.corsRules(buckets)
  return corsHeaders(rules, { origin, method: request.method, headers: [] })
}

/** @throws S3Error BadRequest for a question that is none, AccessForbidden */
export async function preflightAnswer(
  origin: OriginHead,
  accessKeys: Pick<AccessKeys, 'find'>,
  buckets: BucketRepository,
): Promise<S3Answer> {
  const { request } = origin
  const header = (name: string): string => request.headers.get(name)?.[0] ?? ''
  const credential = decodedQuery(request.query)?.find(({ name }) => name === 'X-Amz-Credential')
  const account = await accountAsking(credential?.value, accessKeys)
  const asked = {
    origin: header('origin'),
    method: header('access-control-request-method'),
    headers: header('access-control-request-headers')
      .split(',')
      .map((name) => name.trim())
      .filter((name) => name !== ''),
  }
  const headers = await preflight(account, requestAddress(origin).bucket, asked, buckets)
  return { status: 200, headers }
}
