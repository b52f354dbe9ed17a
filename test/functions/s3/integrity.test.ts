import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { LedgerUnavailable } from '../../../shared/audit/ledger.ts'
import { bucketNameOf, parseAccountId } from '../../../shared/ids.ts'
import { blobStore } from '../../../shared/lambda/blob-store.ts'
import type { ObjectRecord } from '../../../shared/store/records.ts'
import { allowCustomerKeys, asked, MODES } from '../../support/encryption-modes.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'

let own: InProcessStack
let s3: S3Client
let Bucket: string

const SSE_C = 'x-amz-server-side-encryption-customer'

beforeAll(async () => {
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true'
  own = await givenInProcessStack()
  s3 = own.stack.s3()
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})
afterAll(() => own.close())

const put = (Key: string, more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: randomBytes(200_000), ...more }))
const read = async (Key: string): Promise<ObjectRecord> => {
  const account = parseAccountId(own.stack.account)
  const found =
    account && (await own.services.store.objects.get(account, bucketNameOf(Bucket), Key))
  if (found === null) throw new Error('There is no such object.')
  return found
}
const edit = async (Key: string, change: (record: ObjectRecord) => Partial<ObjectRecord>) => {
  const record = await read(Key)
  await own.services.store.objects.put({ ...record, ...change(record) })
}
const get = (Key: string, headers = {}) =>
  sendRaw(own.stack, { method: 'GET', path: `/${Bucket}/${Key}`, headers })
const part = (record: ObjectRecord) => {
  const [first] = record.parts
  if (first === undefined) throw new Error('An object without parts.')
  return first
}

const keyHeaders = (read: Readonly<Record<string, string>>): Record<string, string> =>
  read.SSECustomerKey === undefined
    ? {}
    : {
        [`${SSE_C}-algorithm`]: 'AES256',
        [`${SSE_C}-key`]: read.SSECustomerKey,
        [`${SSE_C}-key-md5`]: read.SSECustomerKeyMD5 ?? '',
      }

describe.each(MODES)('a record of the index that was edited, under %s', (mode) => {
  const { write: encryption, read: readWith } = asked(mode)
  const brought = keyHeaders(readWith)
  test.each<[string, (record: ObjectRecord) => Partial<ObjectRecord>]>([
    ['size', ({ size }) => ({ size: size - 1 })],
    ['ETag', () => ({ etag: '0'.repeat(32) })],
    ['date', ({ createdAt }) => ({ createdAt: createdAt + 1000 })],
    ['type', () => ({ systemMetadata: { 'content-type': 'text/html' } })],
    ['metadata', () => ({ userMetadata: { added: 'yes' } })],
    ['checksum', () => ({ checksums: { CRC32: 'AAAAAA==' } })],
    ['kind of checksum', () => ({ checksumType: 'COMPOSITE' })],
    ['parts', (record) => ({ parts: [part(record), part(record)] })],
    ['size of a part', (record) => ({ parts: [{ ...part(record), size: 1 }] })],
    ['version', () => ({ versionId: 'other' })],
    ['kind', () => ({ multipart: true })],
    ['tag', () => ({ manifestTag: randomBytes(32) })],
    [
      'wrapped key',
      ({ encryption: before }) => ({
        encryption: { ...before, wrappedObjectKey: randomBytes(109) },
      }),
    ],
  ])('in its %s is not believed', async (name, change) => {
    await put(name, encryption)
    expect((await get(encodeURIComponent(name), brought)).status).toBe(200)
    await edit(name, change)
    const headers = { 'x-amz-checksum-mode': 'ENABLED', ...brought }
    const answer = await get(encodeURIComponent(name), headers)
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([500, 'InternalError'])
    const path = `/${Bucket}/${encodeURIComponent(name)}`
    expect((await sendRaw(own.stack, { method: 'HEAD', path, headers })).status).toBe(500)
  })
})

test('a record does not open under the name of another object', async () => {
  await put('one')
  await put('two')
  const { key: _key, ...one } = await read('one')
  await edit('two', () => one)
  expect((await get('two')).status).toBe(500)
  expect((await get('one')).status).toBe(200)
})

test('an object under KMS does not become one under the tenant key', async () => {
  await put('kms', { ServerSideEncryption: 'aws:kms' })
  await put('plain')
  const { encryption } = await read('plain')
  await edit('kms', () => ({ encryption }))
  expect((await get('kms')).status).toBe(500)
})

test('the encryption context is part of what is bound', async () => {
  await put('context', { ServerSideEncryption: 'aws:kms' })
  await edit('context', ({ encryption }) =>
    encryption.mode === 'SSE-KMS'
      ? { encryption: { ...encryption, encryptionContext: { 'aws:s3:arn': 'arn:aws:s3:::x/y' } } }
      : {},
  )
  const answer = await get('context')
  expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([500, 'InternalError'])
  expect(answer.body.toString()).not.toContain('context')
})

test('without its blob an object gives an error, not an empty answer', async () => {
  await put('lost')
  await blobStore().delete(part(await read('lost')).blob)
  expect((await get('lost')).status).toBe(500)
})

describe('blobs', () => {
  const stored = async (): Promise<number> => {
    let count = 0
    for await (const _ of blobStore().list()) count += 1
    return count
  }

  test('of what is replaced, deleted or refused are removed', async () => {
    await put('counted')
    const before = await stored()
    await put('counted')
    await put('counted', { ServerSideEncryption: 'aws:kms' })
    expect(await stored()).toBe(before)
    const wrong = put('counted', { ContentMD5: Buffer.alloc(16).toString('base64') })
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' })
    await expect(put('counted', { IfNoneMatch: '*' })).rejects.toThrow()
    await sendRaw(own.stack, {
      method: 'PUT',
      path: `/${Bucket}/counted`,
      payload: 'UNSIGNED-PAYLOAD',
      body: Buffer.alloc(500_000),
      hangUpAfter: 250_000,
    }).catch(() => null)
    expect(await stored()).toBe(before)
    await sendRaw(own.stack, { method: 'DELETE', path: `/${Bucket}/counted` })
    expect(await stored()).toBe(before - 1)
  })
})

test('readers of an object that is being replaced get one of its contents, whole', async () => {
  const contents = [1, 2].map((fill) => Buffer.alloc(300_000, fill))
  const writeAll = async (): Promise<void> => {
    for (const Body of contents) await s3.send(new PutObjectCommand({ Bucket, Key: 'busy', Body }))
  }
  await writeAll()
  const writes = (async () => {
    for (let i = 0; i < 10; i++) await writeAll()
  })()
  for (let i = 0; i < 40; i++) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'busy' }))
    const bytes = Buffer.from((await Body?.transformToByteArray()) ?? [])
    expect(contents.some((content) => content.equals(bytes))).toBe(true)
  }
  await writes
})

test('without its record no answer is given, and not a byte', async () => {
  await put('unrecorded')
  const failing = vi
    .spyOn(own.services.ledger, 'append')
    .mockRejectedValue(new LedgerUnavailable('The ledger is down.'))
  try {
    const answer = await get('unrecorded')
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([503, 'ServiceUnavailable'])
    expect(answer.headers.etag).toBeUndefined()
    expect(failing).toHaveBeenCalled()
  } finally {
    failing.mockRestore()
  }
  expect((await get('unrecorded')).status).toBe(200)
})

test('a client that hangs up while it reads does not disturb the others', async () => {
  await s3.send(new PutObjectCommand({ Bucket, Key: 'long', Body: Buffer.alloc(20_000_000) }))
  for (let i = 0; i < 5; i++) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'long' }))
    ;(Body as Readable).destroy()
  }
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'long' }))
  expect((await Body?.transformToByteArray())?.length).toBe(20_000_000)
})
