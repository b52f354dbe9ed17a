import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  GetObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { expect, test } from 'vitest'
import { givenStack } from '../../support/stack-client.ts'

const ROUNDS = 25
const s3 = givenStack().s3()

async function givenBucketName(): Promise<string> {
  const Bucket = `races-${randomBytes(6).toString('hex')}`
  await s3.send(new CreateBucketCommand({ Bucket }))
  return Bucket
}

const read = async (place: { Bucket: string; Key: string }): Promise<string> => {
  const { Body } = await s3.send(new GetObjectCommand(place))
  return Buffer.concat(await (Body as Readable).toArray()).toString()
}

test('of Complete and Abort at once one wins, and an object that was there is never lost', async () => {
  const place = { Bucket: await givenBucketName(), Key: 'k' }
  for (let round = 0; round < ROUNDS; round++) {
    await s3.send(new PutObjectCommand({ ...place, Body: 'old' }))
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place))
    const part = { ...place, UploadId, PartNumber: 1 }
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: `new ${round}` }))
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    const [completed, aborted] = await Promise.allSettled([
      s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload })),
      s3.send(new AbortMultipartUploadCommand({ ...place, UploadId })),
    ])
    expect([completed.status, aborted.status]).toContain('fulfilled')
    expect(await read(place)).toBe(completed.status === 'fulfilled' ? `new ${round}` : 'old')
  }
})

test('a part that is sent again while the upload is completed never takes a blob from the object', async () => {
  const place = { Bucket: await givenBucketName(), Key: 'k' }
  for (let round = 0; round < ROUNDS; round++) {
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(place))
    const part = { ...place, UploadId, PartNumber: 1, Body: `part ${round}` }
    const { ETag } = await s3.send(new UploadPartCommand(part))
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    const [completed] = await Promise.allSettled([
      s3.send(new CompleteMultipartUploadCommand({ ...place, UploadId, MultipartUpload })),
      s3.send(new UploadPartCommand(part)),
      s3.send(new UploadPartCommand(part)),
    ])
    if (completed.status === 'fulfilled') expect(await read(place)).toBe(`part ${round}`)
  }
})

test('an object is not acknowledged in a bucket that was deleted meanwhile', async () => {
  for (let round = 0; round < ROUNDS; round++) {
    const place = { Bucket: await givenBucketName(), Key: 'k' }
    const [put, gone] = await Promise.allSettled([
      s3.send(new PutObjectCommand({ ...place, Body: 'x' })),
      s3.send(new DeleteBucketCommand({ Bucket: place.Bucket })),
    ])
    if (put.status === 'fulfilled') {
      expect(gone.status).toBe('rejected')
      expect(await read(place)).toBe('x')
    }
  }
})
