/** How an object's key is wrapped, as attributes of an object's or an upload's item. */
import {
  bytes,
  flag,
  type Item,
  integer,
  isTextMap,
  json,
  oneOf,
  type RecordCodec,
  record,
  since,
  text,
} from './attribute-values.ts'
import type { ObjectEncryption } from './records.ts'

type Mode = ObjectEncryption['mode']

const codecs: { readonly [M in Mode]: RecordCodec<Extract<ObjectEncryption, { mode: M }>> } = {
  'SSE-S3': record({
    mode: oneOf('SSE-S3'),
    tenantKeyVersion: integer,
    wrappedObjectKey: bytes,
  }),
  'SSE-KMS': record({
    mode: oneOf('SSE-KMS'),
    keyArn: text,
    dataKeyBlob: bytes,
    encryptionContext: json(isTextMap),
    bucketKey: since(flag, false),
    wrappedObjectKey: bytes,
  }),
  'DSSE-KMS': record({
    mode: oneOf('DSSE-KMS'),
    keyArn: text,
    dataKeyBlob: bytes,
    encryptionContext: json(isTextMap),
    wrappedObjectKey: bytes,
    tenantKeyVersion: integer,
    wrappedOuterKey: bytes,
  }),
  'SSE-C': record({
    mode: oneOf('SSE-C'),
    customerKeySalt: bytes,
    customerKeyCommitment: bytes,
    wrappedObjectKey: bytes,
  }),
}
const mode = oneOf('SSE-S3', 'SSE-KMS', 'DSSE-KMS', 'SSE-C')

export const encodeEncryption = (encryption: ObjectEncryption): Item =>
  codecOf(encryption.mode).encode(encryption)

/** @throws RowMalformed */
export const parseEncryption = (item: Item): ObjectEncryption =>
  codecOf(mode.parse(item.mode, 'mode')).parse(item)

/** The mode decides the codec, so whatever it encodes or parses is of that mode. */
const codecOf = (of: Mode): RecordCodec<ObjectEncryption> =>
  codecs[of] as RecordCodec<ObjectEncryption>
