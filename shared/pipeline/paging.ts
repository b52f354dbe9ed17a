/** Pages of a listing, with sealed markers (AWS KMS API reference, "Limit", "Marker", "Truncated"). */
import { JsonError } from '../errors.ts'
import type { Page } from '../store/records.ts'
import type { Call } from './operation.ts'

/** What every list answer ends with. */
export interface Listed {
  readonly Truncated: boolean
  readonly NextMarker?: string
}

export interface PageRequest {
  readonly operation: string
  /** The request's other parameters; a marker is good only with the same. */
  readonly parameters: readonly string[]
  readonly page: { readonly Limit?: number; readonly Marker?: string }
  readonly defaultLimit: number
  readonly maxLimit: number
}

/**
 * @param read - reads a page of at most `limit` entries that come after `after`
 * @throws JsonError InvalidMarkerException for a marker that is altered or of another listing
 */
export async function listPage<Item>(
  call: Call,
  { operation, parameters, page, defaultLimit, maxLimit }: PageRequest,
  read: (limit: number, after: string | null) => Promise<Page<Item>>,
): Promise<Listed & { readonly items: readonly Item[] }> {
  const { markers } = call.services
  const listing = { account: call.caller.account, region: call.region, operation, parameters }
  const after = page.Marker === undefined ? null : await markers.open(listing, page.Marker)
  if (page.Marker !== undefined && after === null) throw new JsonError('InvalidMarkerException')
  const { items, next } = await read(Math.min(page.Limit ?? defaultLimit, maxLimit), after)
  return next === null
    ? { items, Truncated: false }
    : { items, Truncated: true, NextMarker: await markers.seal(listing, next) }
}
