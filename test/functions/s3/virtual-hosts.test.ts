import { Agent } from 'node:http'
import {
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { describe, expect, test } from 'vitest'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const { port } = new URL(stack.endpoint)

/** Every name leads to this machine, whatever its resolver says of names below `localhost`. */
const agent = new Agent({
  keepAlive: true,
  lookup: (_name, options, done) =>
    options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4),
})
const clientOf = (host: string, forcePathStyle = false): S3Client =>
  new S3Client({
    endpoint: `http://${host}:${port}`,
    region: stack.region,
    credentials: stack.credentials,
    forcePathStyle,
    requestHandler: new NodeHttpHandler({ httpAgent: agent }),
  })

describe.each(['s3.localhost', 'localhost', 'S3.LocalHost'])('below %s', (host) => {
  const s3 = clientOf(host)

  test('a bucket is named by the host, and objects by the whole path', async () => {
    const Bucket = await givenBucket(s3)
    await expect(s3.send(new HeadBucketCommand({ Bucket }))).resolves.toBeDefined()
    for (const Key of ['k', 'a/b', '//', `${Bucket}/k`, 'a b+c%2F/é', '..', 'kms/Encrypt']) {
      await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
      const { Body } = await stack.s3().send(new GetObjectCommand({ Bucket, Key }))
      expect(await Body?.transformToString()).toBe(Key)
      await expect(s3.send(new GetObjectCommand({ Bucket, Key }))).resolves.toBeDefined()
      await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    }
    expect((await s3.send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(0)
  })

  test('a bucket may have dots', async () => {
    const Bucket = `${await givenBucket(s3)}.with.dots`
    await s3.send(new CreateBucketCommand({ Bucket }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    expect((await stack.s3().send(new ListObjectsV2Command({ Bucket }))).KeyCount).toBe(1)
  })

  test('the host itself is for path style', async () => {
    const Bucket = await givenBucket(clientOf(host, true))
    await expect(
      clientOf(host, true).send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })),
    ).resolves.toBeDefined()
  })
})

describe('a bucket in the host', () => {
  const s3 = clientOf('s3.localhost')

  test('is in the place where an upload ends up', async () => {
    const Bucket = await givenBucket(s3)
    const Key = 'a b'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const part = { Bucket, Key, UploadId, PartNumber: 1 }
    const { ETag } = await s3.send(new UploadPartCommand({ ...part, Body: 'x' }))
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    const completed = await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }),
    )
    expect(completed.Location).toBe(`http://${Bucket}.s3.localhost:${port}/a%20b`)
  })

  test('is signed: another host does not do', async () => {
    const [Bucket, other] = [await givenBucket(s3), await givenBucket(s3)]
    await s3.send(new PutObjectCommand({ Bucket: other, Key: 'k', Body: 'x' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }))
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'k' }))
    const ask = (host: string) => statusOf(new URL(url), host)
    expect(await ask(`${Bucket}.s3.localhost:${port}`)).toBe(200)
    expect(await ask(`${other}.s3.localhost:${port}`)).toBe(403)
    expect(await ask(`${Bucket}.s3.elsewhere.example:${port}`)).toBe(403)
  })
})

/** Asks this machine with a Host header of one's own. */
async function statusOf(url: URL, host: string): Promise<number> {
  const { request } = await import('node:http')
  const path = `${url.pathname}${url.search}`
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers: { host } }, (response) => {
      response.resume().once('end', () => resolve(response.statusCode ?? 0))
    })
    asked.once('error', reject).end()
  })
}
