/**
 * The manifest tag: HMAC-SHA-256 over a whole `ObjectRecord` under a key of the object's own, so
 * that whoever can write to the index can change nothing in a record without it being seen: not a
 * size, not the order of parts, not an ETag, not the key that is to be asked. Rolling an object back
 * to a whole earlier record is not covered.
 *
 * ```
 * key    KDF (crypto/kdf.ts) of the object key, label "keyhold manifest key v1"
 * input  "keyhold-manifest-1" │ every field of the record in the order of `objectFields` below
 * ```
 * Fields are encoded as in field-writer.ts; maps and lists begin with their length, maps are in the
 * byte order of their names, and what may be `null` begins with a flag. The encoding is frozen.
 */
import { createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto'
import { deriveBytes } from '../crypto/kdf.ts'
import { encodeText } from '../crypto/text.ts'
import type { ObjectEncryption, ObjectRecord, PartRecord } from '../store/records.ts'
import { FieldWriter } from './field-writer.ts'

const LABEL = 'keyhold manifest key v1'
const FORMAT_ID = 'keyhold-manifest-1'
const KEY_LENGTH = 32
const noContext = Buffer.alloc(0)

/** A record as it is before its tag is known; `rev` counts writes and is the store's own. */
export type Manifest = Omit<ObjectRecord, 'manifestTag' | 'rev'>

/** How each field of a record is written. A field that is missing here does not compile. */
type Fields<T> = { readonly [Name in keyof T]-?: (out: FieldWriter, value: T[Name]) => void }

const text = (out: FieldWriter, value: string): void => out.text(value)
const number = (out: FieldWriter, value: number): void => out.number(value)
const flag = (out: FieldWriter, value: boolean): void => out.flag(value)
const bytes = (out: FieldWriter, value: Uint8Array): void => out.bytes(value)

const partFields: Fields<PartRecord> = {
  partNumber: number,
  blob: text,
  salt: bytes,
  commitment: bytes,
  size: number,
  etag: text,
  checksums: writeMap,
  createdAt: number,
}

const sseS3Fields: Fields<Extract<ObjectEncryption, { mode: 'SSE-S3' }>> = {
  mode: text,
  tenantKeyVersion: number,
  wrappedObjectKey: bytes,
}

const sseKmsFields: Fields<Extract<ObjectEncryption, { mode: 'SSE-KMS' }>> = {
  mode: text,
  keyArn: text,
  dataKeyBlob: bytes,
  encryptionContext: writeMap,
  wrappedObjectKey: bytes,
}

const objectFields: Fields<Manifest> = {
  account: text,
  bucket: text,
  key: text,
  versionId: text,
  size: number,
  etag: text,
  createdAt: number,
  systemMetadata: writeMap,
  userMetadata: writeMap,
  checksums: writeMap,
  checksumType: writeTextOrNull,
  encryption: writeEncryption,
  parts: writeParts,
  multipart: flag,
}

/**
 * @param objectKey - 32 bytes
 * @param record - `manifestTag` and `rev`, if it has them, do not count
 * @returns 32 bytes
 */
export function manifestTag(objectKey: KeyObject | Uint8Array, record: Manifest): Buffer {
  const raw = deriveBytes(objectKey, LABEL, noContext, KEY_LENGTH)
  const hmac = createHmac('sha256', createSecretKey(raw))
  raw.fill(0)
  const out = new FieldWriter((stretch) => hmac.update(stretch))
  out.text(FORMAT_ID)
  writeFields(out, objectFields, record)
  out.flush()
  return hmac.digest()
}

/**
 * @returns whether the record is, in every field, the one that its tag was made for. Nothing of a
 *   record may be acted on before, except what it takes to get at the object key.
 */
export function verifyManifest(objectKey: KeyObject | Uint8Array, record: ObjectRecord): boolean {
  const expected = manifestTag(objectKey, record)
  return (
    record.manifestTag.length === expected.length && timingSafeEqual(record.manifestTag, expected)
  )
}

function writeFields<T extends object>(out: FieldWriter, fields: Fields<T>, value: T): void {
  for (const name in fields) fields[name](out, value[name])
}

function writeParts(out: FieldWriter, parts: readonly PartRecord[]): void {
  out.number(parts.length)
  for (const part of parts) writeFields(out, partFields, part)
}

function writeEncryption(out: FieldWriter, encryption: ObjectEncryption): void {
  switch (encryption.mode) {
    case 'SSE-S3':
      writeFields(out, sseS3Fields, encryption)
      break
    case 'SSE-KMS':
      writeFields(out, sseKmsFields, encryption)
      break
    default:
      encryption satisfies never
  }
}

function writeTextOrNull(out: FieldWriter, value: string | null): void {
  out.flag(value !== null)
  if (value !== null) out.text(value)
}

function writeMap(out: FieldWriter, map: Readonly<Record<string, string>>): void {
  const names = Object.keys(map)
  out.number(names.length)
  if (names.length > 1) names.sort(byBytes)
  for (const name of names) {
    out.text(name)
    out.text(map[name] as string)
  }
}

const byBytes = (one: string, other: string): number =>
  Buffer.compare(encodeText(one), encodeText(other))
