import { createHash, createSecretKey } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { SegmentEncryptor } from '../../../shared/blobs/encrypt-stream.ts'
import { manifestKey, manifestTag, verifyManifest } from '../../../shared/blobs/manifest.ts'
import { unwrapObjectKey } from '../../../shared/blobs/object-key.ts'
import { storedLength } from '../../../shared/blobs/segments.ts'
import { deriveStreamKey } from '../../../shared/blobs/stream-key.ts'
import type { ObjectRecord } from '../../../shared/store/records.ts'
import { hex, vectors } from '../../support/vectors.ts'
import { cut, MemoryStore, read, streamOf } from './given.ts'

interface StreamVector {
  readonly name: string
  readonly objectKey: string
  readonly salt: string
  readonly streamId: string
  readonly size: number
  readonly plaintextSha256: string
  readonly commitment: string
  readonly storedLength: number
  readonly storedSha256: string
  readonly stored?: string
}

interface ObjectVector {
  readonly name: string
  readonly wrappingKey: string
  readonly objectKey: string
  readonly record: Record<string, unknown>
  readonly manifestTag: string
}

const { streams, objects } = vectors<{ streams: StreamVector[]; objects: ObjectVector[] }>(
  'segments-v1.json',
)

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Fields that JSON holds in hex are bytes in a record. */
const inBytes = new Set(['salt', 'commitment', 'wrappedObjectKey', 'dataKeyBlob'])
const recordOf = (vector: ObjectVector): ObjectRecord =>
  JSON.parse(JSON.stringify({ ...vector.record, rev: 1 }), (name, value) =>
    inBytes.has(name) ? hex(value) : value,
  )

describe.each(streams)('the frozen $name', (vector) => {
  const { objectKey, salt, streamId, size } = vector
  const plaintext = createHash('shake256', { outputLength: Math.max(size, 1) })
    .update(`keyhold segments v1 ${vector.name}`)
    .digest()
    .subarray(0, size)
  const streamKey = deriveStreamKey(hex(objectKey), hex(salt), streamId)

  const encrypted = (): Promise<Buffer> => {
    const encryptor = new SegmentEncryptor({ key: streamKey.key, salt: hex(salt) })
    return buffer(streamOf(cut(plaintext, 10_000)).pipe(encryptor))
  }

  test('is still what is written', async () => {
    expect(sha256(plaintext)).toBe(vector.plaintextSha256)
    expect(streamKey.commitment.toString('hex')).toBe(vector.commitment)
    const stored = await encrypted()
    expect(stored).toHaveLength(vector.storedLength)
    expect(storedLength(size)).toBe(vector.storedLength)
    expect(sha256(stored)).toBe(vector.storedSha256)
    if (vector.stored !== undefined) expect(stored.toString('hex')).toBe(vector.stored)
  })

  test('still opens', async () => {
    const store = new MemoryStore()
    store.blobs.set('blob', vector.stored === undefined ? await encrypted() : hex(vector.stored))
    const part = { blob: 'blob', salt: hex(salt), commitment: hex(vector.commitment), size }
    const key = createSecretKey(hex(objectKey))
    const object = { store, objectKey: key, streamId, parts: [part], plaintext }
    expect((await read(object)).equals(plaintext)).toBe(true)
  })
})

describe.each(objects)('the frozen object with $name', (vector) => {
  const record = { ...recordOf(vector), manifestTag: hex(vector.manifestTag) }

  test('still gives its object key', () => {
    const { wrappedObjectKey } = record.encryption
    const wrappingKey = createSecretKey(hex(vector.wrappingKey))
    const objectKey = unwrapObjectKey(wrappingKey, wrappedObjectKey, record)
    expect(objectKey?.toString('hex')).toBe(vector.objectKey)
  })

  test('still has its manifest tag', () => {
    expect(manifestTag(manifestKey(hex(vector.objectKey)), record).toString('hex')).toBe(
      vector.manifestTag,
    )
    expect(verifyManifest(hex(vector.objectKey), record)).toBe(true)
    expect(verifyManifest(hex(vector.objectKey), { ...record, size: record.size + 1 })).toBe(false)
  })

  test('still has the stream keys of its parts', () => {
    for (const part of record.parts) {
      const { commitment } = deriveStreamKey(hex(vector.objectKey), part.salt, record.versionId)
      expect(commitment).toEqual(part.commitment)
    }
  })
})
