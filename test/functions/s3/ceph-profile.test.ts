import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { parseS3Profile } from '../../../shared/lambda/s3-profile.ts'
import { customerKey } from '../../support/encryption-modes.ts'
import { formBody, sendForm } from '../../support/forms.ts'
import { type StackProcess, startStackProcess } from '../../support/global-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { clientsOf, type GivenStack, givenStack } from '../../support/stack-client.ts'

describe('the profile ceph', () => {
  let dataDir: string
  let started: StackProcess
  let stack: GivenStack
  let s3: S3Client
  let Bucket: string
  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'keyhold-ceph-'))
    started = await startStackProcess(dataDir, {
      KEYHOLD_S3_PROFILE: 'ceph',
      KEYHOLD_ALLOW_INSECURE_SSE_C: '',
    })
    stack = clientsOf({ ...inject('stack'), dataDir, endpoint: started.endpoint })
    s3 = stack.s3()
    Bucket = await givenBucket(s3)
  }, 60_000)
  afterAll(async () => {
    await started.end()
    await rm(dataDir, { recursive: true, force: true })
  })

  test('takes keys of callers over plain HTTP, in new buckets too, and answers 400 to a wrong one', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'c', Body: 'x', ...customerKey() }))
    const read = s3.send(new GetObjectCommand({ Bucket, Key: 'c', ...customerKey() }))
    await expect(read).rejects.toMatchObject({ $metadata: { httpStatusCode: 400 } })
  })

  test('has no configuration of encryption where none was put', async () => {
    await expect(s3.send(new GetBucketEncryptionCommand({ Bucket }))).rejects.toMatchObject({
      name: 'ServerSideEncryptionConfigurationNotFoundError',
      $metadata: { httpStatusCode: 404 },
    })
  })

  test('takes forms that are signed by Signature Version 2', async () => {
    const { accessKeyId, secretAccessKey } = stack.credentials
    const expiration = new Date(Date.now() + 60_000).toISOString()
    const conditions = [{ bucket: Bucket }, ['starts-with', '$key', 'old']]
    const policy = Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64')
    const signature = createHmac('sha1', secretAccessKey).update(policy).digest('base64')
    const fields = { key: 'old', AWSAccessKeyId: accessKeyId, signature, policy }
    const send = (spoiled: Record<string, string>, to: GivenStack = stack) =>
      sendForm(to, { path: `/${Bucket}`, ...formBody({ ...fields, ...spoiled }, 'x') })
    expect((await send({})).status).toBe(204)
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'old' }))
    expect(await Body?.transformToString()).toBe('x')
    for (const [name, value, code] of [
      ['signature', Buffer.alloc(20).toString('base64'), 'SignatureDoesNotMatch'],
      ['signature', 'short', 'SignatureDoesNotMatch'],
      ['AWSAccessKeyId', 'AKIAUNKNOWNUNKNOWN00', 'InvalidAccessKeyId'],
      ['signature', '', 'InvalidArgument'],
      ['key', 'new', 'AccessDenied'],
    ] as const) {
      expect(xmlText((await send({ [name]: value })).body, 'Code')).toBe(code)
    }
    // The profile aws takes none of them.
    expect(xmlText((await send({}, givenStack())).body, 'Code')).toBe('InvalidRequest')
  })

  test('wants a key named for SSE-KMS', async () => {
    const write = { Bucket, Key: 'k', Body: 'x', ServerSideEncryption: 'aws:kms' } as const
    await expect(s3.send(new PutObjectCommand(write))).rejects.toMatchObject({
      name: 'InvalidArgument',
    })
  })

  test('passes over headers of encryption on parts and at completion', async () => {
    const Key = 'parts'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const headers = { 'x-amz-server-side-encryption': 'AES256' }
    const query = { partNumber: '1', uploadId: UploadId ?? '' }
    const path = `/${Bucket}/${Key}`
    const part = await sendRaw(stack, {
      method: 'PUT',
      path,
      query,
      headers,
      body: Buffer.from('x'),
    })
    expect(part.status).toBe(200)
  })

  test('gives a part that is not there as 400 InvalidPart, and an empty list as MalformedXML', async () => {
    const Key = 'one'
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const at = { Bucket, Key, UploadId }
    const { ETag } = await s3.send(new UploadPartCommand({ ...at, PartNumber: 1, Body: 'x' }))
    const complete = (Parts: { PartNumber: number; ETag: string | undefined }[]) =>
      s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }))
    await expect(complete([])).rejects.toMatchObject({ name: 'MalformedXML' })
    await complete([{ PartNumber: 1, ETag }])
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}/${Key}`,
      query: { partNumber: '5' },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidPart'])
  })
})

test('there is no other profile', () => {
  expect(['aws', '', undefined].map(parseS3Profile)).toEqual(['aws', 'aws', 'aws'])
  expect(() => parseS3Profile('minio')).toThrow('KEYHOLD_S3_PROFILE is aws or ceph.')
})
