import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  type ChecksumAlgorithm,
  type ChecksumType,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  type GetObjectAttributesCommandInput,
  type ObjectAttributes,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, asked, customerKey, MODES } from '../../support/encryption-modes.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'

const ALL: ObjectAttributes[] = ['ETag', 'Checksum', 'ObjectParts', 'StorageClass', 'ObjectSize']
const LEAST_PART = 5 * 1024 * 1024
const insecure = process.env.KEYHOLD_ALLOW_INSECURE_SSE_C

let own: InProcessStack
let s3: S3Client
let Bucket: string

beforeAll(async () => {
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true' // the tests speak plain HTTP
  own = await givenInProcessStack()
  s3 = own.stack.s3()
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})
afterAll(async () => {
  await own.close()
  if (insecure === undefined) delete process.env.KEYHOLD_ALLOW_INSECURE_SSE_C
})

const attributes = (Key: string, more: Partial<GetObjectAttributesCommandInput> = {}) =>
  s3.send(new GetObjectAttributesCommand({ Bucket, Key, ObjectAttributes: ALL, ...more }))

/** Three parts, the last of one byte. */
async function givenParts(Key: string, name: ChecksumAlgorithm, type: ChecksumType) {
  const created = await s3.send(
    new CreateMultipartUploadCommand({
      Bucket,
      Key,
      ChecksumAlgorithm: name,
      ChecksumType: type,
    }),
  )
  const { UploadId } = created
  const Parts: CompletedPart[] = []
  for (const [index, size] of [LEAST_PART, LEAST_PART, 1].entries()) {
    const PartNumber = index + 1
    const Body = Buffer.alloc(size, PartNumber)
    const sent = { Bucket, Key, UploadId, PartNumber, Body, ChecksumAlgorithm: name }
    const { ETag, ChecksumSHA256, ChecksumCRC32 } = await s3.send(new UploadPartCommand(sent))
    Parts.push({ PartNumber, ETag, ChecksumSHA256, ChecksumCRC32 })
  }
  const MultipartUpload = { Parts }
  return s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }))
}

describe('an object in one piece', () => {
  test('is told by its attributes, without quotes around the ETag', async () => {
    const put = await s3.send(
      new PutObjectCommand({ Bucket, Key: 'one', Body: 'text', ChecksumAlgorithm: 'SHA256' }),
    )
    const told = await attributes('one')
    expect(told).toMatchObject({
      ETag: put.ETag?.replaceAll('"', ''),
      Checksum: { ChecksumSHA256: put.ChecksumSHA256, ChecksumType: 'FULL_OBJECT' },
      StorageClass: 'STANDARD',
      ObjectSize: 4,
    })
    expect(told.ObjectParts).toBeUndefined()
    expect(told.LastModified).toBeInstanceOf(Date)
  })

  test('is told by what is asked for alone', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'some', Body: 'text' }))
    const { $metadata, LastModified, ...told } = await attributes('some', {
      ObjectAttributes: ['ObjectSize', 'ObjectParts'],
    })
    expect(told).toEqual({ ObjectSize: 4 })
  })

  test.each([
    ['InvalidRequest', {}],
    ['InvalidRequest', { 'x-amz-object-attributes': ' ' }],
    ['InvalidArgument', { 'x-amz-object-attributes': 'ETag,Colour' }],
    ['InvalidArgument', { 'x-amz-object-attributes': 'ETag', 'x-amz-max-parts': '-1' }],
    ['InvalidArgument', { 'x-amz-object-attributes': 'ETag', 'x-amz-part-number-marker': 'x' }],
    [
      'InvalidArgument',
      { 'x-amz-object-attributes': 'ETag', 'x-amz-server-side-encryption': 'AES256' },
    ],
  ] as [string, Record<string, string>][])('is %s with %o', async (code, headers) => {
    const query = { attributes: '' }
    const path = `/${Bucket}/one`
    const refused = await sendRaw(own.stack, { method: 'GET', path, query, headers })
    expect([refused.status, xmlText(refused.body, 'Code')]).toEqual([400, code])
  })

  test('that is not there is no such key', async () => {
    await expect(attributes('none')).rejects.toMatchObject({ name: 'NoSuchKey' })
  })
})

describe('an object in parts', () => {
  test('tells of each part where its checksum is made of theirs, in pages', async () => {
    const completed = await givenParts('composite', 'SHA256', 'COMPOSITE')
    const { ObjectParts, ObjectSize, Checksum } = await attributes('composite')
    expect(ObjectSize).toBe(2 * LEAST_PART + 1)
    expect(Checksum).toEqual({
      ChecksumSHA256: completed.ChecksumSHA256,
      ChecksumType: 'COMPOSITE',
    })
    expect(ObjectParts).toMatchObject({ TotalPartsCount: 3, IsTruncated: false, MaxParts: 1000 })
    expect(ObjectParts?.Parts?.map(({ PartNumber, Size }) => [PartNumber, Size])).toEqual([
      [1, LEAST_PART],
      [2, LEAST_PART],
      [3, 1],
    ])
    expect(new Set(ObjectParts?.Parts?.map(({ ChecksumSHA256 }) => ChecksumSHA256)).size).toBe(3)

    const first = (await attributes('composite', { MaxParts: 2 })).ObjectParts
    expect(first).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '2', MaxParts: 2 })
    const PartNumberMarker = first?.NextPartNumberMarker
    const next = (await attributes('composite', { MaxParts: 2, PartNumberMarker })).ObjectParts
    expect(next).toMatchObject({ IsTruncated: false, PartNumberMarker: '2', TotalPartsCount: 3 })
    expect(next?.Parts?.map(({ PartNumber }) => PartNumber)).toEqual([3])
  })

  test('tells how many there are where its checksum is over the whole', async () => {
    await givenParts('whole', 'CRC32', 'FULL_OBJECT')
    const { ObjectParts, Checksum } = await attributes('whole')
    expect(Checksum?.ChecksumType).toBe('FULL_OBJECT')
    expect(ObjectParts).toEqual({ TotalPartsCount: 3 })
  })
})

describe('encryption', () => {
  test.each(MODES)('%s shows the size of what was written', async (mode) => {
    const { write, read } = asked(mode)
    const Key = `mode ${mode}`
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: 'text', ...write }))
    const told = await attributes(Key, read)
    expect([told.ObjectSize, told.Checksum?.ChecksumCRC32]).toEqual([4, expect.any(String)])
  })

  test("a caller's key is asked for, and must be the right one", async () => {
    const trio = customerKey()
    await s3.send(new PutObjectCommand({ Bucket, Key: 'c', Body: 'text', ...trio }))
    const ObjectAttributes: ObjectAttributes[] = ['ETag']
    await expect(attributes('c', { ObjectAttributes })).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
    await expect(attributes('c', { ObjectAttributes, ...customerKey() })).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await expect(attributes('c', { ObjectAttributes, ...trio })).resolves.toBeDefined()
  })

  test('checksums under a KMS key take the right to decrypt, the rest does not', async () => {
    const { KeyMetadata } = await own.stack.kms().send(new CreateKeyCommand({}))
    const under = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyMetadata?.Arn } as const
    await s3.send(new PutObjectCommand({ Bucket, Key: 'kms', Body: 'text', ...under }))
    const Action = ['s3:GetObject', 's3:GetObjectAttributes']
    const user = (await own.user([{ Effect: 'Allow', Action, Resource: '*' }])).s3()
    const ask = (ObjectAttributes: ObjectAttributes[]) =>
      user.send(new GetObjectAttributesCommand({ Bucket, Key: 'kms', ObjectAttributes }))
    await expect(ask(['ETag', 'ObjectSize'])).resolves.toMatchObject({ ObjectSize: 4 })
    for (const name of ['Checksum', 'ObjectParts'] as const) {
      await expect(ask([name])).rejects.toMatchObject({
        name: 'AccessDenied',
        message: expect.stringContaining('kms:Decrypt'),
      })
    }
  })
})

test.each([['s3:GetObject'], ['s3:GetObjectAttributes']])(
  '%s alone is not enough',
  async (Action) => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'both', Body: 'text' }))
    const user = (await own.user([{ Effect: 'Allow', Action, Resource: '*' }])).s3()
    const attempt = user.send(
      new GetObjectAttributesCommand({ Bucket, Key: 'both', ObjectAttributes: ['ETag'] }),
    )
    await expect(attempt).rejects.toMatchObject({ name: 'AccessDenied' })
  },
)
