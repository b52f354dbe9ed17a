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
import { writtenMode } from './object-key.ts'

const LABEL = 'keyhold manifest key v1'
const FORMAT_ID = 'keyhold-manifest-1'
const KEY_LENGTH = 32
const noContext = Buffer.alloc(0)

/** What the tag covers: not `rev`, which is the store's own, and not the object's tags. */
export type Manifest = Omit<ObjectRecord, 'manifestTag' | 'tags' | 'rev'>

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

type Mode = ObjectEncryption['mode']

/** All but the mode, which comes first. */
type EncryptionFields<M extends Mode> = Fields<
  Omit<Extract<ObjectEncryption, { mode: M }>, 'mode' | 'bucketKey'>
>

const sseS3Fields: EncryptionFields<'SSE-S3'> = {
  tenantKeyVersion: number,
  wrappedObjectKey: bytes,
}

const sseKmsFields: EncryptionFields<'SSE-KMS'> = {
  keyArn: text,
  dataKeyBlob: bytes,
  encryptionContext: writeMap,
  wrappedObjectKey: bytes,
}

const dsseKmsFields: EncryptionFields<'DSSE-KMS'> = {
  keyArn: text,
  dataKeyBlob: bytes,
  encryptionContext: writeMap,
  wrappedObjectKey: bytes,
  tenantKeyVersion: number,
  wrappedOuterKey: bytes,
}

const sseCFields: EncryptionFields<'SSE-C'> = {
  customerKeySalt: bytes,
  customerKeyCommitment: bytes,
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
 * @returns 32 bytes, which the caller wipes
 */
export const manifestKey = (objectKey: KeyObject | Uint8Array): Buffer =>
  deriveBytes(objectKey, LABEL, noContext, KEY_LENGTH)

/**
 * @param key - from `manifestKey`
 * @param record - `manifestTag`, `tags` and `rev`, if it has them, do not count
 * @returns 32 bytes
 */
export function manifestTag(key: Uint8Array, record: Manifest): Buffer {
  const hmac = createHmac('sha256', createSecretKey(key))
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
  const key = manifestKey(objectKey)
  const expected = manifestTag(key, record)
  key.fill(0)
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
  out.text(writtenMode(encryption))
  switch (encryption.mode) {
    case 'SSE-S3':
      writeFields(out, sseS3Fields, encryption)
      break
    case 'SSE-KMS':
      writeFields(out, sseKmsFields, encryption)
      break
    case 'DSSE-KMS':
      writeFields(out, dsseKmsFields, encryption)
      break
    case 'SSE-C':
      writeFields(out, sseCFields, encryption)
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
