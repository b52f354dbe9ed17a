import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteBucketTaggingCommand,
  DeleteObjectTaggingCommand,
  GetBucketTaggingCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  PutBucketTaggingCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  type S3Client,
  type Tag,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, asked, customerKey, MODES } from '../../support/encryption-modes.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket } from '../../support/s3.ts'

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

const put = (Key: string, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ...more }))
const tagsOf = async (Key: string) =>
  (await s3.send(new GetObjectTaggingCommand({ Bucket, Key }))).TagSet
const setTags = (Key: string, TagSet: Tag[]) =>
  s3.send(new PutObjectTaggingCommand({ Bucket, Key, Tagging: { TagSet } }))
const tags = (count: number): Tag[] =>
  Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: '' }))

describe('tags of an object', () => {
  test('come with the write, and are counted by reads', async () => {
    await put('tagged', { Tagging: 'team=pay%20ments&stage=x+y&empty=&__proto__=z' })
    expect(await tagsOf('tagged')).toEqual(
      expect.arrayContaining([
        { Key: 'team', Value: 'pay ments' },
        { Key: 'stage', Value: 'x y' },
        { Key: 'empty', Value: '' },
        { Key: '__proto__', Value: 'z' },
      ]),
    )
    for (const Command of [GetObjectCommand, HeadObjectCommand]) {
      const answer = await s3.send(new Command({ Bucket, Key: 'tagged' }) as GetObjectCommand)
      expect(answer.TagCount).toBe(4)
    }
    await put('tagged')
    expect(await tagsOf('tagged')).toEqual([])
  })

  test.each(MODES)(
    'under %s change without its key, and the object stays as it was',
    async (mode) => {
      const { write, read } = asked(mode)
      const { ETag } = await put('changed', write)
      await setTags('changed', [{ Key: 'a', Value: '1' }])
      expect(await tagsOf('changed')).toEqual([{ Key: 'a', Value: '1' }])
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key: 'changed', ...read }))
      expect([answer.ETag, await answer.Body?.transformToString()]).toEqual([ETag, 'x'])
      await s3.send(new DeleteObjectTaggingCommand({ Bucket, Key: 'changed' }))
      expect(await tagsOf('changed')).toEqual([])
    },
  )

  test('of an upload in parts are those that it began with', async () => {
    const at = { Bucket, Key: 'parts' }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, Tagging: 'a=b' }))
    const { ETag } = await s3.send(
      new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'x' }),
    )
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload }))
    expect(await tagsOf('parts')).toEqual([{ Key: 'a', Value: 'b' }])
  })

  test('go over with a copy, unless it brings its own', async () => {
    await put('source', { Tagging: 'a=b' })
    const CopySource = `${Bucket}/source`
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource }))
    expect(await tagsOf('copied')).toEqual([{ Key: 'a', Value: 'b' }])
    const replaced = { TaggingDirective: 'REPLACE', Tagging: 'c=d' } as const
    await s3.send(new CopyObjectCommand({ Bucket, Key: 'copied', CopySource, ...replaced }))
    expect(await tagsOf('copied')).toEqual([{ Key: 'c', Value: 'd' }])
  })

  test.each<[string, string, Tag[]]>([
    ['BadRequest', 'Object tags cannot be greater than 10', tags(11)],
    ['InvalidTag', 'Cannot provide multiple Tags with the same key', [...tags(1), ...tags(1)]],
    [
      'InvalidTag',
      'The TagKey you have provided is invalid',
      [{ Key: 'k'.repeat(129), Value: '' }],
    ],
    ['InvalidTag', 'The TagKey you have provided is invalid', [{ Key: '<', Value: '' }]],
    [
      'InvalidTag',
      'The TagValue you have provided is invalid',
      [{ Key: 'k', Value: 'v'.repeat(257) }],
    ],
    [
      'InvalidTag',
      'System tags cannot be added/updated by requester',
      [{ Key: 'aws:x', Value: '' }],
    ],
  ])('are refused: %s, %s', async (name, message, TagSet) => {
    await put('refused')
    await expect(setTags('refused', TagSet)).rejects.toMatchObject({ name, message })
    const header = TagSet.map(({ Key, Value }) => `${encodeURIComponent(Key ?? '')}=${Value}`)
    await expect(put('refused', { Tagging: header.join('&') })).rejects.toMatchObject({ name })
  })

  test('are those of an object that there is', async () => {
    for (const call of [tagsOf('none'), setTags('none', [])]) {
      await expect(call).rejects.toMatchObject({ name: 'NoSuchKey' })
    }
  })

  test('take rights of their own, with a write too', async () => {
    const Resource = `arn:aws:s3:::${Bucket}/*`
    const writer = (await own.user([{ Effect: 'Allow', Action: 's3:PutObject', Resource }])).s3()
    const write = { Bucket, Key: 'theirs', Body: 'x' }
    await writer.send(new PutObjectCommand(write))
    const denied = { name: 'AccessDenied' }
    await expect(
      writer.send(new PutObjectCommand({ ...write, Tagging: 'a=b' })),
    ).rejects.toMatchObject(denied)
    const set = new PutObjectTaggingCommand({ Bucket, Key: 'theirs', Tagging: { TagSet: [] } })
    await expect(writer.send(set)).rejects.toMatchObject(denied)
  })

  test('that change at once end with one of them', async () => {
    await put('raced', customerKey())
    const sets = Array.from({ length: 5 }, (_, index) => [{ Key: 'n', Value: String(index) }])
    await Promise.allSettled(sets.map((set) => setTags('raced', set)))
    expect(sets).toContainEqual(await tagsOf('raced'))
  })
})

describe('tags of a bucket', () => {
  test('are given back until they are deleted', async () => {
    const missing = { name: 'NoSuchTagSet', message: 'The TagSet does not exist' }
    const get = () => s3.send(new GetBucketTaggingCommand({ Bucket }))
    await expect(get()).rejects.toMatchObject(missing)
    const TagSet = tags(50)
    await s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }))
    expect((await get()).TagSet).toEqual(TagSet)
    const more = new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: tags(51) } })
    await expect(s3.send(more)).rejects.toMatchObject({ name: 'BadRequest' })
    await s3.send(new DeleteBucketTaggingCommand({ Bucket }))
    await expect(get()).rejects.toMatchObject(missing)
  })
})
