import { createHash, randomBytes, randomUUID } from 'node:crypto'
import {
  type CopyObjectCommandInput,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketEncryptionCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { asSource, type Copies, givenCopies } from '../../support/copies.ts'
import { asked, customerKey, MODES } from '../../support/encryption-modes.ts'
import { givenBucket } from '../../support/s3.ts'

const MIB = 1024 ** 2
const ILLEGAL =
  "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes."

let given: Copies
beforeAll(async () => {
  given = await givenCopies()
})
afterAll(() => given.own.close())

const digest = (algorithm: string, data: string | Uint8Array) => createHash(algorithm).update(data)
const md5Etag = (data: string | Uint8Array) => `"${digest('md5', data).digest('hex')}"`

describe.each(MODES)('a copy from %s', (from) => {
  const source = asked(from)
  const parts = [randomBytes(5 * MIB), randomBytes(65_537)]
  beforeAll(() => given.putParts(`parts of ${from}`, parts, source))

  describe.each(MODES)('to %s', (to) => {
    const target = asked(to)

    test.each([0, 1, 65_536, 65_537, 200_000])(
      'of %i bytes is the same, encrypted anew',
      async (size) => {
        const body = randomBytes(size)
        const [a, b] = [randomUUID(), randomUUID()]
        await given.put(a, body, source.write)
        const { CopyObjectResult, ...told } = await given.copy(a, b, {
          ...target.write,
          ...asSource(source.read),
        })
        const read = await given.get(b, target.read)
        expect(read.body.equals(body)).toBe(true)
        expect(read.ETag).toBe(CopyObjectResult?.ETag)
        for (const field of [
          'ServerSideEncryption',
          'SSEKMSKeyId',
          'BucketKeyEnabled',
          'SSECustomerAlgorithm',
          'SSECustomerKeyMD5',
        ] as const) {
          expect(told[field]).toBe(read[field])
        }
        expect(read.ETag === md5Etag(body)).toBe(to === 'SSE-S3')
      },
    )

    test('of parts is in one piece, which any range is read from', async () => {
      const Key = randomUUID()
      await given.copy(`parts of ${from}`, Key, { ...target.write, ...asSource(source.read) })
      const whole = Buffer.concat(parts)
      const read = await given.get(Key, target.read)
      expect(read.body.equals(whole)).toBe(true)
      expect(read.ETag === md5Etag(whole)).toBe(to === 'SSE-S3')
      const Range = `bytes=${5 * MIB - 3}-${5 * MIB + 2}`
      const middle = await given.get(Key, { ...target.read, Range })
      expect(middle.body).toEqual(whole.subarray(5 * MIB - 3, 5 * MIB + 3))
    })
  })
})

describe('a copy', () => {
  beforeAll(() =>
    given.put('source', 'text', {
      ContentType: 'text/plain',
      Metadata: { a: '1' },
      Tagging: 'team=a&stage=x%20y',
    }),
  )

  test('keeps metadata unless other is given', async () => {
    const others = { ContentType: 'text/html', Metadata: { b: '2' } }
    await given.copy('source', 'kept', others)
    const kept = await given.get('kept')
    expect(kept).toMatchObject({ ContentType: 'text/plain' })
    expect(kept.Metadata).toEqual({ a: '1' })
    await given.copy('source', 'replaced', { MetadataDirective: 'REPLACE', ...others })
    const replaced = await given.get('replaced')
    expect(replaced).toMatchObject({ ContentType: 'text/html' })
    expect(replaced.Metadata).toEqual({ b: '2' })
  })

  test.each<[string, Partial<CopyObjectCommandInput>, object]>([
    ['those of its source', { Tagging: 'b=2' }, { team: 'a', stage: 'x y' }],
    ['others', { TaggingDirective: 'REPLACE', Tagging: 'b=2' }, { b: '2' }],
    ['none', { TaggingDirective: 'REPLACE' }, {}],
  ])('has tags: %s', async (_which, more, expected) => {
    await given.copy('source', 'tagged', more)
    const at = { Bucket: given.Bucket, Key: 'tagged' }
    const { TagSet = [] } = await given.s3.send(new GetObjectTaggingCommand(at))
    expect(Object.fromEntries(TagSet.map(({ Key, Value }) => [Key, Value]))).toEqual(expected)
  })

  test('takes the checksum of its source, or the one that is asked for', async () => {
    await given.put('summed', 'text', { ChecksumAlgorithm: 'SHA256' })
    const { CopyObjectResult: kept } = await given.copy('summed', 'summed-2')
    expect(kept?.ChecksumSHA256).toBe(digest('sha256', 'text').digest('base64'))
    const ChecksumAlgorithm = 'SHA1'
    const { CopyObjectResult: other } = await given.copy('summed', 'summed-3', {
      ChecksumAlgorithm,
    })
    const ChecksumSHA1 = digest('sha1', 'text').digest('base64')
    expect(other).toMatchObject({ ChecksumSHA1, ChecksumType: 'FULL_OBJECT' })
    expect(other?.ChecksumSHA256).toBeUndefined()
    const at = { Bucket: given.Bucket, Key: 'summed-3', ChecksumMode: 'ENABLED' } as const
    expect(await given.s3.send(new HeadObjectCommand(at))).toMatchObject({
      ChecksumSHA1,
      ChecksumType: 'FULL_OBJECT',
    })
  })

  test('of parts that were summed one by one is summed as a whole', async () => {
    const parts = [randomBytes(5 * MIB), randomBytes(10)]
    const write = { ChecksumAlgorithm: 'SHA256' }
    await given.putParts('composite', parts, { write, read: write })
    const before = await given.get('composite', { ChecksumMode: 'ENABLED' })
    expect(before).toMatchObject({ ChecksumType: 'COMPOSITE' })
    const { CopyObjectResult } = await given.copy('composite', 'whole')
    expect(CopyObjectResult).toMatchObject({
      ChecksumSHA256: digest('sha256', Buffer.concat(parts)).digest('base64'),
      ChecksumType: 'FULL_OBJECT',
    })
  })

  test('refuses a checksum that there is none of', async () => {
    const ChecksumAlgorithm = 'SHA3' as 'SHA256'
    await expect(given.copy('source', 'k', { ChecksumAlgorithm })).rejects.toMatchObject({
      $metadata: { httpStatusCode: 400 },
    })
  })

  test('takes nothing of the encryption of its source, and what its own bucket does by default', async () => {
    const { s3 } = given
    await given.put('kms', 'x', { ServerSideEncryption: 'aws:kms', BucketKeyEnabled: true })
    const plain = await given.copy('kms', 'plain')
    expect(plain.ServerSideEncryption).toBe('AES256')
    expect(plain.SSEKMSKeyId).toBeUndefined()
    expect(plain.BucketKeyEnabled).toBeUndefined()
    const kms = await given.copy('kms', 'kms-2', { ServerSideEncryption: 'aws:kms' })
    expect(kms.BucketKeyEnabled).toBeUndefined()
    const Bucket = await givenBucket(s3)
    const ApplyServerSideEncryptionByDefault = { SSEAlgorithm: 'aws:kms:dsse' } as const
    const ServerSideEncryptionConfiguration = { Rules: [{ ApplyServerSideEncryptionByDefault }] }
    await s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration }))
    const there = await given.copy('kms', 'there', { Bucket })
    expect(there.ServerSideEncryption).toBe('aws:kms:dsse')
    // What a bucket does by default changes an object that is copied onto itself.
    const self = { Bucket, CopySource: `${Bucket}/there` }
    expect((await given.copy('', 'there', self)).ServerSideEncryption).toBe('aws:kms:dsse')
  })

  test('onto itself must change something', async () => {
    await given.put('self', 'x')
    await expect(given.copy('self', 'self')).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: ILLEGAL,
    })
    const [first, second] = [customerKey(), customerKey()]
    await given.copy('self', 'self', first)
    await given.copy('self', 'self', { ...second, ...asSource(first) })
    expect((await given.get('self', second)).body.toString()).toBe('x')
    await expect(given.get('self', first)).rejects.toMatchObject({ name: 'AccessDenied' })
    // A key of the source alone changes nothing.
    await expect(given.copy('self', 'self', asSource(second))).rejects.toMatchObject({
      message: ILLEGAL,
    })
    await given.copy('self', 'self', { ServerSideEncryption: 'AES256', ...asSource(second) })
    await given.copy('self', 'self', { MetadataDirective: 'REPLACE' })
    await given.copy('self', 'self', { StorageClass: 'STANDARD' })
    expect((await given.get('self')).body.toString()).toBe('x')
  })

  test('onto itself has another ETag, so what waited for the old one fails', async () => {
    await given.put('turned', 'x', { ServerSideEncryption: 'aws:kms' })
    const { ETag } = await given.get('turned')
    const IfMatch = ETag as string
    const again = { ServerSideEncryption: 'aws:kms', IfMatch } as Partial<CopyObjectCommandInput>
    await given.copy('turned', 'turned', again)
    await expect(given.copy('turned', 'turned', again)).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: 'If-Match',
    })
  })

  test.each<[string, object, object]>([
    ['there', { IfNoneMatch: '*' }, { name: 'PreconditionFailed', Condition: 'If-None-Match' }],
    ['there', { IfNoneMatch: '"0"' }, { name: 'NotImplemented' }],
    ['there', { IfMatch: '"0"' }, { name: 'PreconditionFailed', Condition: 'If-Match' }],
    ['absent', { IfMatch: '"0"' }, { name: 'NoSuchKey' }],
  ])('over what is %s is refused on the condition %j', async (key, condition, refusal) => {
    await given.put('there', 'before')
    await expect(given.copy('source', key, condition)).rejects.toMatchObject(refusal)
    expect((await given.get('there')).body.toString()).toBe('before')
  })

  test.each<[string, string, object]>([
    ['x-amz-metadata-directive', 'Unknown metadata directive.', { MetadataDirective: 'MOVE' }],
    ['x-amz-tagging-directive', 'Unknown tagging directive.', { TaggingDirective: 'MOVE' }],
  ])('refuses an unknown %s', async (ArgumentName, message, more) => {
    await expect(given.copy('source', 'k', more)).rejects.toMatchObject({
      name: 'InvalidArgument',
      message,
      ArgumentName,
      ArgumentValue: 'MOVE',
    })
  })

  test('is refused tags that are none', async () => {
    const more = { TaggingDirective: 'REPLACE', Tagging: 'aws:a=1' } as const
    await expect(given.copy('source', 'k', more)).rejects.toMatchObject({ name: 'InvalidTag' })
  })

  test('is refused two ways of encryption at once, and keys that its bucket blocks', async () => {
    const both = { ServerSideEncryption: 'AES256', ...customerKey() } as const
    await expect(given.copy('source', 'k', both)).rejects.toMatchObject({
      name: 'InvalidArgument',
      ArgumentName: 'x-amz-server-side-encryption',
    })
    const Bucket = await givenBucket(given.s3)
    await expect(given.copy('source', 'k', { Bucket, ...customerKey() })).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('has blocked upload requests') as string,
    })
  })

  test("asks KMS for the source's data key and for one of its own, as the caller", async () => {
    const { own, Bucket } = given
    const encryption = { ServerSideEncryption: 'aws:kms' } as const
    await given.put('from', 'x', encryption)
    const before = (await own.records()).length
    const SSEKMSEncryptionContext = Buffer.from('{"team":"a"}').toString('base64')
    await given.copy('from', 'to', { ...encryption, SSEKMSEncryptionContext })
    const records = (await own.records()).slice(before)
    const contexts = Object.fromEntries(
      records.map(({ eventName, requestParameters }) => [
        eventName,
        requestParameters?.encryptionContext,
      ]),
    )
    const arn = `arn:aws:s3:::${Bucket}`
    expect(records).toHaveLength(3)
    expect(contexts).toEqual({
      CopyObject: undefined,
      Decrypt: { 'aws:s3:arn': `${arn}/from` },
      GenerateDataKey: { 'aws:s3:arn': `${arn}/to`, team: 'a' },
    })
    expect(records.find(({ eventName }) => eventName === 'CopyObject')).toMatchObject({
      eventSource: 's3.amazonaws.com',
      eventCategory: 'Data',
      readOnly: false,
      requestParameters: { 'x-amz-copy-source': `${Bucket}/from`, bucketName: Bucket, key: 'to' },
      additionalEventData: { SSEApplied: 'SSE-KMS' },
      resources: [{ ARN: `${arn}/to` }, { ARN: arn }],
    })
  })

  test('that is refused leaves a record that says why', async () => {
    await expect(given.copy('no-such', 'k')).rejects.toMatchObject({ name: 'NoSuchKey' })
    const record = (await given.own.records()).at(-1)
    expect(record).toMatchObject({ eventName: 'CopyObject', errorCode: 'NoSuchKey' })
  })
})
