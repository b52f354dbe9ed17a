import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, asked, customerKey, MODES } from '../../support/encryption-modes.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'

const MIB = 1024 ** 2
let own: InProcessStack
let s3: S3Client
let Bucket: string
beforeAll(async () => {
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true'
  own = await givenInProcessStack()
  s3 = own.stack.s3()
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})
afterAll(() => own.close())

const put = (Key: string, Body: Buffer | string, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more }))
const copy = (from: string, Key: string, more: Partial<CopyObjectCommandInput> = {}) =>
  s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${from}`, ...more }))
const get = (Key: string, more: object = {}) =>
  s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
const bytesOf = async (answer: Awaited<ReturnType<typeof get>>) =>
  Buffer.from((await answer.Body?.transformToByteArray()) ?? [])
const asSource = (read: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(read).map(([name, value]) => [`CopySource${name}`, value]))

describe.each(MODES)('a copy from %s', (from) => {
  const source = asked(from)
  describe.each(MODES)('to %s', (to) => {
    const target = asked(to)
    test.each([0, 1, 65_536, 65_537, 200_000])(
      'of %i bytes is the same, encrypted anew',
      async (size) => {
        const body = randomBytes(size)
        const [a, b] = [randomUUID(), randomUUID()]
        await put(a, body, source.write)
        const { CopyObjectResult, ...told } = await copy(a, b, {
          ...target.write,
          ...asSource(source.read),
        })
        const read = await get(b, target.read)
        expect((await bytesOf(read)).equals(body)).toBe(true)
        expect(read.ETag).toBe(CopyObjectResult?.ETag)
        for (const field of [
          'ServerSideEncryption',
          'SSEKMSKeyId',
          'BucketKeyEnabled',
          'SSECustomerKeyMD5',
        ] as const) {
          expect(told[field]).toBe(read[field])
        }
        const isMd5 = read.ETag === `"${createHash('md5').update(body).digest('hex')}"`
        expect(isMd5).toBe(to === 'SSE-S3')
      },
    )
  })

  test('part by part, in ranges, is the same', async () => {
    const body = randomBytes(6 * MIB)
    const [a, Key] = [randomUUID(), randomUUID()]
    await put(a, body, source.write)
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ Bucket, Key }))
    const CopySource = `${Bucket}/${a}`
    const ranges = [
      [0, 5 * MIB - 1],
      [65_530, 65_545],
    ] as const
    const Parts = []
    for (const [index, [first, last]] of ranges.entries()) {
      const PartNumber = index + 1
      const { CopyPartResult } = await s3.send(
        new UploadPartCopyCommand({
          Bucket,
          Key,
          UploadId,
          PartNumber,
          CopySource,
          CopySourceRange: `bytes=${first}-${last}`,
          ...asSource(source.read),
        }),
      )
      Parts.push({ PartNumber, ETag: CopyPartResult?.ETag })
    }
    await s3.send(
      new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }),
    )
    const expected = Buffer.concat(ranges.map(([first, last]) => body.subarray(first, last + 1)))
    expect((await bytesOf(await get(Key))).equals(expected)).toBe(true)
  })
})

describe('a copy', () => {
  beforeAll(() =>
    put('source', 'text', {
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      Tagging: 'team=a&stage=x%20y',
    }),
  )

  test('keeps metadata and tags unless others are given', async () => {
    await copy('source', 'kept', { ContentType: 'text/html', Metadata: { b: '2' } })
    expect(await get('kept')).toMatchObject({ ContentType: 'text/plain', Metadata: { a: '1' } })
    await copy('source', 'replaced', {
      MetadataDirective: 'REPLACE',
      ContentType: 'text/html',
      Metadata: { b: '2' },
    })
    expect(await get('replaced')).toMatchObject({ ContentType: 'text/html', Metadata: { b: '2' } })
  })

  test('of an object in parts is one in one piece', async () => {
    const at = { Bucket, Key: 'parts' }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at))
    const bodies = [randomBytes(5 * MIB), randomBytes(100)]
    const Parts = []
    for (const [index, Body] of bodies.entries()) {
      const PartNumber = index + 1
      const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }))
      Parts.push({ PartNumber, ETag })
    }
    await s3.send(
      new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }),
    )
    const { CopyObjectResult } = await copy('parts', 'joined')
    const whole = Buffer.concat(bodies)
    expect(CopyObjectResult?.ETag).toBe(`"${createHash('md5').update(whole).digest('hex')}"`)
    expect((await bytesOf(await get('joined'))).equals(whole)).toBe(true)
  })

  test('takes the checksum of its source, or the one that is asked for', async () => {
    await put('summed', 'text', { ChecksumAlgorithm: 'SHA256' })
    const kept = await copy('summed', 'summed-2')
    expect(kept.CopyObjectResult?.ChecksumSHA256).toBe(
      createHash('sha256').update('text').digest('base64'),
    )
    const other = await copy('summed', 'summed-3', { ChecksumAlgorithm: 'SHA1' })
    expect(other.CopyObjectResult?.ChecksumSHA1).toBe(
      createHash('sha1').update('text').digest('base64'),
    )
    const head = await s3.send(
      new HeadObjectCommand({ Bucket, Key: 'summed-3', ChecksumMode: 'ENABLED' }),
    )
    expect(head).toMatchObject({
      ChecksumSHA1: other.CopyObjectResult?.ChecksumSHA1,
      ChecksumType: 'FULL_OBJECT',
    })
  })

  test('takes nothing of the encryption of its source', async () => {
    await put('kms', 'x', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true })
    expect((await copy('kms', 'plain')).ServerSideEncryption).toBe('AES256')
    const other = await givenBucket(s3)
    const byDefault = { SSEAlgorithm: 'aws:kms:dsse' } as const
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket: other,
        ServerSideEncryptionConfiguration: {
          Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }],
        },
      }),
    )
    expect((await copy('kms', 'there', { Bucket: other })).ServerSideEncryption).toBe(
      'aws:kms:dsse',
    )
  })

  test('onto itself must change something', async () => {
    await put('self', 'x')
    await expect(copy('self', 'self')).rejects.toMatchObject({
      name: 'InvalidRequest',
      message:
        "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.",
    })
    const first = customerKey()
    const second = customerKey()
    await copy('self', 'self', first)
    await copy('self', 'self', { ...second, ...asSource(first) }) // another key for the same object
    expect((await bytesOf(await get('self', second))).toString()).toBe('x')
    await expect(get('self', first)).rejects.toMatchObject({ name: 'AccessDenied' })
    await copy('self', 'self', { ServerSideEncryption: 'AES256', ...asSource(second) })
    await copy('self', 'self', { MetadataDirective: 'REPLACE' })
  })

  test.each<[string, string | undefined, string, string]>([
    ['If-Match', 'CopySourceIfMatch', '"0"', 'x-amz-copy-source-If-Match'],
    ['If-None-Match', 'CopySourceIfNoneMatch', '*', 'x-amz-copy-source-If-None-Match'],
  ])('is made only when %s of its source holds', async (_name, field, value, Condition) => {
    await expect(copy('source', 'conditional', { [field as string]: value })).rejects.toMatchObject(
      {
        name: 'PreconditionFailed',
        Condition,
      },
    )
  })

  test('has dates as conditions too, after the ETag', async () => {
    const { ETag } = await get('source')
    const past = new Date(Date.now() - 3_600_000)
    await expect(
      copy('source', 'dated', { CopySourceIfUnmodifiedSince: past }),
    ).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await expect(
      copy('source', 'dated', { CopySourceIfModifiedSince: new Date(Date.now() + 5000) }),
    ).rejects.toMatchObject({ name: 'PreconditionFailed' })
    await copy('source', 'dated', { CopySourceIfMatch: ETag, CopySourceIfUnmodifiedSince: past })
  })

  test('replaces only what its target conditions say', async () => {
    await put('there', 'x')
    const none = copy('source', 'there', { IfNoneMatch: '*' } as Partial<CopyObjectCommandInput>)
    await expect(none).rejects.toMatchObject({ name: 'PreconditionFailed' })
  })

  test.each<[string, number, string, string]>([
    ['NoSuchKey', 404, 'no-such', ''],
    ['NoSuchBucket', 404, 'k', 'no-such-bucket'],
  ])('answers %s', async (name, httpStatusCode, key, bucket) => {
    const CopySource = `${bucket || Bucket}/${key}`
    await expect(copy('', 'k', { CopySource })).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode },
    })
  })

  test.each(['nothing', '/', '', `b/`, 'Bad_Bucket/k'])('refuses the source %j', async (source) => {
    const answer = await sendRaw(own.stack, {
      method: 'PUT',
      path: `/${Bucket}/k`,
      headers: { 'x-amz-copy-source': source },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })

  test.each([
    ['with a slash before it', (name: string) => `/${name}`],
    ['encoded as a whole', encodeURIComponent],
    ['with its version', (name: string) => `${name}?versionId=null`],
  ])('finds a source %s', async (_how, spelled) => {
    const Key = 'ä b+c?d'
    await put(Key, 'odd')
    const path = `${Bucket}/${encodeURIComponent(Key)}`
    const CopySource =
      spelled === encodeURIComponent ? encodeURIComponent(`${Bucket}/${Key}`) : spelled(path)
    await copy('', 'odd', { CopySource })
    expect((await bytesOf(await get('odd'))).toString()).toBe('odd')
  })

  test.each<[string, object]>([
    ['x-amz-metadata-directive', { MetadataDirective: 'MOVE' }],
    ['x-amz-tagging-directive', { TaggingDirective: 'MOVE' }],
  ])('refuses an unknown %s', async (ArgumentName, more) => {
    await expect(copy('source', 'k', more)).rejects.toMatchObject({
      name: 'InvalidArgument',
      ArgumentName,
    })
  })

  test("needs the source's key exactly where there is one", async () => {
    await put('locked', 'x', customerKey())
    await expect(copy('locked', 'k')).rejects.toMatchObject({ name: 'InvalidRequest' })
    await expect(copy('source', 'k', asSource(customerKey()))).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
    await expect(copy('locked', 'k', asSource(customerKey()))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test('takes the right to read there, and to write here', async () => {
    const there = `arn:aws:s3:::${Bucket}`
    const reader = await own.user([
      { Effect: 'Allow', Action: 's3:GetObject', Resource: `${there}/*` },
    ])
    const writer = await own.user([
      { Effect: 'Allow', Action: 's3:PutObject', Resource: `${there}/*` },
    ])
    const both = await own.user([
      { Effect: 'Allow', Action: ['s3:PutObject'], Resource: `${there}/target` },
      { Effect: 'Allow', Action: ['s3:GetObject'], Resource: `${there}/open` },
    ])
    await put('open', 'x')
    const command = (from: string) =>
      new CopyObjectCommand({ Bucket, Key: 'target', CopySource: `${Bucket}/${from}` })
    for (const user of [reader, writer]) {
      await expect(user.s3().send(command('open'))).rejects.toMatchObject({ name: 'AccessDenied' })
    }
    await both.s3().send(command('open'))
    await expect(both.s3().send(command('source'))).rejects.toMatchObject({ name: 'AccessDenied' })
    await expect(both.s3().send(command('no-such'))).rejects.toMatchObject({ name: 'AccessDenied' })
    await put('open', 'x', { Tagging: 'a=1' })
    await expect(both.s3().send(command('open'))).rejects.toMatchObject({ name: 'AccessDenied' })
  })

  test("asks KMS for the source's data key and for one of its own, as the caller", async () => {
    const encryption = { ServerSideEncryption: 'aws:kms' } as const
    await put('from', 'x', encryption)
    const before = (await own.records()).length
    await copy('from', 'to', encryption)
    const records = (await own.records()).slice(before)
    expect(records.map(({ eventName }) => eventName).sort()).toEqual([
      'CopyObject',
      'Decrypt',
      'GenerateDataKey',
    ])
    const contexts = records
      .map(({ requestParameters }) => requestParameters?.encryptionContext)
      .filter(Boolean)
    expect(contexts).toEqual(
      expect.arrayContaining(
        ['from', 'to'].map((key) => ({ 'aws:s3:arn': `arn:aws:s3:::${Bucket}/${key}` })),
      ),
    )
    const event = records.find(({ eventName }) => eventName === 'CopyObject')
    expect(event?.requestParameters).toMatchObject({
      'x-amz-copy-source': `${Bucket}/from`,
      key: 'to',
    })
  })
})

describe('a part that is copied', () => {
  const begin = async (more: object = {}) =>
    (await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'target', ...more }))).UploadId
  const part = (UploadId: string | undefined, CopySourceRange?: string, more: object = {}) =>
    s3.send(
      new UploadPartCopyCommand({
        Bucket,
        Key: 'target',
        UploadId,
        PartNumber: 1,
        CopySource: `${Bucket}/ten`,
        ...(CopySourceRange === undefined ? {} : { CopySourceRange }),
        ...more,
      }),
    )
  beforeAll(() => put('ten', '0123456789'))

  test.each([
    ['bytes=0-10', 'InvalidArgument'],
    ['bytes=5-4', 'InvalidArgument'],
    ['bytes=0-', 'InvalidArgument'],
    ['bytes=-5', 'InvalidArgument'],
    ['0-5', 'InvalidArgument'],
    ['bytes=10-11', 'InvalidRequest'],
  ])('is refused for the range %s', async (range, name) => {
    await expect(part(await begin(), range)).rejects.toMatchObject({ name })
  })

  test('is of the whole source without a range', async () => {
    const UploadId = await begin({ ChecksumAlgorithm: 'SHA256' })
    const { CopyPartResult } = await part(UploadId)
    expect(CopyPartResult).toMatchObject({
      ETag: `"${createHash('md5').update('0123456789').digest('hex')}"`,
      ChecksumSHA256: createHash('sha256').update('0123456789').digest('base64'),
    })
  })

  test('takes the key of its upload', async () => {
    const key = customerKey()
    const UploadId = await begin(key)
    await expect(part(UploadId)).rejects.toMatchObject({ name: 'InvalidRequest' })
    expect((await part(UploadId, 'bytes=0-4', key)).SSECustomerKeyMD5).toBe(key.SSECustomerKeyMD5)
  })

  test('needs an upload', async () => {
    await expect(part('none')).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })
})
