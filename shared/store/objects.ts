/** The object index. Putting an object's item is the one commit point of a write. */
import type { Item } from './attribute-values.ts'
import {
  encodeObject,
  kmsKeyOf,
  objectPlace,
  objectsPartition,
  parseParts,
  parseSummary,
} from './object-rows.ts'
import { type ChunkSet, chunkSetFor, readChunks, removeChunks, writeChunks } from './part-chunks.ts'
import type { ObjectRecord, ObjectSummary, Page } from './records.ts'
import {
  ConditionFailed,
  type ObjectRepository,
  RowMalformed,
  StoreUnavailable,
} from './repositories.ts'
import {
  type Condition,
  type ItemKey,
  keyOf,
  nobodyChangedSince,
  nothingIsThere,
  type QueryRequest,
  type Table,
} from './table.ts'

/** S3 User Guide, "Naming Amazon S3 objects"; also what DynamoDB allows a sort key. */
const MAX_NAME_BYTES = 1024
/** How often an object may be replaced while it is read. */
const READ_ATTEMPTS = 5

/** @param table - `objects` */
export function openObjects(table: Table): ObjectRepository {
  return {
    get: (account, bucket, key) => readObject(table, objectPlace(account, bucket, key)),
    put: (object, replaces) => putObject(table, object, replacing(replaces)),
    async delete(account, bucket, key, rev) {
      const condition = rev === undefined ? undefined : nobodyChangedSince(rev)
      const old = await table.delete(objectPlace(account, bucket, key), condition)
      return old && takeOut(table, old)
    },
    listBlobs: (account, bucket, limit, after) =>
      listBlobs(table, objectsPartition(account, bucket), limit, after),
    async list(account, bucket, { prefix, after, limit }) {
      const span = spanOf(objectsPartition(account, bucket), prefix, after)
      return span === null ? { items: [], next: null } : listSpan(table, span, after, limit)
    },
    listByKey: (account, keyArn, limit, after) =>
      listByKey(table, kmsKeyOf(account, keyArn), limit, after),
  }
}

async function listBlobs(
  table: Table,
  partition: string,
  limit: number,
  after: string | null,
): Promise<Page<string>> {
  const startAfter = after === null ? {} : { startAfter: { pk: partition, sk: after } }
  const { items, more } = await table.query({ partition, ...startAfter, limit })
  const blobs: string[] = []
  for (const item of items) {
    const { key, account, bucket } = parseSummary(item)
    // Its chunks go when an object is replaced; what is there by now is read then.
    const object =
      (await assemble(table, item)) ?? (await readObject(table, objectPlace(account, bucket, key)))
    blobs.push(...(object?.parts ?? []).map(({ blob }) => blob))
  }
  const last = items.at(-1)
  return { items: blobs, next: more && last !== undefined ? parseSummary(last).key : null }
}

async function readObject(table: Table, place: ItemKey): Promise<ObjectRecord | null> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS; attempt++) {
    const item = await table.get(place)
    const object = item && (await assemble(table, item))
    if (item === null || object !== null) return object
  }
  throw new RowMalformed('An object whose parts are missing.')
}

/** @returns `null` when its chunks are missing */
async function assemble(table: Table, item: Item): Promise<ObjectRecord | null> {
  const summary = parseSummary(item)
  const stored = parseParts(item, summary)
  const parts = Array.isArray(stored) ? stored : await readChunks(table, stored)
  return parts && { ...summary, parts }
}

function replacing(rev: number | null | undefined): Condition | undefined {
  if (rev === undefined) return undefined
  return rev === null ? nothingIsThere : nobodyChangedSince(rev)
}

async function putObject(
  table: Table,
  object: ObjectRecord,
  condition: Condition | undefined,
): Promise<ObjectRecord | null> {
  requireName(object.key)
  const set = chunkSetFor(object)
  if (set !== null) await writeChunks(table, set, object.parts)
  const old = await commit(table, object, set, condition)
  if (old === null) return null
  const replaced = await takeOut(table, old)
  // The same version again: its blobs are those of the object that was just put.
  return replaced?.versionId === object.versionId ? null : replaced
}

async function commit(
  table: Table,
  object: ObjectRecord,
  set: ChunkSet | null,
  condition: Condition | undefined,
): Promise<Item | null> {
  const place = objectPlace(object.account, object.bucket, object.key)
  try {
    return await table.put(place, encodeObject(object, set), condition)
  } catch (error) {
    // Only a refusal is certain; after anything else the object may be there and need its chunks.
    if (error instanceof ConditionFailed && set !== null) await discard(table, set)
    throw error
  }
}

/**
 * The record of an item that is no longer in the index; its chunks go too. When that fails the write
 * itself has succeeded all the same: `null`, and what is left behind is for the sweeper.
 */
async function takeOut(table: Table, item: Item): Promise<ObjectRecord | null> {
  try {
    const record = await assemble(table, item)
    const stored = record && parseParts(item, record)
    if (stored !== null && !Array.isArray(stored)) await removeChunks(table, stored)
    return record
  } catch (error) {
    if (error instanceof StoreUnavailable) return null
    throw error
  }
}

async function discard(table: Table, set: ChunkSet): Promise<void> {
  try {
    await removeChunks(table, set)
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
  }
}

/** Lone surrogates have no UTF-8 form: two such names would become one. */
function requireName(key: string): void {
  const length = Buffer.byteLength(key)
  if (length === 0 || length > MAX_NAME_BYTES || !key.isWellFormed())
    throw new RangeError('An object name is 1 to 1024 bytes of UTF-8.')
}

const compareBytes = (a: string, b: string): number =>
  Buffer.compare(Buffer.from(a), Buffer.from(b))

/**
 * The query for the names that begin with `prefix` and come after `after`; `null` when there can be
 * none. A sort key takes one condition, so the prefix is that and `after` is where the query starts.
 */
function spanOf(partition: string, prefix: string, after: string | null): QueryRequest | null {
  if (Buffer.byteLength(prefix) > MAX_NAME_BYTES || !prefix.isWellFormed()) return null
  const range = {
    expression: 'begins_with(#range, :prefix)',
    values: { ':prefix': prefix },
  }
  const query = { partition, ...(prefix === '' ? {} : { range }) }
  const start = after === null ? '' : cutToName(after)
  if (start === '' || compareBytes(start, prefix) < 0) return query
  return start.startsWith(prefix) ? { ...query, startAfter: { pk: partition, sk: start } } : null
}

/** The longest beginning of the text that is a name: where no name is longer, it sorts like the whole. */
function cutToName(after: string): string {
  const bytes = Buffer.from(after)
  if (bytes.length <= MAX_NAME_BYTES) return bytes.toString()
  let end = MAX_NAME_BYTES
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1
  return bytes.toString('utf8', 0, end)
}

async function listSpan(
  table: Table,
  span: QueryRequest,
  after: string | null,
  limit: number,
): Promise<Page<ObjectSummary>> {
  const { items, more } = await table.query({ ...span, limit })
  const listed = items.map(parseSummary)
  const next = more ? (listed.at(-1)?.key ?? null) : null
  if (after === null || Buffer.byteLength(after) <= MAX_NAME_BYTES) return { items: listed, next }
  return { items: listed.filter(({ key }) => compareBytes(key, after) > 0), next }
}

const BY_KMS_KEY = { name: 'by-kms-key', hash: 'kmsKey', range: 'sk' }
/** How many items of a page of the index are read again at once. */
const READS_AT_ONCE = 10

async function listByKey(
  table: Table,
  kmsKey: string,
  limit: number,
  after: string | null,
): Promise<Page<ObjectSummary>> {
  const last = after === null ? null : parseCursor(after)
  const startAfter = last === null ? undefined : { ...last, kmsKey }
  const rows = await table.query({ index: BY_KMS_KEY, partition: kmsKey, startAfter, limit })
  const places = rows.items.map(keyOf)
  const items: ObjectSummary[] = []
  for (let at = 0; at < places.length; at += READS_AT_ONCE) {
    const read = places.slice(at, at + READS_AT_ONCE).map((place) => table.get(place))
    for (const item of await Promise.all(read)) {
      // Since the index was written, the object may have gone, or got another key.
      if (item?.kmsKey === kmsKey) items.push(parseSummary(item))
    }
  }
  const end = places.at(-1)
  return { items, next: rows.more && end !== undefined ? JSON.stringify([end.pk, end.sk]) : null }
}

function parseCursor(after: string): ItemKey {
  const [pk = '', sk = ''] = JSON.parse(after) as readonly string[]
  return { pk, sk }
}
