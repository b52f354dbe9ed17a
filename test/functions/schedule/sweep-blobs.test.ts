import { randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { sweep } from '../../../functions/schedule/sweep-blobs.ts'
import { newBlobName } from '../../../shared/blobs/blob-name.ts'
import { sweepBlobs } from '../../../shared/blobs/blob-sweep.ts'
import { blobStore } from '../../../shared/lambda/blob-store.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket } from '../../support/s3.ts'

const MIB = 1024 ** 2
let own: InProcessStack
let s3: S3Client
let Bucket: string
beforeAll(async () => {
  own = await givenInProcessStack()
  s3 = own.stack.s3()
  Bucket = await givenBucket(s3)
})
afterAll(() => own.close())

const put = (Key: string, Body: Buffer) => s3.send(new PutObjectCommand({ Bucket, Key, Body }))
const get = async (Key: string) => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}
const begin = async (Key: string) =>
  (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))).UploadId
const part = (Key: string, UploadId: string | undefined, PartNumber: number, Body: Buffer) =>
  s3.send(new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body }))
const blobNames = async () => {
  const names: string[] = []
  for await (const { name } of blobStore().list()) names.push(name)
  return names
}
const givenOrphan = async () => {
  const name = newBlobName()
  await blobStore().put(name, Readable.from([randomBytes(100)]))
  return name
}

test('what nothing names goes, and everything else stays', async () => {
  const whole = randomBytes(200_000)
  await put('whole', whole)
  const UploadId = await begin('parts')
  const first = randomBytes(5 * MIB)
  const { ETag } = await part('parts', UploadId, 1, first)
  const openId = await begin('open')
  await part('open', openId, 1, randomBytes(100))
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
  const completed = { Bucket, Key: 'parts', UploadId, MultipartUpload }
  await s3.send(new CompleteMultipartUploadCommand(completed))
  const orphans = [await givenOrphan(), await givenOrphan()]
  await sleep(20)
  const { removed } = await sweep(own.services, blobStore(), 0)
  expect(removed).toBe(2)
  const left = await blobNames()
  expect(orphans.filter((name) => left.includes(name))).toEqual([])
  expect(await get('whole')).toEqual(whole)
  expect(await get('parts')).toEqual(first)
  const listed = await s3.send(new ListPartsCommand({ Bucket, Key: 'open', UploadId: openId }))
  expect(listed.Parts).toHaveLength(1)
  // The completion may still be asked for again.
  expect((await s3.send(new CompleteMultipartUploadCommand(completed))).ETag).toBeDefined()
})

test('what is younger than the grace stays, named or not', async () => {
  const orphan = await givenOrphan()
  expect((await sweep(own.services, blobStore(), 60_000)).removed).toBe(0)
  expect(await blobNames()).toContain(orphan)
  await blobStore().delete(orphan)
})

test('an upload that was completed long ago is forgotten, and its object stays', async () => {
  const UploadId = await begin('old')
  const { ETag } = await part('old', UploadId, 1, Buffer.from('old'))
  const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
  const completion = new CompleteMultipartUploadCommand({
    Bucket,
    Key: 'old',
    UploadId,
    MultipartUpload,
  })
  await s3.send(completion)
  const inEightDays = { now: () => Date.now() + 8 * 24 * 3_600_000 }
  expect(
    (await sweep({ ...own.services, clock: inEightDays }, blobStore(), 0)).uploads,
  ).toBeGreaterThan(0)
  await expect(s3.send(completion)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  expect((await get('old')).toString()).toBe('old')
})

test('an abort that was cut short comes to its end', async () => {
  const UploadId = await begin('aborted')
  await part('aborted', UploadId, 1, Buffer.from('x'))
  const { uploads } = own.services.store
  const account = own.stack.account as never
  const record = await uploads.get(account, Bucket as never, UploadId ?? '')
  if (record === null) throw new Error('There is no such upload.')
  const since = Date.now() - 2 * 3_600_000
  await uploads.update(
    { ...record, fence: { by: 'abort', since }, rev: record.rev + 1 },
    record.rev,
  )
  await sleep(20)
  const swept = await sweep(own.services, blobStore(), 0)
  expect(swept.uploads).toBe(1)
  expect(swept.removed).toBe(1)
  expect(await uploads.get(account, Bucket as never, UploadId ?? '')).toBeNull()
})

test('while others write, copy, complete, abort and delete, it takes nothing of theirs', async () => {
  const until = Date.now() + 4000
  const kept = new Map<string, Buffer>()
  const works: readonly ((Key: string) => Promise<void>)[] = [
    async (Key) => {
      const body = randomBytes(70_000)
      await put(Key, body)
      kept.set(Key, body)
    },
    async (Key) => {
      const body = randomBytes(100)
      await put(`${Key}-source`, body)
      await s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${Key}-source` }))
      await s3.send(new DeleteObjectCommand({ Bucket, Key: `${Key}-source` }))
      kept.set(Key, body)
    },
    async (Key) => {
      const UploadId = await begin(Key)
      const body = randomBytes(1000)
      const { ETag } = await part(Key, UploadId, 7, body)
      await sleep(300)
      const MultipartUpload = { Parts: [{ PartNumber: 7, ETag }] }
      await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }))
      kept.set(Key, body)
    },
    async (Key) => {
      const UploadId = await begin(Key)
      await part(Key, UploadId, 1, Buffer.from('x'))
      await s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))
    },
  ]
  const workers = works.map(async (work) => {
    while (Date.now() < until) await work(randomUUID())
  })
  let sweeps = 0
  while (Date.now() < until) {
    await sweep(own.services, blobStore(), 1000)
    sweeps += 1
  }
  await Promise.all(workers)
  expect(sweeps).toBeGreaterThan(3)
  expect(kept.size).toBeGreaterThan(20)
  for (const [Key, body] of kept) expect((await get(Key)).equals(body)).toBe(true)
})

test('more blobs than may be held are taken in shares, each once', async () => {
  const stored = new Set(Array.from({ length: 500 }, () => newBlobName()))
  const named = [...stored].slice(0, 120)
  let readings = 0
  const result = await sweepBlobs({
    blobs: {
      async *list() {
        for (const name of [...stored]) yield { name, modifiedAt: 1 }
      },
      async delete(name) {
        expect(stored.delete(name)).toBe(true)
      },
    },
    async *named() {
      readings += 1
      yield* named
    },
    storedBefore: 2,
    maxHeld: 100,
  })
  expect(result).toEqual({ seen: 500, removed: 380 })
  expect(readings).toBe(5)
  expect([...stored].toSorted()).toEqual(named.toSorted())
})
