/** Multipart uploads that are under way, and their parts. */
import { type AccountId, type BucketName, bucketNameOf, parseAccountId } from '../ids.ts'
import {
  bytes,
  type Item,
  integer,
  nullable,
  oneOf,
  parsed,
  record,
  since,
  text,
} from './attribute-values.ts'
import { encodeEncryption, parseEncryption } from './object-encryption.ts'
import { checksumType, textMap } from './object-rows.ts'
import type { PartRecord, UploadRecord } from './records.ts'
import type { UploadRepository } from './repositories.ts'
import {
  type ItemKey,
  keyOf,
  nobodyChangedSince,
  nothingIsThere,
  requireNextRev,
  requirePlace,
  sortable,
  type Table,
} from './table.ts'

const account = parsed(parseAccountId)
const bucket = parsed(bucketNameOf)

/** `fence` and `completion` as two attributes each, there or not there together. */
interface SplitFields {
  readonly manifestKeyVersion: number | null
  readonly wrappedManifestKey: Uint8Array | null
  readonly fencedBy: 'complete' | 'abort' | null
  readonly fencedSince: number | null
}

const uploadFields = record<
  Omit<UploadRecord, 'encryption' | 'fence' | 'completion'> & SplitFields
>({
  account,
  bucket,
  key: text,
  uploadId: text,
  createdAt: integer,
  systemMetadata: textMap,
  userMetadata: textMap,
  checksumAlgorithm: nullable(text),
  checksumType,
  tags: since(textMap, {}),
  versionId: text,
  completedEtag: nullable(text),
  manifestKeyVersion: nullable(integer),
  wrappedManifestKey: nullable(bytes),
  fencedBy: nullable(oneOf('complete', 'abort')),
  fencedSince: nullable(integer),
  rev: integer,
})

type UploadIdentity = Pick<UploadRecord, 'account' | 'bucket' | 'uploadId'>

const partRow = record<UploadIdentity & PartRecord>({
  account,
  bucket,
  uploadId: text,
  partNumber: integer,
  blob: text,
  salt: bytes,
  commitment: bytes,
  size: integer,
  etag: text,
  checksums: textMap,
  createdAt: integer,
})

const uploadsPartition = (of: AccountId, name: BucketName): string => `${of}#bucket#${name}#uploads`
const uploadPlace = (of: UploadIdentity): ItemKey => ({
  pk: uploadsPartition(of.account, of.bucket),
  sk: of.uploadId,
})
const uploadPartition = (of: UploadIdentity): string =>
  `${of.account}#bucket#${of.bucket}#upload#${of.uploadId}`
const partPlace = (of: UploadIdentity, partNumber: number): ItemKey => ({
  pk: uploadPartition(of),
  sk: sortable(partNumber),
})

/** @param table - `objects` */
export function openUploads(table: Table): UploadRepository {
  return {
    async get(of, name, uploadId) {
      const item = await table.get(uploadPlace({ account: of, bucket: name, uploadId }))
      return item && parseUpload(item)
    },
    async create(upload) {
      await table.put(uploadPlace(upload), encodeUpload(upload), nothingIsThere)
    },
    async update(next, rev) {
      requireNextRev(next, rev)
      await table.put(uploadPlace(next), encodeUpload(next), nobodyChangedSince(rev))
    },
    async delete(upload) {
      // The upload itself last: cut short, it is still there to be removed again.
      await removeParts(table, upload)
      await table.delete(uploadPlace(upload))
    },
    async putPart(upload, part) {
      const item = partRow.encode({ ...identityOf(upload), ...part })
      const old = await table.put(partPlace(upload, part.partNumber), item)
      return old && parsePart(old)
    },
    async parts(upload) {
      const { items } = await table.query({ partition: uploadPartition(upload) })
      return items.map(parsePart)
    },
    async list(of, name) {
      const { items } = await table.query({ partition: uploadsPartition(of, name) })
      return items.map(parseUpload).sort(byKeyThenId)
    },
  }
}

async function removeParts(table: Table, upload: UploadIdentity): Promise<void> {
  const { items } = await table.query({ partition: uploadPartition(upload) })
  await table.deleteAll(items.map(keyOf))
}

const identityOf = (upload: UploadRecord): UploadIdentity => ({
  account: upload.account,
  bucket: upload.bucket,
  uploadId: upload.uploadId,
})

export const DUE_UPLOADS = 'upload'

/** An upload that nobody completes is due for removal by its age. */
const encodeUpload = (upload: UploadRecord): Item => ({
  ...uploadFields.encode({
    ...upload,
    manifestKeyVersion: upload.completion?.tenantKeyVersion ?? null,
    wrappedManifestKey: upload.completion?.wrappedManifestKey ?? null,
    fencedBy: upload.fence?.by ?? null,
    fencedSince: upload.fence?.since ?? null,
  }),
  ...encodeEncryption(upload.encryption),
  dueKind: DUE_UPLOADS,
  dueAt: upload.createdAt,
})

function parseUpload(item: Item): UploadRecord {
  const { fencedBy, fencedSince, manifestKeyVersion, wrappedManifestKey, ...fields } =
    uploadFields.parse(item)
  requirePlace(item, uploadPlace(fields))
  const fence =
    fencedBy === null || fencedSince === null ? null : { by: fencedBy, since: fencedSince }
  const completion =
    manifestKeyVersion === null || wrappedManifestKey === null
      ? null
      : { tenantKeyVersion: manifestKeyVersion, wrappedManifestKey }
  return { ...fields, fence, completion, encryption: parseEncryption(item) }
}

function parsePart(item: Item): PartRecord {
  const { account: of, bucket: name, uploadId, ...part } = partRow.parse(item)
  requirePlace(item, partPlace({ account: of, bucket: name, uploadId }, part.partNumber))
  return part
}

const byKeyThenId = (a: UploadRecord, b: UploadRecord): number =>
  Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)) ||
  Buffer.compare(Buffer.from(a.uploadId), Buffer.from(b.uploadId))
