/** How an object's key is wrapped, as attributes of an object's or an upload's item. */
import {
  bytes,
  type Item,
  integer,
  isTextMap,
  json,
  oneOf,
  record,
  text,
} from './attribute-values.ts'
import type { ObjectEncryption } from './records.ts'

type Managed = Extract<ObjectEncryption, { mode: 'SSE-S3' }>
type UnderKey = Extract<ObjectEncryption, { mode: 'SSE-KMS' }>

const managed = record<Managed>({
  mode: oneOf('SSE-S3'),
  tenantKeyVersion: integer,
  wrappedObjectKey: bytes,
})
const underKey = record<UnderKey>({
  mode: oneOf('SSE-KMS'),
  keyArn: text,
  dataKeyBlob: bytes,
  encryptionContext: json(isTextMap),
  wrappedObjectKey: bytes,
})
const mode = oneOf('SSE-S3', 'SSE-KMS')

export const encodeEncryption = (encryption: ObjectEncryption): Item =>
  encryption.mode === 'SSE-S3' ? managed.encode(encryption) : underKey.encode(encryption)

/** @throws RowMalformed */
export const parseEncryption = (item: Item): ObjectEncryption =>
  mode.parse(item.mode, 'mode') === 'SSE-S3' ? managed.parse(item) : underKey.parse(item)
