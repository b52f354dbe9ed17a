import { randomBytes, randomUUID } from 'node:crypto'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, asked, MODES } from '../../support/encryption-modes.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const s3 = givenStack().s3()
let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})

const MIB = 1024 ** 2
const EDGES = [0, 1, 15, 16, 65_535, 65_536, 65_537, 131_072, 200_000]

const bytesOf = async (answer: { Body?: { transformToByteArray(): Promise<Uint8Array> } }) =>
  Buffer.from((await answer.Body?.transformToByteArray()) ?? [])

describe.each(MODES)('under %s', (mode) => {
  const { write, read } = asked(mode)
  const put = (Key: string, Body: Buffer) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body, ...write }))
  const get = (Key: string, Range?: string) =>
    s3.send(new GetObjectCommand({ Bucket, Key, ...(Range ? { Range } : {}), ...read }))

  test.each(EDGES)('%i bytes come back as they were written', async (size) => {
    const body = randomBytes(size)
    const Key = randomUUID()
    const written = await put(Key, body)
    const answer = await get(Key)
    expect(await bytesOf(answer)).toEqual(body)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key, ...read }))
    expect(head.ContentLength).toBe(size)
    expect(head.ETag).toBe(written.ETag)
    for (const field of ['ServerSideEncryption', 'BucketKeyEnabled', 'SSEKMSKeyId'] as const) {
      expect([answer[field], head[field]]).toEqual([written[field], written[field]])
    }
    expect(answer.SSECustomerKeyMD5).toBe(read.SSECustomerKeyMD5)
  })

  test('any range of any size is the bytes of that range', async () => {
    const sizes = fc.oneof(fc.constantFrom(...EDGES.slice(1)), fc.integer({ min: 1, max: 300_000 }))
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), async (size, a, b) => {
        const [start, end] = [a % size, b % size].sort((x, y) => x - y) as [number, number]
        const body = randomBytes(size)
        await put('ranged', body)
        const answer = await get('ranged', `bytes=${start}-${end}`)
        expect(answer.ContentRange).toBe(`bytes ${start}-${end}/${size}`)
        expect((await bytesOf(answer)).equals(body.subarray(start, end + 1))).toBe(true)
      }),
      { numRuns: 25 },
    )
  })

  test('parts of any size, with gaps in their numbers, make one object', async () => {
    const Key = randomUUID()
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key, ...write }))
    const bodies = [randomBytes(5 * MIB), randomBytes(5 * MIB + 1), randomBytes(70_001)]
    const Parts = await Promise.all(
      bodies.map(async (Body, index) => {
        const PartNumber = 3 * index + 1
        const part = { Bucket, Key, UploadId, PartNumber, Body, ...read }
        const { ETag } = await s3.send(new UploadPartCommand(part))
        return { PartNumber, ETag }
      }),
    )
    const listed = await s3.send(new ListPartsCommand({ Bucket, Key, UploadId }))
    expect(listed.Parts?.map(({ Size }) => Size)).toEqual(bodies.map(({ length }) => length))
    // The key of SSE-C is not needed to complete.
    await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    )
    const whole = Buffer.concat(bodies)
    expect((await bytesOf(await get(Key))).equals(whole)).toBe(true)
    const start = 5 * MIB - 10
    const over = await get(Key, `bytes=${start}-${10 * MIB + 9}`)
    expect((await bytesOf(over)).equals(whole.subarray(start, 10 * MIB + 10))).toBe(true)
    const second = await s3.send(new GetObjectCommand({ Bucket, Key, PartNumber: 2, ...read }))
    expect((await bytesOf(second)).equals(bodies[1] as Buffer)).toBe(true)
  })

  test('of many writers of one name one wins, whole', async () => {
    const Key = randomUUID()
    const bodies = Array.from({ length: 8 }, () => randomBytes(100_000))
    const written = await Promise.all(bodies.map((body) => put(Key, body)))
    const answer = await get(Key)
    const winner = written.findIndex(({ ETag }) => ETag === answer.ETag)
    expect((await bytesOf(answer)).equals(bodies[winner] as Buffer)).toBe(true)
  })
})
