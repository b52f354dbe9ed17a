import { QueryCommand } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import { type AccountId, bucketNameOf } from '../../../shared/ids.ts'
import type { ObjectRecord } from '../../../shared/store/records.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, walk, winners } from './contract.ts'
import {
  bucketName,
  givenAccount,
  givenBucket,
  givenObject,
  givenParts,
  givenUpload,
} from './given.ts'

const TABLE = 'keyhold-objects'

const kmsEncryption = {
  mode: 'SSE-KMS',
  dataKeyBlob: Buffer.from('data key'),
  encryptionContext: {},
  bucketKey: false,
  wrappedObjectKey: Buffer.from('wrapped'),
} as const

export function objectContract(given: Given): void {
  const buckets = () => given.store().buckets
  const objects = () => given.store().objects
  const read = (account: AccountId, key: string) => objects().get(account, bucketName, key)
  const list = async (account: AccountId, prefix: string, after: string | null = null) => {
    const page = await objects().list(account, bucketName, { prefix, after, limit: 1000 })
    return page.items.map(({ key }) => key)
  }

  test('a bucket is made once, read back, listed and deleted', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 50 }, () => buckets().create(givenBucket(account)))
    expect(await winners(attempts, ConditionFailed)).toBe(1)
    await buckets().create(givenBucket(account, 'another'))
    expect(await buckets().get(account, bucketName)).toEqual(givenBucket(account))
    const names = await walk(1, (after) => buckets().list(account, 1, after))
    expect(names.map(({ bucket }) => bucket)).toEqual(['another', 'ledgers'])
    await buckets().delete(givenBucket(account))
    expect(await buckets().get(account, bucketName)).toBeNull()
    await expect(buckets().delete(givenBucket(account))).rejects.toThrow(ConditionFailed)
  })

  test.each(['a', '__proto__', '/', '\u0000', ' ', 'ä/日本/𝒳', 'é'.repeat(512), 'x'.repeat(1024)])(
    'the object %j is read back as it was written',
    async (key) => {
      const object = givenObject(givenAccount(), key)
      expect(await objects().put(object, null)).toBeNull()
      expect(await read(object.account, key)).toEqual(object)
      const [listed] = (await objects().list(object.account, bucketName, all)).items
      const { parts: _, ...summary } = object
      expect(listed).toEqual(summary)
    },
  )
  const all = { prefix: '', after: null, limit: 10 }

  test.each(['', 'x'.repeat(1025), 'é'.repeat(513), '\ud800'])(
    'an object name that is empty, too long or no text is refused',
    async (key) => {
      await expect(objects().put(givenObject(givenAccount(), key))).rejects.toThrow(RangeError)
    },
  )

  test('an object under a KMS key, without checksums, is read back', async () => {
    const account = givenAccount()
    const { encryption } = givenUpload(account)
    const object = { ...givenObject(account, 'k'), encryption, checksums: {}, checksumType: null }
    await objects().put(object)
    expect(await read(account, 'k')).toEqual(object)
  })

  test('an object with no parts and empty metadata is read back', async () => {
    const object = { ...givenObject(givenAccount(), 'k'), parts: [], userMetadata: {}, etag: '' }
    await objects().put(object)
    expect(await read(object.account, 'k')).toEqual(object)
  })

  test('a put replaces what it says it replaces, and returns it', async () => {
    const account = givenAccount()
    const [first, second, third] = [1, 2, 3].map((rev) => givenObject(account, 'k', rev))
    if (!first || !second || !third) throw new Error('unreachable')
    await objects().put(first, null)
    await expect(objects().put(second, null)).rejects.toThrow(ConditionFailed)
    await expect(objects().put(second, 7)).rejects.toThrow(ConditionFailed)
    expect(await objects().put(second, 1)).toEqual(first)
    expect(await objects().put(third)).toEqual(second)
    expect(await read(account, 'k')).toEqual(third)
  })

  test('of fifty racing first writes of a name one wins', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 50 }, () =>
      objects().put(givenObject(account, 'k'), null),
    )
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test('racing overwrites each return another record: no blob is forgotten or returned twice', async () => {
    const account = givenAccount()
    const versions = Array.from({ length: 20 }, (_, at) => givenObject(account, 'k', at + 1))
    const replaced = await Promise.all(versions.map((version) => objects().put(version)))
    const last = await read(account, 'k')
    const seen = [...replaced, last].map((object) => object?.versionId ?? null)
    expect(seen.sort()).toEqual([null, ...versions.map(({ versionId }) => versionId)].sort())
  })

  test('a delete returns what was there, and is refused for another revision', async () => {
    const object = givenObject(givenAccount(), 'k')
    await objects().put(object)
    const remove = (rev?: number) => objects().delete(object.account, bucketName, 'k', rev)
    await expect(remove(2)).rejects.toThrow(ConditionFailed)
    expect(await remove(1)).toEqual(object)
    expect(await read(object.account, 'k')).toBeNull()
    expect(await remove()).toBeNull()
  })

  test('an object of 10,000 parts is written, read, replaced and removed', async () => {
    const account = givenAccount()
    const large: ObjectRecord = {
      ...givenObject(account, 'large'),
      parts: givenParts(10_000),
      multipart: true,
    }
    await objects().put(large, null)
    expect(await read(account, 'large')).toEqual(large)
    expect(await list(account, '')).toEqual(['large'])
    const next = { ...large, versionId: 'version-2', rev: 2, parts: givenParts(9_999) }
    expect(await objects().put(next, 1)).toEqual(large)
    expect(await objects().delete(account, bucketName, 'large')).toEqual(next)
    expect(await chunkCount(account)).toBe(0)
  })

  test('a refused write of many parts leaves none of them and harms nothing', async () => {
    const account = givenAccount()
    const stored = { ...givenObject(account, 'k'), parts: givenParts(400) }
    await objects().put(stored, null)
    const before = await chunkCount(account)
    await expect(objects().put(stored, null)).rejects.toThrow(ConditionFailed)
    expect(await chunkCount(account)).toBe(before)
    expect(await read(account, 'k')).toEqual(stored)
  })

  test('the same version put again returns nothing to remove and stays readable', async () => {
    const account = givenAccount()
    const stored = { ...givenObject(account, 'k'), parts: givenParts(400) }
    await objects().put(stored)
    expect(await objects().put({ ...stored, rev: 2 }, 1)).toBeNull()
    expect(await read(account, 'k')).toEqual({ ...stored, rev: 2 })
  })

  test('an object with many parts that is replaced while it is read is read whole', async () => {
    const account = givenAccount()
    const version = (rev: number) => ({
      ...givenObject(account, 'k', rev),
      parts: givenParts(rev % 2 === 0 ? 301 : 40).map((part) => ({ ...part, size: rev })),
    })
    await objects().put(version(1))
    const writes = (async () => {
      for (let rev = 2; rev <= 12; rev++) await objects().put(version(rev))
    })()
    for (let reads = 0; reads < 20; reads++) {
      const object = await read(account, 'k')
      expect(object).toEqual(version(object?.rev ?? 0))
    }
    await writes
  })

  test('names are listed in the order of their UTF-8 bytes', async () => {
    const account = givenAccount()
    const names = [
      '\u{10000}',
      '\uffee',
      'a',
      'A',
      'a/',
      'a0',
      'é',
      '~',
      '\u{10ffff}',
      '0',
      '\ud7ff',
    ]
    await Promise.all(names.map((key) => objects().put(givenObject(account, key))))
    const inOrder = names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(inOrder.indexOf('\uffee')).toBeLessThan(inOrder.indexOf('\u{10000}'))
    expect(await list(account, '')).toEqual(inOrder)
    for (const limit of [1, 3, 4, 11]) {
      const listed = await walk(limit, (after) =>
        objects().list(account, bucketName, { prefix: '', after, limit }),
      )
      expect(listed.map(({ key }) => key)).toEqual(inOrder)
    }
  })

  test('the blobs of all objects are told page by page, however many parts they have', async () => {
    const account = givenAccount()
    const sizes = [1, 3, 400, 1, 2]
    await Promise.all(
      sizes.map((count, index) =>
        objects().put({
          ...givenObject(account, `k${index}`),
          parts: givenParts(count).map((part) => ({ ...part, blob: `${index}-${part.blob}` })),
        }),
      ),
    )
    const expected = sizes.flatMap((count, index) =>
      givenParts(count).map(({ blob }) => `${index}-${blob}`),
    )
    for (const limit of [1, 2, 100]) {
      const found: string[] = []
      for (let after: string | null = null; ; ) {
        const page = await objects().listBlobs(account, bucketName, limit, after)
        found.push(...page.items)
        if (page.next === null) break
        after = page.next
      }
      expect(found.toSorted()).toEqual(expected.toSorted())
    }
    const other = await objects().listBlobs(givenAccount(), bucketName, 10, null)
    expect(other).toEqual({ items: [], next: null })
  })

  test('a listing keeps to its prefix and starts after its marker', async () => {
    const account = givenAccount()
    const longest = 'é'.repeat(512)
    const names = ['a/1', 'a/2', 'a/3', 'a0', 'b/1', longest]
    await Promise.all(names.map((key) => objects().put(givenObject(account, key))))
    expect(await list(account, 'a/')).toEqual(['a/1', 'a/2', 'a/3'])
    expect(await list(account, 'a/', 'a/1')).toEqual(['a/2', 'a/3'])
    expect(await list(account, 'a/', 'a/10')).toEqual(['a/2', 'a/3'])
    expect(await list(account, 'a/', 'Z')).toEqual(['a/1', 'a/2', 'a/3'])
    expect(await list(account, 'a/', '')).toEqual(['a/1', 'a/2', 'a/3'])
    expect(await list(account, 'a/', 'a/\u{10ffff}')).toEqual([])
    expect(await list(account, 'a/', 'b')).toEqual([])
    expect(await list(account, 'c')).toEqual([])
    expect(await list(account, '', 'a0')).toEqual(['b/1', longest])
    expect(await list(account, longest)).toEqual([longest])
    expect(await list(account, `${longest}é`)).toEqual([])
    expect(await list(account, '', `${longest}é`)).toEqual([])
    expect(await list(account, '', `${'é'.repeat(511)}è${'z'.repeat(2000)}`)).toEqual([longest])
  })

  test('a cut marker does not list what lies before the whole one', async () => {
    const account = givenAccount()
    const before = `${'x'.repeat(1023)}a`
    await objects().put(givenObject(account, before))
    expect(await list(account, '', `${'x'.repeat(1023)}é`)).toEqual([])
    expect(await list(account, '', 'x'.repeat(1022))).toEqual([before])
  })

  test('buckets of the same name of two tenants have nothing to do with each other', async () => {
    const [one, other] = [givenAccount(), givenAccount()]
    await objects().put(givenObject(one, 'mine'))
    expect(await list(other, '')).toEqual([])
    expect(await read(other, 'mine')).toBeNull()
  })

  test('the objects under a KMS key are listed over all buckets of the tenant, page by page', async () => {
    const [account, stranger] = [givenAccount(), givenAccount()]
    const keyArn = `arn:aws:kms:eu-central-1:${account}:key/one`
    const under = (of: AccountId, key: string, arn: string) =>
      objects().put({
        ...givenObject(of, key),
        encryption: { ...kmsEncryption, keyArn: arn },
      })
    const names = ['a', 'b', 'c', 'd', 'e']
    for (const key of names) await under(account, key, keyArn)
    await under(account, 'other', `${keyArn}1`)
    await under(stranger, 'foreign', keyArn)
    await objects().put(givenObject(account, 'no KMS'))
    await objects().put({
      ...givenObject(account, 'b'),
      bucket: bucketNameOf('another'),
      encryption: { ...kmsEncryption, keyArn },
    })
    const listed = await walk(2, (after) => objects().listByKey(account, keyArn, 2, after))
    expect(listed.map(({ bucket, key }) => `${bucket}/${key}`).sort()).toEqual(
      [...names.map((key) => `${bucketName}/${key}`), 'another/b'].sort(),
    )
    await under(account, 'c', `${keyArn}1`)
    await objects().delete(account, bucketName, 'd')
    const left = await objects().listByKey(account, keyArn, 100, null)
    expect(left.items).toHaveLength(4)
    expect(left.next).toBeNull()
  })

  async function chunkCount(account: AccountId): Promise<number | undefined> {
    const query = new QueryCommand({
      TableName: TABLE,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': `${account}#bucket#${bucketName}#parts` },
      Select: 'COUNT',
    })
    return (await given.client().send(query)).Count
  }
}
