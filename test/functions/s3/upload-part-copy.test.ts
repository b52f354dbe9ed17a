import { createHash, randomBytes } from 'node:crypto'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCopyCommand,
  type UploadPartCopyCommandInput,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asSource, type Copies, givenCopies } from '../../support/copies.ts'
import { asked, customerKey, MODES } from '../../support/encryption-modes.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'

const MIB = 1024 ** 2
const KMS = { ServerSideEncryption: 'aws:kms' } as const

let given: Copies
let Bucket: string
beforeAll(async () => {
  given = await givenCopies()
  Bucket = given.Bucket
  await given.put('ten', '0123456789')
})
afterAll(() => given.own.close())

const begin = async (Key: string, more: object = {}): Promise<string> => {
  const command = new CreateMultipartUploadCommand({ Bucket, Key, ...more })
  return (await given.s3.send(command)).UploadId ?? ''
}
const complete = (Key: string, UploadId: string, ETags: readonly (string | undefined)[]) => {
  const Parts = ETags.map((ETag, index) => ({ PartNumber: index + 1, ETag }))
  const at = { Bucket, Key, UploadId }
  return given.s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts } }))
}
const part = (
  Key: string,
  UploadId: string,
  from: string,
  more: Partial<UploadPartCopyCommandInput> = {},
) => {
  const at = { Bucket, Key, UploadId, PartNumber: 1, CopySource: `${Bucket}/${from}` }
  return given.s3.send(new UploadPartCopyCommand({ ...at, ...more }))
}

describe.each(MODES)('parts from %s', (from) => {
  const source = asked(from)
  const stored = [randomBytes(5 * MIB), randomBytes(70_000)]
  const body = Buffer.concat(stored)
  beforeAll(() => given.putParts(`source ${from}`, stored, source))

  test.each(MODES)('to %s are the same in any ranges', async (to) => {
    const target = asked(to)
    const Key = `target ${from} ${to}`
    const UploadId = await begin(Key, target.write)
    const ranges = [
      [1, 5 * MIB + 4], // across the parts of the source
      [65_535, 65_536], // across its segments
    ] as const
    const ETags = []
    for (const [index, [first, last]] of ranges.entries()) {
      const { CopyPartResult, ...told } = await part(Key, UploadId, `source ${from}`, {
        PartNumber: index + 1,
        CopySourceRange: `bytes=${first}-${last}`,
        ...target.read,
        ...asSource(source.read),
      })
      const piece = body.subarray(first, last + 1)
      const md5 = `"${createHash('md5').update(piece).digest('hex')}"`
      expect(CopyPartResult?.ETag === md5).toBe(to === 'SSE-S3')
      expect(told.SSECustomerKeyMD5).toBe(target.read.SSECustomerKeyMD5)
      expect(told.ServerSideEncryption).toBe(target.write.ServerSideEncryption)
      ETags.push(CopyPartResult?.ETag)
    }
    await complete(Key, UploadId, ETags)
    const expected = Buffer.concat(ranges.map(([first, last]) => body.subarray(first, last + 1)))
    expect((await given.get(Key, target.read)).body.equals(expected)).toBe(true)
  })
})

describe('a part that is copied', () => {
  test('is of the whole source without a range, and has the checksum of its upload', async () => {
    const UploadId = await begin('whole', { ChecksumAlgorithm: 'SHA256' })
    const { CopyPartResult } = await part('whole', UploadId, 'ten')
    expect(CopyPartResult).toMatchObject({
      ETag: `"${createHash('md5').update('0123456789').digest('hex')}"`,
      ChecksumSHA256: createHash('sha256').update('0123456789').digest('base64'),
      LastModified: expect.any(Date) as Date,
    })
    const listed = await given.s3.send(new ListPartsCommand({ Bucket, Key: 'whole', UploadId }))
    expect(listed.Parts).toEqual([{ ...CopyPartResult, PartNumber: 1, Size: 10 }])
  })

  test('may be empty, and the range of one byte', async () => {
    await given.put('empty', '')
    const UploadId = await begin('small')
    const nothing = await part('small', UploadId, 'empty')
    await complete('small', UploadId, [nothing.CopyPartResult?.ETag])
    expect((await given.get('small')).body).toHaveLength(0)
    const again = await begin('small')
    const one = await part('small', again, 'ten', { CopySourceRange: 'bytes=9-9' })
    await complete('small', again, [one.CopyPartResult?.ETag])
    expect((await given.get('small')).body.toString()).toBe('9')
  })

  test('replaces the part of its number', async () => {
    const UploadId = await begin('again')
    await part('again', UploadId, 'ten')
    const { CopyPartResult } = await part('again', UploadId, 'ten', {
      CopySourceRange: 'bytes=0-4',
    })
    await complete('again', UploadId, [CopyPartResult?.ETag])
    expect((await given.get('again')).body.toString()).toBe('01234')
  })

  test.each([
    ['bytes=0-10', 'InvalidArgument', 'Range specified is not valid for source object of size: 10'],
    ['bytes=5-4', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['bytes=0-', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['bytes=-5', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['bytes=0-1,3-4', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['0-5', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['', 'InvalidArgument', 'must be of the form bytes=first-last'],
    ['bytes=10-11', 'InvalidRequest', 'The specified copy range is invalid'],
  ])('is refused for the range %j', async (range, code, message) => {
    const UploadId = await begin('target')
    const { status, body } = await sendRaw(given.own.stack, {
      method: 'PUT',
      path: `/${Bucket}/target`,
      query: { partNumber: '1', uploadId: UploadId },
      headers: { 'x-amz-copy-source': `${Bucket}/ten`, 'x-amz-copy-source-range': range },
    })
    expect([status, xmlText(body, 'Code')]).toEqual([400, code])
    expect(xmlText(body, 'Message')).toContain(message)
  })

  test('has no range of an empty source', async () => {
    await given.put('empty', '')
    const UploadId = await begin('target')
    const range = { CopySourceRange: 'bytes=0-0' }
    await expect(part('target', UploadId, 'empty', range)).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
  })

  test('is of at most 5 GiB, of however large a source', async () => {
    await given.put('large', 'x')
    await given.edit('large', () => ({ size: 6 * 1024 ** 3 }))
    const UploadId = await begin('target')
    const refusal = {
      name: 'InvalidRequest',
      message:
        'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    }
    await expect(part('target', UploadId, 'large')).rejects.toMatchObject(refusal)
    const over = { CopySourceRange: `bytes=0-${5 * 1024 ** 3}` }
    await expect(part('target', UploadId, 'large', over)).rejects.toMatchObject(refusal)
    // Small enough, so that the record is opened, which is not the one that was written.
    const within = { CopySourceRange: `bytes=0-${5 * 1024 ** 3 - 1}` }
    await expect(part('target', UploadId, 'large', within)).rejects.toMatchObject({
      name: 'InternalError',
    })
  })

  test.each([0, 10_001])('has no number %i', async (PartNumber) => {
    const UploadId = await begin('target')
    await expect(part('target', UploadId, 'ten', { PartNumber })).rejects.toMatchObject({
      name: 'InvalidArgument',
    })
  })

  test('needs an upload that goes on', async () => {
    await expect(part('target', 'none', 'ten')).rejects.toMatchObject({ name: 'NoSuchUpload' })
    const UploadId = await begin('target')
    await given.s3.send(new AbortMultipartUploadCommand({ Bucket, Key: 'target', UploadId }))
    await expect(part('target', UploadId, 'ten')).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  test('needs a source, on which conditions may be set', async () => {
    const UploadId = await begin('target')
    await expect(part('target', UploadId, 'no-such')).rejects.toMatchObject({ name: 'NoSuchKey' })
    const CopySourceIfMatch = '"0"'
    await expect(part('target', UploadId, 'ten', { CopySourceIfMatch })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: 'x-amz-copy-source-If-Match',
    })
  })

  test('brings the key that its upload began with, and no other', async () => {
    const [key, other] = [customerKey(), customerKey()]
    const UploadId = await begin('target', key)
    const missing = {
      name: 'InvalidRequest',
      message:
        'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.',
    }
    await expect(part('target', UploadId, 'ten')).rejects.toMatchObject(missing)
    await expect(part('target', UploadId, 'ten', other)).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: 'The provided encryption parameters did not match the ones used originally.',
    })
    const told = await part('target', UploadId, 'ten', key)
    expect(told.SSECustomerAlgorithm).toBe('AES256')
    const keyless = await begin('target')
    await expect(part('target', keyless, 'ten', key)).rejects.toMatchObject(missing)
  })

  test('brings the key of its source, and no other', async () => {
    await given.put('locked', 'x', customerKey())
    const UploadId = await begin('target')
    await expect(part('target', UploadId, 'locked')).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
    const other = asSource(customerKey())
    await expect(part('target', UploadId, 'locked', other)).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    await expect(part('target', UploadId, 'ten', other)).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
  })

  test('cannot say how it is to be encrypted', async () => {
    const UploadId = await begin('target', KMS)
    const { status, body } = await sendRaw(given.own.stack, {
      method: 'PUT',
      path: `/${Bucket}/target`,
      query: { partNumber: '1', uploadId: UploadId },
      headers: {
        'x-amz-copy-source': `${Bucket}/ten`,
        'x-amz-server-side-encryption': 'aws:kms',
      },
    })
    expect([status, xmlText(body, 'Code')]).toEqual([400, 'InvalidArgument'])
    expect(xmlText(body, 'ArgumentName')).toBe('x-amz-server-side-encryption')
  })

  test('takes the right to read there, and to write here', async () => {
    const UploadId = await begin('target')
    const allow = (Action: string, key: string) => ({
      Effect: 'Allow',
      Action,
      Resource: `arn:aws:s3:::${Bucket}/${key}`,
    })
    const at = { Bucket, Key: 'target', UploadId, PartNumber: 1, CopySource: `${Bucket}/ten` }
    const send = async (...statements: object[]) => {
      const user = await given.own.user(statements)
      return user.s3().send(new UploadPartCopyCommand(at))
    }
    const [read, write] = [allow('s3:GetObject', 'ten'), allow('s3:PutObject', 'target')]
    for (const one of [read, write]) {
      await expect(send(one)).rejects.toMatchObject({ name: 'AccessDenied' })
    }
    expect((await send(read, write)).CopyPartResult?.ETag).toBeDefined()
  })

  test('may be of a source in another bucket', async () => {
    const there = await givenBucket(given.s3)
    await given.s3.send(new PutObjectCommand({ Bucket: there, Key: 'k', Body: 'there' }))
    const UploadId = await begin('from there')
    const { CopyPartResult } = await part('from there', UploadId, '', { CopySource: `${there}/k` })
    await complete('from there', UploadId, [CopyPartResult?.ETag])
    expect((await given.get('from there')).body.toString()).toBe('there')
  })

  test('asks KMS for both data keys, and leaves one record', async () => {
    const { own } = given
    await given.put('kms', 'x', KMS)
    const UploadId = await begin('kms target', KMS)
    const before = (await own.records()).length
    await part('kms target', UploadId, 'kms', { CopySourceRange: 'bytes=0-0' })
    const records = (await own.records()).slice(before)
    const named = (name: string) => records.filter(({ eventName }) => eventName === name)
    expect(records).toHaveLength(3)
    const contexts = named('Decrypt').map(
      ({ requestParameters }) => requestParameters?.encryptionContext,
    )
    expect(contexts).toHaveLength(2)
    for (const key of ['kms', 'kms target']) {
      expect(contexts).toContainEqual({ 'aws:s3:arn': `arn:aws:s3:::${Bucket}/${key}` })
    }
    expect(named('UploadPartCopy')).toMatchObject([
      {
        eventCategory: 'Data',
        requestParameters: {
          bucketName: Bucket,
          key: 'kms target',
          partNumber: '1',
          uploadId: UploadId,
          'x-amz-copy-source': `${Bucket}/kms`,
          'x-amz-copy-source-range': 'bytes=0-0',
        },
        additionalEventData: { SSEApplied: 'SSE-KMS' },
      },
    ])
  })
})
