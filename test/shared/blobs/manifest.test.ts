import { randomBytes } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Manifest,
  manifestKey,
  manifestTag,
  verifyManifest,
} from '../../../shared/blobs/manifest.ts'
import type { AccountId, BucketName } from '../../../shared/ids.ts'
import type { ObjectEncryption, ObjectRecord, PartRecord } from '../../../shared/store/records.ts'

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const bytes = fc.uint8Array({ maxLength: 40 })
const number = fc.maxSafeNat()
const map = fc.dictionary(text, text, { maxKeys: 4 })

const part: fc.Arbitrary<PartRecord> = fc.record({
  partNumber: number,
  blob: text,
  salt: bytes,
  commitment: bytes,
  size: number,
  etag: text,
  checksums: map,
  createdAt: number,
})

const encryption: fc.Arbitrary<ObjectEncryption> = fc.oneof(
  fc.record({
    mode: fc.constant('SSE-S3' as const),
    tenantKeyVersion: number,
    wrappedObjectKey: bytes,
  }),
  fc.record({
    mode: fc.constant('SSE-KMS' as const),
    keyArn: text,
    dataKeyBlob: bytes,
    encryptionContext: map,
    bucketKey: fc.boolean(),
    wrappedObjectKey: bytes,
  }),
  fc.record({
    mode: fc.constant('DSSE-KMS' as const),
    keyArn: text,
    dataKeyBlob: bytes,
    encryptionContext: map,
    wrappedObjectKey: bytes,
    tenantKeyVersion: number,
    wrappedOuterKey: bytes,
  }),
  fc.record({
    mode: fc.constant('SSE-C' as const),
    customerKeySalt: bytes,
    customerKeyCommitment: bytes,
    wrappedObjectKey: bytes,
  }),
)

const manifest: fc.Arbitrary<Manifest> = fc.record({
  account: text.map((value) => value as AccountId),
  bucket: text.map((value) => value as BucketName),
  key: text,
  versionId: text,
  size: number,
  etag: text,
  createdAt: number,
  systemMetadata: map,
  userMetadata: map,
  checksums: map,
  checksumType: fc.constantFrom('FULL_OBJECT', 'COMPOSITE', null),
  encryption,
  parts: fc.array(part, { maxLength: 3 }),
  multipart: fc.boolean(),
})

const objectKey = randomBytes(32)
const tagged = (record: Manifest): ObjectRecord => ({
  ...record,
  manifestTag: manifestTag(manifestKey(objectKey), record),
  tags: {},
  rev: 1,
})

/** Everything that can be changed in a value, each change as a copy with only that changed. */
function* changes(value: unknown): Generator<unknown> {
  if (value === null) yield 'COMPOSITE'
  else if (typeof value === 'number') yield* [value + 1, -value - 1]
  else if (typeof value === 'boolean') yield !value
  else if (typeof value === 'string') yield* [`${value}x`, `\0${value}`]
  else if (value instanceof Uint8Array) yield* changesOfBytes(value)
  else if (Array.isArray(value)) yield* changesOfList(value)
  else yield* changesOfFields(value as Record<string, unknown>)
}

function* changesOfBytes(value: Uint8Array): Generator<Uint8Array> {
  yield Buffer.concat([value, Buffer.of(0)])
  if (value.length > 0)
    yield* [value.subarray(1), value.map((byte, i) => (i === 0 ? byte ^ 1 : byte))]
}

function* changesOfList(list: readonly unknown[]): Generator<unknown[]> {
  for (const [i, item] of list.entries()) {
    yield list.toSpliced(i, 1)
    yield list.toSpliced(i, 0, item)
    for (const changed of changes(item)) yield list.with(i, changed)
  }
  if (list.length > 1) yield [...list.slice(1), list[0]]
}

/** Fields of a record, or entries of a map; a map may also lose one or get one. */
function* changesOfFields(fields: Record<string, unknown>): Generator<Record<string, unknown>> {
  const isMap = !('versionId' in fields || 'partNumber' in fields || 'mode' in fields)
  if (isMap) yield { ...fields, 'one more \u{1f511}': '' }
  for (const [name, value] of Object.entries(fields)) {
    const { [name]: _, ...rest } = fields
    if (isMap) yield* [rest, { ...rest, [`${name}x`]: value }]
    if (name === 'mode') continue // another mode has other fields: a test of its own
    for (const changed of changes(value)) yield { ...fields, [name]: changed }
  }
}

test('a record is what its tag was made for', () => {
  fc.assert(
    fc.property(manifest, (record) => {
      expect(verifyManifest(objectKey, tagged(record))).toBe(true)
      expect(verifyManifest(objectKey, { ...tagged(record), rev: 9 })).toBe(true)
    }),
  )
})

test('changing any one thing in a record makes it another', () => {
  fc.assert(
    fc.property(manifest, (record) => {
      const sound = tagged(record)
      for (const changed of changes(record)) {
        if (isDeepStrictEqual(changed, record)) continue // two equal parts were swapped
        const attempt = { ...sound, ...(changed as Manifest) }
        expect(verifyManifest(objectKey, attempt), JSON.stringify(changed)).toBe(false)
      }
    }),
    { numRuns: 40 },
  )
})

test('a byte that moves from one field to the next makes another record', () => {
  const given = fc.sample(manifest, 1)[0] as Manifest
  const one = tagged({ ...given, key: 'ab', versionId: 'c' })
  expect(verifyManifest(objectKey, { ...one, key: 'a', versionId: 'bc' })).toBe(false)
  const two = tagged({ ...given, userMetadata: { a: 'bc' }, checksums: {} })
  expect(verifyManifest(objectKey, { ...two, userMetadata: { ab: 'c' } })).toBe(false)
  expect(verifyManifest(objectKey, { ...two, userMetadata: {}, checksums: { a: 'bc' } })).toBe(
    false,
  )
})

test('the order in which metadata comes from the index does not matter', () => {
  const given = fc.sample(manifest, 1)[0] as Manifest
  const one = tagged({
    ...given,
    userMetadata: { a: '1', b: '2', '\u{1f511}': '3', '\uffee': '4' },
  })
  const other = { '\uffee': '4', b: '2', '\u{1f511}': '3', a: '1' }
  expect(verifyManifest(objectKey, { ...one, userMetadata: other })).toBe(true)
})

test('a record of one mode is not one of the other', () => {
  fc.assert(
    fc.property(manifest, encryption, (record, other) => {
      fc.pre(other.mode !== record.encryption.mode)
      expect(verifyManifest(objectKey, { ...tagged(record), encryption: other })).toBe(false)
    }),
  )
})

test('another object key, a shorter tag or a spoiled one is refused', () => {
  const sound = tagged(fc.sample(manifest, 1)[0] as Manifest)
  const { manifestTag: tag } = sound
  expect(tag).toHaveLength(32)
  expect(verifyManifest(randomBytes(32), sound)).toBe(false)
  const spoiled = [
    tag.subarray(0, 31),
    Buffer.alloc(0),
    tag.map((byte, i) => (i === 31 ? byte ^ 1 : byte)),
  ]
  for (const manifestTag of spoiled) {
    expect(verifyManifest(objectKey, { ...sound, manifestTag })).toBe(false)
  }
})

test('in ten thousand parts, each of them counts', () => {
  const given = fc.sample(manifest, 1)[0] as Manifest
  const parts = Array.from({ length: 10_000 }, (_, i) => ({
    partNumber: i + 1,
    blob: `${i}`.repeat(8),
    salt: Buffer.alloc(32, i),
    commitment: Buffer.alloc(32, i + 1),
    size: 8_388_608,
    etag: `${i}`,
    checksums: { CRC32: 'AAAAAA==' },
    createdAt: i,
  }))
  const sound = tagged({ ...given, parts })
  expect(verifyManifest(objectKey, sound)).toBe(true)
  for (const index of [0, 137, 5000, 9999]) {
    const changed = parts.map((part, i) => (i === index ? { ...part, size: 1 } : part))
    expect(verifyManifest(objectKey, { ...sound, parts: changed })).toBe(false)
  }
})
