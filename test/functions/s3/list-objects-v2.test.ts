import { randomUUID } from 'node:crypto'
import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()

async function givenObjects(keys: readonly string[]): Promise<string> {
  const Bucket = await givenBucket(s3)
  for (let i = 0; i < keys.length; i += 16) {
    await Promise.all(
      keys.slice(i, i + 16).map((Key) => s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))),
    )
  }
  return Bucket
}

const byBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b))
const list = (Bucket: string, more: Partial<ListObjectsV2CommandInput> = {}) =>
  s3.send(new ListObjectsV2Command({ Bucket, ...more }))
const entries = ({ Contents = [], CommonPrefixes = [] }: ListObjectsV2CommandOutput): string[] =>
  [...Contents.map(({ Key = '' }) => Key), ...CommonPrefixes.map(({ Prefix = '' }) => Prefix)].sort(
    byBytes,
  )

async function listAll(Bucket: string, more: Partial<ListObjectsV2CommandInput>) {
  const found: string[] = []
  let ContinuationToken: string | undefined
  let pages = 0
  do {
    const page = await list(Bucket, { ...more, ContinuationToken })
    const shown = entries(page)
    expect(page.KeyCount).toBe(shown.length)
    expect(shown.length).toBeLessThanOrEqual(more.MaxKeys ?? 1000)
    expect(page.IsTruncated).toBe(page.NextContinuationToken !== undefined)
    found.push(...shown)
    ContinuationToken = page.NextContinuationToken
    pages += 1
  } while (ContinuationToken !== undefined)
  return { found, pages }
}

/** What a listing is, by its definition. */
function expected(keys: readonly string[], prefix: string, delimiter: string, after: string) {
  const shown = new Set<string>()
  for (const key of [...keys].sort(byBytes)) {
    if (!key.startsWith(prefix) || (after !== '' && byBytes(key, after) <= 0)) continue
    const end = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length)
    shown.add(end === -1 ? key : key.slice(0, end + delimiter.length))
  }
  return [...shown]
}

const KEYS = [
  'a',
  'a/',
  'a/1',
  'a/2',
  'a/b/1',
  'a/b/2',
  'a0',
  'b//1',
  'b//2',
  'b/1',
  'c d',
  'c+d',
  'c%20d',
  'é/1',
  'z/😀',
  'z/\uffee',
]

describe('any listing', () => {
  let Bucket: string
  beforeAll(async () => {
    Bucket = await givenObjects(KEYS)
  })

  test('is the one that its definition gives, in pages of any size', async () => {
    const query = fc.record({
      prefix: fc.constantFrom('', 'a', 'a/', 'a/b', 'b/', 'c', 'z/', 'none', 'é'),
      delimiter: fc.constantFrom('', '/', '//', '1', 'b'),
      after: fc.constantFrom('', 'a', 'a/', 'a/1', 'a/b/', 'a/b/1', 'b', 'zz', 'z/😀'),
      maxKeys: fc.constantFrom(1, 2, 3, 7, 1000),
    })
    await fc.assert(
      fc.asyncProperty(query, async ({ prefix, delimiter, after, maxKeys }) => {
        const { found } = await listAll(Bucket, {
          Prefix: prefix,
          Delimiter: delimiter,
          StartAfter: after,
          MaxKeys: maxKeys,
        })
        expect(found).toEqual(expected(KEYS, prefix, delimiter, after))
      }),
      { numRuns: 60 },
    )
  }, 60_000)

  test('may ask for names in URL encoding, which a client decodes to the same', async () => {
    const plain = await list(Bucket, { Prefix: 'c' })
    const encoded = await list(Bucket, { Prefix: 'c', EncodingType: 'url' })
    expect(encoded.EncodingType).toBe('url')
    const names = (encoded.Contents ?? []).map(({ Key = '' }) => Key)
    expect(names).toEqual(['c%20d', 'c%2520d', 'c%2Bd'])
    expect(names.map(decodeURIComponent)).toEqual((plain.Contents ?? []).map(({ Key }) => Key))
  })

  test('tells of each object what HeadObject tells', async () => {
    const { Contents = [] } = await list(Bucket, { Prefix: 'a/1', FetchOwner: true })
    expect(Contents).toMatchObject([
      {
        Key: 'a/1',
        Size: 3,
        StorageClass: 'STANDARD',
        ChecksumAlgorithm: ['CRC32'],
        ChecksumType: 'FULL_OBJECT',
        ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
        LastModified: expect.any(Date),
        Owner: { ID: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    ])
    expect((await list(Bucket, { Prefix: 'a/1' })).Contents?.[0]?.Owner).toBeUndefined()
  })

  test('may ask for nothing', async () => {
    const page = await list(Bucket, { MaxKeys: 0 })
    expect([page.KeyCount, page.IsTruncated, page.Contents]).toEqual([0, false, undefined])
  })

  test('goes on behind a name that was removed in between', async () => {
    const own = await givenObjects(['1', '2', '3'])
    const { NextContinuationToken } = await list(own, { MaxKeys: 2 })
    await s3.send(new DeleteObjectCommand({ Bucket: own, Key: '2' }))
    expect(entries(await list(own, { ContinuationToken: NextContinuationToken }))).toEqual(['3'])
  })

  test('has its elements in the order of S3', async () => {
    const { body } = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}`,
      query: { 'list-type': '2', delimiter: '/', 'max-keys': '2', 'start-after': 'A' },
    })
    const names = [...body.toString().matchAll(/<([A-Z][A-Za-z]+)[ >]/g)].map(([, name]) => name)
    expect(names).toEqual([
      'ListBucketResult',
      'Name',
      'Prefix',
      'Delimiter',
      'MaxKeys',
      'KeyCount',
      'IsTruncated',
      'NextContinuationToken',
      'StartAfter',
      'Contents',
      'Key',
      'LastModified',
      'ETag',
      'ChecksumAlgorithm',
      'ChecksumType',
      'Size',
      'StorageClass',
      'CommonPrefixes',
      'Prefix',
    ])
  })

  test('a token is good for its own listing only', async () => {
    const { NextContinuationToken: token = '' } = await list(Bucket, { MaxKeys: 1 })
    const other = await givenObjects([])
    const wrong = {
      name: 'InvalidArgument',
      message: 'The continuation token provided is incorrect',
    }
    for (const attempt of [
      list(Bucket, { ContinuationToken: 'x' }),
      list(Bucket, { ContinuationToken: token.slice(0, -2) }),
      list(Bucket, { ContinuationToken: token, Prefix: 'a' }),
      list(Bucket, { ContinuationToken: token, Delimiter: '/' }),
      list(other, { ContinuationToken: token }),
    ]) {
      await expect(attempt).rejects.toMatchObject(wrong)
    }
    expect(token).not.toContain(Buffer.from('a').toString('base64'))
  })

  test.each([
    ['max-keys', '-1'],
    ['max-keys', 'x'],
    ['max-keys', '1.5'],
    ['encoding-type', 'base64'],
  ])('refuses %s=%s', async (name, value) => {
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}`,
      query: { 'list-type': '2', [name]: value },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })

  test('an empty token is as none', async () => {
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}`,
      query: { 'list-type': '2', 'continuation-token': '' },
    })
    expect([answer.status, xmlText(answer.body, 'ContinuationToken')]).toEqual([200, ''])
  })
})

test('many names under few prefixes are told as few', async () => {
  const folders = ['x', 'y', 'z'].map((name) => `${name}-${randomUUID()}`)
  const keys = folders.flatMap((folder) => Array.from({ length: 150 }, (_, i) => `${folder}/${i}`))
  const Bucket = await givenObjects(keys)
  const page = await list(Bucket, { Delimiter: '/' })
  expect(entries(page)).toEqual(folders.map((folder) => `${folder}/`))
  expect((await listAll(Bucket, { MaxKeys: 100 })).found).toEqual([...keys].sort(byBytes))
})
