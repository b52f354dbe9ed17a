/**
 * Walking over what a tenant has stored, stretch by stretch: objects, and multipart uploads under
 * way. Each call goes on for as long as a call may take and gives a marker to go on from, which holds
 * what was counted so far: sealed, so that the last page's sums are ours and nobody else's.
 */
import { JsonError } from '../../shared/errors.ts'
import { type BucketName, bucketNameOf } from '../../shared/ids.ts'
import type { Call } from '../../shared/pipeline/operation.ts'
import { integer, string } from '../../shared/pipeline/shape.ts'
import type { ObjectSummary, UploadRecord } from '../../shared/store/records.ts'

export type Scope =
  | { readonly kind: 'bucket'; readonly bucket: BucketName }
  /** By the index of objects under a key, which may lag behind, and the uploads of all buckets. */
  | { readonly kind: 'key'; readonly keyArn: string }
  /** Everything the tenant has, by reads that miss nothing. */
  | { readonly kind: 'account' }

export interface Stretch {
  readonly objects: readonly ObjectSummary[]
  /** Those that nobody has completed. */
  readonly uploads: readonly UploadRecord[]
}

export interface Pages {
  readonly operation: string
  /** The request's other parameters; a marker is good only with the same. */
  readonly parameters: readonly string[]
  readonly page: { readonly MaxItems?: number; readonly Marker?: string }
}

export interface Walked<Sums> {
  readonly sums: Sums
  /** What the answer says of the pages that follow. */
  readonly listed: { readonly IsTruncated: boolean; readonly Marker?: string }
}

/** Members of a request for a page: it holds an object's name and sums, sealed. */
export const pageMembers = {
  MaxItems: integer({ min: 1, max: 10_000 }),
  Marker: string({ min: 1, max: 8192 }),
}

const DEFAULT_ITEMS = 1000
const STRETCH_ITEMS = 100
/** A call of a function ends after half a minute; what it has begun must be done by then. */
const BUDGET_MS = 8000

interface Position {
  /** `null`: in the index of a key. */
  readonly bucket: string | null
  readonly inUploads: boolean
  readonly after: string | null
}

/**
 * @param none - the sums to begin with; what JSON can hold
 * @param take - does what is to be done with a stretch and adds to the sums
 * @throws JsonError InvalidMarkerException for a marker that is altered or of another request
 */
export async function walkStored<Sums>(
  { operation, parameters, page }: Pages,
  scope: Scope,
  none: Sums,
  take: (stretch: Stretch, sums: Sums) => Promise<Sums>,
  call: Call,
): Promise<Walked<Sums>> {
  const { caller, region, services } = call
  const listing = { account: caller.account, region, operation, parameters }
  let { at, sums } =
    page.Marker === undefined
      ? { at: await startOf(scope, call), sums: none }
      : await openMarker<Sums>(page.Marker, listing, call)
  const deadline = services.wallClock.now() + BUDGET_MS
  let left = page.MaxItems ?? DEFAULT_ITEMS
  while (at !== null && left > 0 && services.wallClock.now() < deadline) {
    const { next, ...stretch } = await stretchAt(at, scope, Math.min(left, STRETCH_ITEMS), call)
    sums = await take(stretch, sums)
    left -= stretch.objects.length + stretch.uploads.length
    at = next
  }
  if (at === null) return { sums, listed: { IsTruncated: false } }
  const Marker = await services.markers.seal(listing, JSON.stringify({ at, sums }))
  return { sums, listed: { IsTruncated: true, Marker } }
}

async function openMarker<Sums>(
  marker: string,
  listing: Parameters<Call['services']['markers']['open']>[0],
  { services }: Call,
): Promise<{ at: Position | null; sums: Sums }> {
  const opened = await services.markers.open(listing, marker)
  if (opened === null) throw new JsonError('InvalidMarkerException')
  return JSON.parse(opened)
}

async function startOf(scope: Scope, call: Call): Promise<Position | null> {
  if (scope.kind === 'key') return { bucket: null, inUploads: false, after: null }
  return at(scope.kind === 'bucket' ? scope.bucket : await bucketAfter(null, call), false)
}

const at = (bucket: string | null, inUploads: boolean): Position | null =>
  bucket === null ? null : { bucket, inUploads, after: null }

type NextStretch = Stretch & { readonly next: Position | null }

async function stretchAt(
  position: Position,
  scope: Scope,
  limit: number,
  call: Call,
): Promise<NextStretch> {
  const { objects } = call.services.store
  const { account } = call.caller
  if (position.inUploads) return uploadsAt(position, scope, call)
  const bucket = position.bucket === null ? null : bucketNameOf(position.bucket)
  const { items, next } =
    bucket === null
      ? await objects.listByKey(account, keyOf(scope), limit, position.after)
      : await objects.list(account, bucket, { prefix: '', after: position.after, limit })
  const following =
    next === null
      ? at(bucket ?? (await bucketAfter(null, call)), true)
      : { ...position, after: next }
  return { objects: items, uploads: [], next: following }
}

async function uploadsAt({ bucket }: Position, scope: Scope, call: Call): Promise<NextStretch> {
  const { account } = call.caller
  const name = bucketNameOf(bucket ?? '')
  const uploads = await call.services.store.uploads.list(account, name)
  const following = scope.kind === 'bucket' ? null : await bucketAfter(name, call)
  return {
    objects: [],
    uploads: uploads.filter((upload) => upload.completedEtag === null && isOf(scope, upload)),
    next: at(following, scope.kind === 'key'),
  }
}

const isOf = (scope: Scope, { encryption }: UploadRecord): boolean =>
  scope.kind !== 'key' || ('keyArn' in encryption && encryption.keyArn === scope.keyArn)

function keyOf(scope: Scope): string {
  if (scope.kind === 'key') return scope.keyArn
  throw new RangeError('Only what is under a key is listed by one.')
}

async function bucketAfter(bucket: string | null, { caller, services }: Call) {
  const { items } = await services.store.buckets.list(caller.account, 1, bucket)
  return items[0]?.bucket ?? null
}
