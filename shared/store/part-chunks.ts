/**
 * The part table of an object. A short one lies in the object's own item; a long one would not fit
 * there (DynamoDB: 400 KB an item) and lies in chunks, written under a name of their own before the
 * object that names them and removed after it.
 */
import { randomBytes } from 'node:crypto'
import { type AccountId, type BucketName, bucketNameOf, parseAccountId } from '../ids.ts'
import {
  encodeBase64,
  type Item,
  integer,
  isListOf,
  isRecord,
  isTextMap,
  json,
  parsed,
  record,
  text,
} from './attribute-values.ts'
import type { ObjectRecord, PartRecord } from './records.ts'
import { type ItemKey, requirePlace, sortable, type Table } from './table.ts'

/** A part as JSON: bytes in base64. */
interface StoredPart extends Omit<PartRecord, 'salt' | 'commitment'> {
  readonly salt: string
  readonly commitment: string
}

const TEXTS = ['blob', 'salt', 'commitment', 'etag'] as const
const NUMBERS = ['partNumber', 'size', 'createdAt'] as const

const isStoredPart = (value: unknown): value is StoredPart =>
  isRecord(value) &&
  TEXTS.every((name) => typeof value[name] === 'string') &&
  NUMBERS.every((name) => Number.isSafeInteger(value[name])) &&
  isTextMap(value.checksums)

/** The attribute that holds parts, inline or in a chunk. */
export const storedParts = json(isListOf(isStoredPart))

export const toStoredPart = (part: PartRecord): StoredPart => ({
  partNumber: part.partNumber,
  blob: part.blob,
  salt: encodeBase64(part.salt),
  commitment: encodeBase64(part.commitment),
  size: part.size,
  etag: part.etag,
  checksums: part.checksums,
  createdAt: part.createdAt,
})

export const toPart = (part: StoredPart): PartRecord => ({
  partNumber: part.partNumber,
  blob: part.blob,
  salt: Buffer.from(part.salt, 'base64'),
  commitment: Buffer.from(part.commitment, 'base64'),
  size: part.size,
  etag: part.etag,
  checksums: part.checksums,
  createdAt: part.createdAt,
})

/** Beyond this many parts the table lies in chunks, so that listings do not read through it. */
const MAX_INLINE = 32
/** About 100 KB each: some 350 bytes a part, well below an item's limit with long checksums too. */
const PARTS_PER_CHUNK = 300

/** Names the chunks of one written object; no two writes share them. */
export interface ChunkSet {
  readonly account: AccountId
  readonly bucket: BucketName
  readonly set: string
  readonly chunks: number
}

interface Chunk extends Omit<ChunkSet, 'chunks'> {
  readonly chunk: number
}
const chunkIdentity = record<Chunk>({
  account: parsed(parseAccountId),
  bucket: parsed(bucketNameOf),
  set: text,
  chunk: integer,
})

const partsPartition = (account: AccountId, bucket: BucketName): string =>
  `${account}#bucket#${bucket}#parts`
const chunkPlace = (of: Chunk): ItemKey => ({
  pk: partsPartition(of.account, of.bucket),
  sk: `${of.set}#${sortable(of.chunk)}`,
})

/** @returns the set that the object's parts go to, `null` when they fit into its own item */
export const chunkSetFor = (object: ObjectRecord): ChunkSet | null =>
  object.parts.length <= MAX_INLINE
    ? null
    : {
        account: object.account,
        bucket: object.bucket,
        set: `${object.versionId}#${randomBytes(9).toString('base64url')}`,
        chunks: Math.ceil(object.parts.length / PARTS_PER_CHUNK),
      }

/** Writes all parts under the set's name. */
export async function writeChunks(
  table: Table,
  set: ChunkSet,
  parts: readonly PartRecord[],
): Promise<void> {
  for (const chunk of chunksOf(set)) {
    const start = chunk.chunk * PARTS_PER_CHUNK
    const stored = parts.slice(start, start + PARTS_PER_CHUNK).map(toStoredPart)
    const item = { ...chunkIdentity.encode(chunk), parts: JSON.stringify(stored) }
    await table.put(chunkPlace(chunk), item)
  }
}

/**
 * @returns the parts, `null` when chunks are missing: the object was replaced since its item was read
 * @throws RowMalformed, RowMisplaced
 */
export async function readChunks(table: Table, set: ChunkSet): Promise<PartRecord[] | null> {
  const { items } = await table.query({
    partition: partsPartition(set.account, set.bucket),
    range: {
      expression: 'begins_with(#range, :set)',
      values: { ':set': `${set.set}#` },
    },
  })
  return items.length === set.chunks ? items.flatMap(parseChunk) : null
}

export const removeChunks = (table: Table, set: ChunkSet): Promise<void> =>
  table.deleteAll([...chunksOf(set)].map(chunkPlace))

function* chunksOf({ account, bucket, set, chunks }: ChunkSet): Generator<Chunk> {
  for (let chunk = 0; chunk < chunks; chunk++) yield { account, bucket, set, chunk }
}

function parseChunk(item: Item): PartRecord[] {
  requirePlace(item, chunkPlace(chunkIdentity.parse(item)))
  return storedParts.parse(item.parts, 'parts').map(toPart)
}
