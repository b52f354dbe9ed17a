import { randomBytes } from 'node:crypto'
import { CreateKeyCommand, DisableKeyCommand } from '@aws-sdk/client-kms'
import {
  CopyObjectCommand,
  type CopyObjectCommandInput,
  PutBucketPolicyCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { BlobMissing } from '../../../shared/blobs/backing-store.ts'
import { blobStore } from '../../../shared/lambda/blob-store.ts'
import { asSource, type Copies, givenCopies } from '../../support/copies.ts'
import { customerKey } from '../../support/encryption-modes.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { clientsOf } from '../../support/stack-client.ts'

const ODD = 'ä b+c?d%2F'
const KMS = { ServerSideEncryption: 'aws:kms' } as const

let given: Copies
let Bucket: string
beforeAll(async () => {
  given = await givenCopies()
  Bucket = given.Bucket
  await given.put('source', 'text')
  await given.put(ODD, 'odd')
  await given.put('locked', 'x', customerKey())
})
afterAll(() => given.own.close())

const sendCopy = (source: string) =>
  sendRaw(given.own.stack, {
    method: 'PUT',
    path: `/${Bucket}/found`,
    headers: { 'x-amz-copy-source': source },
  })

describe('a source', () => {
  test.each<[string, (bucket: string) => string]>([
    ['as it is', (bucket) => `${bucket}/${encodeURIComponent(ODD)}`],
    ['with a slash before it', (bucket) => `/${bucket}/${encodeURIComponent(ODD)}`],
    ['encoded as a whole', (bucket) => encodeURIComponent(`${bucket}/${ODD}`)],
    ['encoded as a whole, with its slash', (bucket) => encodeURIComponent(`/${bucket}/${ODD}`)],
    ['with its version', (bucket) => `${bucket}/${encodeURIComponent(ODD)}?versionId=null`],
    [
      'encoded as forms are',
      (bucket) => `${bucket}/${encodeURIComponent(ODD).replace('%20', '+')}`,
    ],
    ['with a question mark of its own', (bucket) => `${bucket}/%C3%A4%20b%2Bc?d%252F`],
  ])('is found %s', async (_how, spelled) => {
    await given.put('found', 'before')
    const answer = await sendCopy(spelled(Bucket))
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([200, undefined])
    expect((await given.get('found')).body.toString()).toBe('odd')
  })

  test('is decoded once', async () => {
    await given.put('a%2Fb', 'once')
    await given.copy('a%252Fb', 'decoded')
    expect((await given.get('decoded')).body.toString()).toBe('once')
  })

  test.each([
    ['nothing', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey'],
    ['/', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey'],
    ['b-1/', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey'],
    ['/b-1/100%', 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey'],
    ['Bad_Bucket/k', 'Invalid copy source bucket name'],
    ['bucket-1/k?versionId=1', 'Invalid version id specified'],
    ['bucket-1/k?versionId=', 'Invalid version id specified'],
  ])('is refused as %j', async (source, message) => {
    const { status, body } = await sendCopy(source)
    expect([status, xmlText(body, 'Code')]).toEqual([400, 'InvalidArgument'])
    expect(xmlText(body, 'Message')).toBe(message)
    expect(xmlText(body, 'ArgumentName')).toBe('x-amz-copy-source')
  })

  test.each<[string, number, string]>([
    ['NoSuchKey', 404, 'no-such'],
    ['NoSuchBucket', 404, 'k'],
  ])('that is not there answers %s', async (name, httpStatusCode, key) => {
    const CopySource = `${name === 'NoSuchBucket' ? 'no-such-bucket' : Bucket}/${key}`
    await expect(given.copy('', 'k', { CopySource })).rejects.toMatchObject({
      name,
      $metadata: { httpStatusCode },
    })
  })

  test('of another tenant is not there', async () => {
    const other = await given.own.tenant('222222222222')
    const there = await givenBucket(other.s3())
    await other.s3().send(new PutObjectCommand({ Bucket: there, Key: 'k', Body: 'x' }))
    const CopySource = `${there}/k`
    await expect(given.copy('', 'k', { CopySource })).rejects.toMatchObject({
      name: 'NoSuchBucket',
    })
  })

  test('may be expected to be of an account', async () => {
    const ExpectedSourceBucketOwner = given.own.stack.account
    await given.copy('source', 'owned', { ExpectedSourceBucketOwner })
    const other = { ExpectedSourceBucketOwner: '222222222222' }
    await expect(given.copy('source', 'owned', other)).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test.each(['SSE-S3', 'aws:kms'])(
    'in a bucket of another Region, under %s, is read there',
    async (mode) => {
      const s3 = clientsOf({ ...given.own.stack, ...given.own.stack.credentials }, 'eu-west-1').s3()
      const there = await givenBucket(s3, 'eu-west-1')
      const encryption = mode === 'aws:kms' ? KMS : {}
      const body = randomBytes(70_000)
      await s3.send(new PutObjectCommand({ Bucket: there, Key: 'k', Body: body, ...encryption }))
      await given.copy('', 'from afar', { CopySource: `${there}/k`, ...encryption })
      expect((await given.get('from afar')).body.equals(body)).toBe(true)
    },
  )

  test('of more than 5 GiB is refused before anything of it is read', async () => {
    await given.put('large', 'x')
    await given.edit('large', () => ({ size: 5 * 1024 ** 3 + 1 }))
    await expect(given.copy('large', 'k')).rejects.toMatchObject({
      name: 'InvalidRequest',
      message:
        'The specified copy source is larger than the maximum allowable size for a copy source: 5368709120',
    })
  })
})

describe('a condition on the source', () => {
  const conditions = async (name: string): Promise<Partial<CopyObjectCommandInput>> => {
    const { ETag = '' } = (await given.get('source')) as { ETag?: string }
    const [past, future] = [-3_600_000, 5000].map((ms) => new Date(Date.now() + ms)) as [Date, Date]
    const all: Record<string, Partial<CopyObjectCommandInput>> = {
      'its ETag': { CopySourceIfMatch: ETag },
      'another ETag': { CopySourceIfMatch: '"0"' },
      'no ETag but its own': { CopySourceIfNoneMatch: ETag },
      'no ETag at all': { CopySourceIfNoneMatch: '*' },
      'no ETag of another': { CopySourceIfNoneMatch: '"0"' },
      'not changed since before': { CopySourceIfUnmodifiedSince: past },
      'not changed since now': { CopySourceIfUnmodifiedSince: future },
      'changed since before': { CopySourceIfModifiedSince: past },
      'changed since now': { CopySourceIfModifiedSince: future },
      'its ETag, not changed since before': {
        CopySourceIfMatch: ETag,
        CopySourceIfUnmodifiedSince: past,
      },
      'not its ETag, changed since before': {
        CopySourceIfNoneMatch: ETag,
        CopySourceIfModifiedSince: past,
      },
    }
    return all[name] ?? {}
  }

  test.each([
    'its ETag',
    'no ETag of another',
    'not changed since now',
    'changed since before',
    'its ETag, not changed since before',
  ])('holds: %s', async (name) => {
    const more = await conditions(name)
    expect(more).not.toEqual({})
    await given.copy('source', 'conditional', more)
  })

  test.each([
    ['another ETag', 'If-Match'],
    ['no ETag but its own', 'If-None-Match'],
    ['no ETag at all', 'If-None-Match'],
    ['not changed since before', 'If-Unmodified-Since'],
    ['changed since now', 'If-Modified-Since'],
    ['not its ETag, changed since before', 'If-None-Match'],
  ])('fails: %s', async (name, failed) => {
    await expect(given.copy('source', 'k', await conditions(name))).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: `x-amz-copy-source-${failed}`,
      $metadata: { httpStatusCode: 412 },
    })
  })
})

describe("the key of the source's caller", () => {
  const C = 'x-amz-copy-source-server-side-encryption-customer'

  test.each<[string, string, () => Partial<CopyObjectCommandInput>, object]>([
    [
      'is missing',
      'locked',
      () => ({}),
      {
        name: 'InvalidRequest',
        message:
          'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.',
      },
    ],
    [
      'is brought for nothing',
      'source',
      () => asSource(customerKey()),
      {
        name: 'InvalidRequest',
        message: 'The encryption parameters are not applicable to this object.',
      },
    ],
    [
      'is another',
      'locked',
      () => asSource(customerKey()),
      {
        name: 'AccessDenied',
        message:
          'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
      },
    ],
    [
      'is for another algorithm',
      'locked',
      () => asSource({ ...customerKey(), SSECustomerAlgorithm: 'AES128' }),
      { name: 'InvalidEncryptionAlgorithmError' },
    ],
    [
      'is too short',
      'locked',
      () => asSource(customerKey(randomBytes(16))),
      { name: 'InvalidArgument', ArgumentName: `${C}-key` },
    ],
    ['is that of the target alone', 'locked', () => customerKey(), { name: 'InvalidRequest' }],
  ])('%s', async (_how, key, more, refusal) => {
    await expect(given.copy(key, 'k', more())).rejects.toMatchObject(refusal)
  })

  const key = randomBytes(32).toString('base64')
  test.each<[string, Record<string, string>]>([
    ['algorithm', { key, 'key-md5': 'eA==' }],
    ['key', { algorithm: 'AES256', 'key-md5': 'eA==' }],
    ['key-md5', { algorithm: 'AES256', key }],
    ['key-md5', { algorithm: 'AES256', key, 'key-md5': randomBytes(16).toString('base64') }],
  ])('comes with its right %s', async (wrong, parts) => {
    const headers = Object.fromEntries(
      Object.entries(parts).map(([name, value]) => [`${C}-${name}`, value]),
    )
    const { status, body } = await sendRaw(given.own.stack, {
      method: 'PUT',
      path: `/${Bucket}/k`,
      headers: { 'x-amz-copy-source': `${Bucket}/locked`, ...headers },
    })
    expect([status, xmlText(body, 'Code')]).toEqual([400, 'InvalidArgument'])
    expect(xmlText(body, 'ArgumentName')?.toLowerCase()).toBe(`${C}-${wrong}`)
  })
})

describe('the rights that a copy takes', () => {
  const copyAs = async (statements: readonly object[], from: string, more: object = {}) => {
    const user = await given.own.user(statements)
    const CopySource = `${Bucket}/${from}`
    const command = new CopyObjectCommand({ Bucket, Key: 'target', CopySource, ...more })
    return user
      .s3()
      .send(command)
      .then(
        () => 'allowed',
        ({ name, message }: Error) => `${name}: ${/to perform: ([\w:]+)/.exec(message)?.[1]}`,
      )
  }
  const allow = (Action: string, name = '') => ({
    Effect: 'Allow',
    Action,
    Resource: name === '' ? `arn:aws:s3:::${Bucket}` : `arn:aws:s3:::${Bucket}/${name}`,
  })
  const allowKms = (...Action: string[]) => ({ Effect: 'Allow', Action, Resource: '*' })
  const copying = () => [allow('s3:GetObject', '*'), allow('s3:PutObject', 'target')]

  test('are to read the source and to write the target', async () => {
    const reader = [allow('s3:GetObject', '*')]
    expect(await copyAs(reader, 'source')).toBe('AccessDenied: s3:PutObject')
    const writer = [allow('s3:PutObject', '*')]
    expect(await copyAs(writer, 'source')).toBe('AccessDenied: s3:GetObject')
    const both = [allow('s3:GetObject', 'source'), allow('s3:PutObject', 'target')]
    expect(await copyAs(both, 'source')).toBe('allowed')
    expect(await copyAs(both, 'locked')).toBe('AccessDenied: s3:GetObject')
  })

  test('are to list, for who wants to know that there is no source', async () => {
    expect(await copyAs(copying(), 'no-such')).toBe('AccessDenied: s3:ListBucket')
    const listing = [...copying(), allow('s3:ListBucket')]
    expect(await copyAs(listing, 'no-such')).toBe('NoSuchKey: undefined')
  })

  test('are to read tags and to set them, where there are any', async () => {
    await given.put('tagged', 'x', { Tagging: 'a=1' })
    const setting = [...copying(), allow('s3:PutObjectTagging', 'target')]
    expect(await copyAs(copying(), 'tagged')).toBe('AccessDenied: s3:PutObjectTagging')
    expect(await copyAs(setting, 'tagged')).toBe('AccessDenied: s3:GetObjectTagging')
    const both = [...setting, allow('s3:GetObjectTagging', 'tagged')]
    expect(await copyAs(both, 'tagged')).toBe('allowed')
    const others = { TaggingDirective: 'REPLACE', Tagging: 'b=2' }
    expect(await copyAs(setting, 'tagged', others)).toBe('allowed')
    expect(await copyAs(copying(), 'tagged', { TaggingDirective: 'REPLACE' })).toBe('allowed')
  })

  test("are to use the source's key and the target's", async () => {
    const { KeyMetadata } = await given.own.stack.kms().send(new CreateKeyCommand({}))
    const key = { ...KMS, SSEKMSKeyId: KeyMetadata?.Arn }
    await given.put('kms', 'x', key)
    expect(await copyAs(copying(), 'kms')).toBe('AccessDenied: kms:Decrypt')
    expect(await copyAs([...copying(), allowKms('kms:Decrypt')], 'kms')).toBe('allowed')
    expect(await copyAs(copying(), 'source', key)).toBe('AccessDenied: kms:GenerateDataKey')
    const making = [...copying(), allowKms('kms:GenerateDataKey')]
    expect(await copyAs(making, 'source', key)).toBe('allowed')
  })

  test("are limited by the source's bucket too", async () => {
    const { s3 } = given
    const there = await givenBucket(s3)
    await s3.send(new PutObjectCommand({ Bucket: there, Key: 'k', Body: 'x' }))
    const CopySource = `${there}/k`
    await given.copy('', 'k', { CopySource })
    const Statement = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:GetObject',
      Resource: `arn:aws:s3:::${there}/*`,
    }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await s3.send(new PutBucketPolicyCommand({ Bucket: there, Policy }))
    await expect(given.copy('', 'k', { CopySource })).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })

  test('may depend on where the copy is from and on what goes over', async () => {
    const when = (Condition: object) => [
      allow('s3:GetObject', '*'),
      { ...allow('s3:PutObject', 'target'), Condition },
    ]
    const from = when({ StringLike: { 's3:x-amz-copy-source': `${Bucket}/sour*` } })
    expect(await copyAs(from, 'source')).toBe('allowed')
    await given.put('other', 'x')
    expect(await copyAs(from, 'other')).toBe('AccessDenied: s3:PutObject')
    const kept = when({ StringEquals: { 's3:x-amz-metadata-directive': 'COPY' } })
    expect(await copyAs(kept, 'source', { MetadataDirective: 'COPY' })).toBe('allowed')
    const replaced = { MetadataDirective: 'REPLACE' }
    expect(await copyAs(kept, 'source', replaced)).toBe('AccessDenied: s3:PutObject')
  })

  test('to read do not depend on how the target is encrypted', async () => {
    const header = 's3:x-amz-server-side-encryption-customer-algorithm'
    const keyless = {
      ...allow('s3:GetObject', '*'),
      Effect: 'Deny',
      Condition: { Null: { [header]: 'true' } },
    }
    const statements = [...copying(), keyless]
    const key = customerKey()
    await given.put('keyed', 'x', key)
    expect(await copyAs(statements, 'source', customerKey())).toBe('AccessDenied: s3:GetObject')
    expect(await copyAs(statements, 'keyed', asSource(key))).toBe('allowed')
  })
})

describe('a source that cannot be opened', () => {
  test('for its key is disabled, fails the copy in the words of KMS', async () => {
    const kms = given.own.stack.kms()
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const KeyId = KeyMetadata?.KeyId ?? ''
    await given.put('disabled', 'x', { ...KMS, SSEKMSKeyId: KeyId })
    await kms.send(new DisableKeyCommand({ KeyId }))
    const refusal = { name: 'KMS.DisabledException', $metadata: { httpStatusCode: 400 } }
    await expect(given.copy('disabled', 'k')).rejects.toMatchObject(refusal)
    const target = { ...KMS, SSEKMSKeyId: KeyId }
    await expect(given.copy('source', 'k', target)).rejects.toMatchObject(refusal)
  })

  test.each<[string, Parameters<Copies['edit']>[1]]>([
    ['whose record was edited', () => ({ userMetadata: { a: 'b' } })],
    [
      'whose last part is of another blob',
      ({ parts }) => ({ parts: parts.map((part) => ({ ...part, salt: randomBytes(32) })) }),
    ],
  ])('%s, leaves nothing behind', async (_how, change) => {
    await given.put('damaged', randomBytes(200_000))
    await given.edit('damaged', change)
    await given.put('kept', 'before')
    await expect(given.copy('damaged', 'kept')).rejects.toMatchObject({ name: 'InternalError' })
    expect((await given.get('kept')).body.toString()).toBe('before')
  })

  test('to its end, leaves nothing behind', async () => {
    await given.put('cut', randomBytes(300_000))
    await given.put('kept', 'before')
    const store = blobStore()
    const { get, put } = store
    const written: string[] = []
    const reading = vi.spyOn(store, 'get').mockImplementation(async (name, range) => {
      const stored = await get.call(store, name, range)
      let size = 0
      return stored.map((chunk: Buffer) => {
        const kept = Math.max(0, 250_000 - size)
        size += chunk.length
        return Buffer.from(chunk).fill(0, Math.min(kept, chunk.length))
      })
    })
    const writing = vi.spyOn(store, 'put').mockImplementation((name, ...rest) => {
      written.push(name)
      return put.call(store, name, ...rest)
    })
    try {
      await expect(given.copy('cut', 'kept')).rejects.toMatchObject({ name: 'InternalError' })
    } finally {
      reading.mockRestore()
      writing.mockRestore()
    }
    expect((await given.get('kept')).body.toString()).toBe('before')
    expect(written.length).toBeGreaterThan(0)
    for (const name of written)
      await expect(store.get(name, { start: 0, end: 0 })).rejects.toThrow(BlobMissing)
  })
})
