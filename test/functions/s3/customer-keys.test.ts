import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { allowCustomerKeys, customerKey } from '../../support/encryption-modes.ts'
import { givenInProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const SSE = 'x-amz-server-side-encryption'
const C = `${SSE}-customer`

let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
})

const put = (Key: string, key: object, Body = 'secret') =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body, ...key }))
const md5Of = (key: Uint8Array) => createHash('md5').update(key).digest('base64')
const trio = (key: Uint8Array) => ({
  [`${C}-algorithm`]: 'AES256',
  [`${C}-key`]: Buffer.from(key).toString('base64'),
  [`${C}-key-md5`]: md5Of(key),
})
const send = (method: string, headers: Record<string, string>, path = 'raw') =>
  sendRaw(stack, { method, path: `/${Bucket}/${path}`, headers })

const key = randomBytes(32)

describe('a write with a key of its own', () => {
  test('tells the algorithm and the digest of the key, and no other encryption', async () => {
    const own = customerKey()
    const answer = await put('told', own)
    expect(answer).toMatchObject({
      SSECustomerAlgorithm: 'AES256',
      SSECustomerKeyMD5: own.SSECustomerKeyMD5,
    })
    expect(answer.ServerSideEncryption).toBeUndefined()
    expect(answer.ETag).not.toBe(`"${createHash('md5').update('secret').digest('hex')}"`)
  })

  test.each<[string, string, Record<string, string>]>([
    [
      'InvalidEncryptionAlgorithmError',
      'The Encryption request you specified is not valid. Supported value: AES256.',
      { ...trio(key), [`${C}-algorithm`]: 'AES128' },
    ],
    [
      'InvalidArgument',
      'Requests specifying Server Side Encryption with Customer provided keys must provide a valid encryption algorithm.',
      { [`${C}-key`]: 'x' },
    ],
    [
      'InvalidArgument',
      'Requests specifying Server Side Encryption with Customer provided keys must provide an appropriate secret key.',
      { [`${C}-algorithm`]: 'AES256' },
    ],
    [
      'InvalidArgument',
      'Requests specifying Server Side Encryption with Customer provided keys must provide the client calculated MD5 of the secret key.',
      { [`${C}-algorithm`]: 'AES256', [`${C}-key`]: key.toString('base64') },
    ],
    [
      'InvalidArgument',
      'The calculated MD5 hash of the key did not match the hash that was provided.',
      { ...trio(key), [`${C}-key-md5`]: md5Of(randomBytes(32)) },
    ],
    [
      'InvalidArgument',
      'The secret key was invalid for the specified algorithm.',
      trio(randomBytes(31)),
    ],
    [
      'InvalidArgument',
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
      { ...trio(key), [SSE]: 'aws:kms' },
    ],
    [
      'InvalidArgument',
      'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
      { [SSE]: 'AES256', [`${C}-key`]: 'x' },
    ],
  ])('is refused: %s, %s', async (code, message, headers) => {
    const answer = await send('PUT', headers)
    expect(answer.status).toBe(400)
    expect([xmlText(answer.body, 'Code'), xmlText(answer.body, 'Message')]).toEqual([code, message])
    expect(answer.body.includes(key.toString('base64'))).toBe(false)
  })

  test('leaves no byte of the key in the data directory or in the record', async () => {
    const marked = randomBytes(32)
    await put('kept', customerKey(marked), 'not a secret that is stored in the clear')
    const names = await readdir(stack.dataDir, { recursive: true, withFileTypes: true })
    for (const entry of names.filter((name) => name.isFile())) {
      const bytes = await readFile(join(entry.parentPath, entry.name)).catch(() => Buffer.alloc(0))
      expect(bytes.includes(marked)).toBe(false)
      expect(bytes.includes(marked.toString('base64'))).toBe(false)
      expect(bytes.includes('not a secret that is stored')).toBe(false)
    }
  })
})

describe('a read', () => {
  beforeAll(async () => {
    await put('theirs', customerKey(key))
    await put('plain', {})
    await put('empty', customerKey(key), '')
  })

  const stored =
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to retrieve the object.'
  const wrong =
    'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.'
  test.each<[string, string, number, string, string, Record<string, string>]>([
    ['without the key', 'theirs', 400, 'InvalidRequest', stored, {}],
    ['with another key', 'theirs', 403, 'AccessDenied', wrong, trio(randomBytes(32))],
    ['with another key', 'empty', 403, 'AccessDenied', wrong, trio(randomBytes(32))],
    [
      'with a key',
      'plain',
      400,
      'InvalidRequest',
      'The encryption parameters are not applicable to this object.',
      trio(key),
    ],
    [
      'with an SSE header',
      'theirs',
      400,
      'InvalidArgument',
      `${SSE} header is not supported for this operation.`,
      { [SSE]: 'AES256' },
    ],
  ])('%s of %s is refused', async (_how, path, status, code, message, headers) => {
    const answer = await send('GET', headers, path)
    expect(answer.status).toBe(status)
    expect([xmlText(answer.body, 'Code'), xmlText(answer.body, 'Message')]).toEqual([code, message])
    expect((await send('HEAD', headers, path)).status).toBe(status)
  })

  test('of one bit more or less in the key is refused', async () => {
    const other = Buffer.from(key)
    other[31] = (other[31] ?? 0) ^ 1
    expect((await send('GET', trio(other), 'theirs')).status).toBe(403)
    expect((await send('GET', trio(key), 'theirs')).status).toBe(200)
  })

  test('of names, and a deletion, need no key', async () => {
    const Key = randomUUID()
    await put(Key, customerKey())
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: Key }))
    expect(Contents?.map(({ Size }) => Size)).toEqual([6])
    await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    await expect(s3.send(new HeadObjectCommand({ Bucket, Key }))).rejects.toMatchObject({
      name: 'NotFound',
    })
  })
})

describe('an upload in parts', () => {
  const initiate = (more: object) =>
    s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'parts', ...more }))
  const part = (UploadId: string | undefined, more: object) =>
    s3.send(
      new UploadPartCommand({ Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'x', ...more }),
    )

  test('takes no part without the key, and no key where it began without', async () => {
    const message =
      'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate encryption parameters.'
    const own = customerKey()
    const theirs = await initiate(own)
    expect(theirs.SSECustomerKeyMD5).toBe(own.SSECustomerKeyMD5)
    const refused = { name: 'InvalidRequest', message }
    await expect(part(theirs.UploadId, {})).rejects.toMatchObject(refused)
    const { UploadId } = await initiate({})
    await expect(part(UploadId, customerKey())).rejects.toMatchObject(refused)
  })

  test('takes no part with another key', async () => {
    const { UploadId } = await initiate(customerKey())
    await expect(part(UploadId, customerKey())).rejects.toMatchObject({
      name: 'InvalidRequest',
      message: 'The provided encryption parameters did not match the ones used originally.',
    })
  })
})

describe('a bucket that blocks keys of callers', () => {
  test('is what a new bucket is', async () => {
    const blocked = await givenBucket(s3)
    const path = `/${blocked}/k`
    const answer = await sendRaw(stack, { method: 'PUT', path, headers: trio(key) })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([403, 'AccessDenied'])
    expect(xmlText(answer.body, 'Message')?.replaceAll('&quot;', '"')).toBe(
      `User: arn:aws:iam::${stack.account}:user/admin is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::${blocked}/k" because this bucket has blocked upload requests that specify Server Side Encryption with Customer provided keys (SSE-C). Please specify a different server-side encryption type`,
    )
    const invalid = { [`${C}-algorithm`]: 'AES128' }
    expect((await sendRaw(stack, { method: 'PUT', path, headers: invalid })).status).toBe(403)
  })

  test('takes no more parts, and still gives what it has', async () => {
    const own = await givenBucket(s3)
    await allowCustomerKeys(s3, own)
    const at = { Bucket: own, Key: 'k' }
    const mine = customerKey()
    await s3.send(new PutObjectCommand({ ...at, Body: 'still here', ...mine }))
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...mine }))
    await s3.send(
      new PutBucketEncryptionCommand({
        Bucket: own,
        ServerSideEncryptionConfiguration: {
          Rules: [{ BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] } }],
        },
      }),
    )
    const part = { ...at, UploadId, PartNumber: 1, Body: 'x', ...mine }
    await expect(s3.send(new UploadPartCommand(part))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
    const { Body } = await s3.send(new GetObjectCommand({ ...at, ...mine }))
    expect(await Body?.transformToString()).toBe('still here')
  })
})

describe('over plain HTTP', () => {
  afterEach(() => {
    delete process.env.KEYHOLD_ALLOW_INSECURE_SSE_C
  })

  test('a key is refused unless that was allowed', async () => {
    const own = await givenInProcessStack()
    try {
      const bucket = await givenBucket(own.stack.s3())
      await allowCustomerKeys(own.stack.s3(), bucket)
      const write = { method: 'PUT', path: `/${bucket}/k`, headers: trio(key) }
      const refused = await sendRaw(own.stack, write)
      expect([refused.status, xmlText(refused.body, 'Code')]).toEqual([400, 'InvalidRequest'])
      expect(xmlText(refused.body, 'Message')).toBe(
        'Requests specifying Server Side Encryption with Customer provided keys must be made over a secure connection.',
      )
      process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true'
      expect((await sendRaw(own.stack, write)).status).toBe(200)
    } finally {
      await own.close()
    }
  })
})
