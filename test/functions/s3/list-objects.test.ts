import { createHash } from 'node:crypto'
import {
  ListObjectsCommand,
  type ListObjectsCommandInput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const KEYS = ['a', 'a/', 'a/1', 'a/b/1', 'a/b/2', 'a0', 'b//1', 'b/1', 'c d', 'c+d', 'é/1', 'z/😀']
const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const sorted = [...KEYS].sort(byBytes)
let Bucket = ''

beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await Promise.all(KEYS.map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))))
})

const list = (more: Partial<ListObjectsCommandInput> = {}) =>
  s3.send(new ListObjectsCommand({ Bucket, ...more }))

/** Pages as a client of the first version goes through them. */
async function listAll(more: Partial<ListObjectsCommandInput>) {
  const found: string[] = []
  let Marker: string | undefined
  for (;;) {
    const page = await list({ ...more, ...(Marker === undefined ? {} : { Marker }) })
    const shown = [
      ...(page.Contents ?? []).map(({ Key = '' }) => Key),
      ...(page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix),
    ].sort(byBytes)
    expect(shown.length).toBeLessThanOrEqual(more.MaxKeys ?? 1000)
    found.push(...shown)
    if (!page.IsTruncated) return found
    expect(page.NextMarker).toBe(more.Delimiter === undefined ? undefined : shown.at(-1))
    Marker = shown.at(-1) ?? ''
  }
}

/** What a listing is, by its definition. */
function expected(prefix: string, delimiter: string) {
  const shown = new Set<string>()
  for (const key of sorted.filter((name) => name.startsWith(prefix))) {
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    shown.add(end === -1 ? key : key.slice(0, end + delimiter.length))
  }
  return [...shown]
}

describe('ListObjects', () => {
  test('tells of each object what it is, and whose', async () => {
    const page = await list({ Prefix: 'a/1' })
    expect(page).toMatchObject({ Name: Bucket, Prefix: 'a/1', Marker: '', MaxKeys: 1000 })
    expect(page.IsTruncated).toBe(false)
    expect(page.Contents).toEqual([
      {
        Key: 'a/1',
        Size: 3,
        ETag: `"${createHash('md5').update('a/1').digest('hex')}"`,
        LastModified: expect.any(Date),
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: ['CRC32'],
        ChecksumType: 'FULL_OBJECT',
        Owner: { ID: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ])
  })

  test('begins after the marker, whether there is such an object or not', async () => {
    for (const Marker of ['a/b/1', 'a/b/15', 'zz', '\u0001']) {
      const keys = (await list({ Marker })).Contents?.map(({ Key }) => Key) ?? []
      expect(keys).toEqual(sorted.filter((key) => byBytes(key, Marker) > 0))
    }
  })

  test('names the next marker only where there is a delimiter and more to come', async () => {
    expect((await list({ MaxKeys: 2 })).NextMarker).toBeUndefined()
    expect(await list({ MaxKeys: 2, Delimiter: '/' })).toMatchObject({
      IsTruncated: true,
      NextMarker: 'a/',
    })
    expect((await list({ Delimiter: '/' })).NextMarker).toBeUndefined()
  })

  test('a marker that is a common prefix stands for all names under it', async () => {
    const page = await list({ Delimiter: '/', Marker: 'a/' })
    expect(page.CommonPrefixes?.map(({ Prefix }) => Prefix)).toEqual(
      ['b/', 'z/', 'é/'].sort(byBytes),
    )
    expect(page.Contents?.map(({ Key }) => Key)).toEqual(['a0', 'c d', 'c+d'].sort(byBytes))
  })

  test('pages of any size give every entry once, in order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('', 'a', 'a/', 'b/', 'nothing'),
        fc.constantFrom(undefined, '/', '//', 'b'),
        fc.integer({ min: 1, max: 5 }),
        async (Prefix, Delimiter, MaxKeys) => {
          const more = { Prefix, MaxKeys, ...(Delimiter === undefined ? {} : { Delimiter }) }
          expect(await listAll(more)).toEqual(expected(Prefix, Delimiter ?? ''))
        },
      ),
      { numRuns: 25 },
    )
  })

  test('writes names percent-encoded where that is asked for, markers too', async () => {
    const query = {
      'encoding-type': 'url',
      delimiter: '+',
      prefix: 'c',
      'max-keys': '1',
      marker: 'a b',
    }
    const { body } = await sendRaw(stack, { method: 'GET', path: `/${Bucket}`, query })
    const names = ['Key', 'Marker', 'Delimiter', 'NextMarker', 'EncodingType']
    expect(names.map((name) => xmlText(body, name))).toEqual([
      'c%20d',
      'a%20b',
      '%2B',
      'c%20d',
      'url',
    ])
  })

  test('no keys are no page', async () => {
    const page = await list({ MaxKeys: 0 })
    expect([page.IsTruncated, page.Contents, page.MaxKeys]).toEqual([false, undefined, 0])
  })

  test.each([
    ['max-keys', '-1'],
    ['max-keys', 'many'],
    ['encoding-type', 'base64'],
  ])('refuses %s=%s', async (name, value) => {
    const refused = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}`,
      query: { [name]: value },
    })
    expect([refused.status, xmlText(refused.body, 'Code')]).toEqual([400, 'InvalidArgument'])
    expect(xmlText(refused.body, 'ArgumentName')).toBe(name)
  })

  test('refuses a bucket that there is not', async () => {
    const attempt = s3.send(new ListObjectsCommand({ Bucket: `${Bucket}-x` }))
    await expect(attempt).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })
})
