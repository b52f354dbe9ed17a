/** How an object lies in the table: place, attributes and back. */
import { type AccountId, type BucketName, bucketNameOf, parseAccountId } from '../ids.ts'
import {
  bytes,
  flag,
  type Item,
  integer,
  isTextMap,
  json,
  nullable,
  oneOf,
  parsed,
  record,
  since,
  text,
} from './attribute-values.ts'
import { encodeEncryption, parseEncryption } from './object-encryption.ts'
import { type ChunkSet, storedParts, toPart, toStoredPart } from './part-chunks.ts'
import type { ObjectRecord, ObjectSummary, PartRecord } from './records.ts'
import { type ItemKey, requirePlace } from './table.ts'

type PlainFields = Omit<ObjectSummary, 'encryption'>

export const checksumType = nullable(oneOf('FULL_OBJECT', 'COMPOSITE'))
export const textMap = json(isTextMap)

const objectFields = record<PlainFields>({
  account: parsed(parseAccountId),
  bucket: parsed(bucketNameOf),
  key: text,
  versionId: text,
  size: integer,
  etag: text,
  createdAt: integer,
  systemMetadata: textMap,
  userMetadata: textMap,
  checksums: textMap,
  checksumType,
  multipart: flag,
  manifestTag: bytes,
  tags: since(textMap, {}),
  rev: integer,
})

export const objectsPartition = (account: AccountId, bucket: BucketName): string =>
  `${account}#bucket#${bucket}#objects`

export const objectPlace = (account: AccountId, bucket: BucketName, key: string): ItemKey => ({
  pk: objectsPartition(account, bucket),
  sk: key,
})

/** The partition of the index of objects by the KMS key that they are under. */
export const kmsKeyOf = (account: AccountId, keyArn: string): string => `${account}#${keyArn}`

/** @param set - where the parts lie; `null`: in the item itself */
export function encodeObject(object: ObjectRecord, set: ChunkSet | null): Item {
  const { encryption } = object
  const kmsKey = 'keyArn' in encryption && kmsKeyOf(object.account, encryption.keyArn)
  return {
    ...objectFields.encode(object),
    ...encodeEncryption(encryption),
    ...(kmsKey ? { kmsKey } : {}),
    ...(set === null
      ? { parts: JSON.stringify(object.parts.map(toStoredPart)) }
      : { partSet: set.set, partChunks: set.chunks }),
  }
}

/** Everything but the parts. @throws RowMalformed, RowMisplaced */
export function parseSummary(item: Item): ObjectSummary {
  const fields = objectFields.parse(item)
  requirePlace(item, objectPlace(fields.account, fields.bucket, fields.key))
  return { ...fields, encryption: parseEncryption(item) }
}

/** @returns the parts, or the name of the chunks that hold them. @throws RowMalformed */
export function parseParts(
  item: Item,
  { account, bucket }: ObjectSummary,
): PartRecord[] | ChunkSet {
  const inline = item.parts
  if (inline !== undefined) return storedParts.parse(inline, 'parts').map(toPart)
  const set = text.parse(item.partSet, 'partSet')
  return { account, bucket, set, chunks: integer.parse(item.partChunks, 'partChunks') }
}
