import { createHash, randomBytes } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { beforeAll, describe, expect, test } from 'vitest'
import { storedLength } from '../../../shared/blobs/segments.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const bytes = randomBytes(200_000)

let Bucket: string
let etag: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
  const { ETag = '' } = await s3.send(new PutObjectCommand({ Bucket, Key: 'object', Body: bytes }))
  await s3.send(new PutObjectCommand({ Bucket, Key: 'empty', Body: '' }))
  etag = ETag
})

const send = (method: 'GET' | 'HEAD', headers: Record<string, string>, Key = 'object') =>
  sendRaw(stack, { method, path: `/${Bucket}/${Key}`, headers })
const get = (headers: Record<string, string>, Key?: string) => send('GET', headers, Key)

describe('ranges', () => {
  test.each([
    ['bytes=0-0', 0, 0],
    ['bytes=0-9', 0, 9],
    ['bytes=65530-65545', 65_530, 65_545],
    ['bytes=131072-131072', 131_072, 131_072],
    ['bytes=199999-', 199_999, 199_999],
    ['bytes=-1', 199_999, 199_999],
    ['bytes=-70000', 130_000, 199_999],
    ['bytes=-999999', 0, 199_999],
    ['bytes=5-999999', 5, 199_999],
  ])('%s gives bytes %i to %i', async (range, start, end) => {
    const answer = await get({ range })
    expect(answer.status).toBe(206)
    expect(answer.headers['content-range']).toBe(`bytes ${start}-${end}/200000`)
    expect(answer.headers['content-length']).toBe(String(end - start + 1))
    expect(answer.body.equals(bytes.subarray(start, end + 1))).toBe(true)
  })

  test.each(['bytes=5-2', 'bytes=0-1,3-4', 'bytes=a-b', 'lines=0-1', 'bytes=-', 'bytes=1'])(
    '%s is passed over',
    async (range) => {
      const answer = await get({ range })
      expect([answer.status, answer.body.length]).toEqual([200, 200_000])
    },
  )

  test.each([
    ['bytes=200000-', 'object', '200000'],
    ['bytes=-0', 'object', '200000'],
    ['bytes=0-0', 'empty', '0'],
    ['bytes=-5', 'empty', '0'],
  ])('%s of %s is not satisfiable', async (range, key, size) => {
    const answer = await get({ range }, key)
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([416, 'InvalidRange'])
    expect(xmlText(answer.body, 'RangeRequested')).toBe(range)
    expect(xmlText(answer.body, 'ActualObjectSize')).toBe(size)
  })

  test('part 1 of an object that came in one piece is the object', async () => {
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: 'object', PartNumber: 1 }))
    expect(part.ContentRange).toBe('bytes 0-199999/200000')
    expect(part.PartsCount).toBeUndefined()
    const second = s3.send(new GetObjectCommand({ Bucket, Key: 'object', PartNumber: 2 }))
    await expect(second).rejects.toMatchObject({
      name: 'InvalidPartNumber',
      $metadata: { httpStatusCode: 416 },
    })
  })

  test('a part and a range together are refused', async () => {
    const both = { Bucket, Key: 'object', PartNumber: 1, Range: 'bytes=0-1' }
    await expect(s3.send(new GetObjectCommand(both))).rejects.toMatchObject({
      name: 'InvalidRequest',
    })
  })
})

describe('checksums', () => {
  const asked = { 'x-amz-checksum-mode': 'ENABLED' }
  const shown = (headers: object) => Object.keys(headers).filter((n) => n.includes('checksum'))

  test('are given when asked for, and never with a range', async () => {
    expect(shown((await get({})).headers)).toEqual([])
    expect(shown((await get(asked)).headers)).toContain('x-amz-checksum-crc32')
    expect(shown((await get({ ...asked, range: 'bytes=0-9' })).headers)).toEqual([])
  })
})

describe('conditions', () => {
  const past = 'Mon, 01 Jan 2001 00:00:00 GMT'
  const future = 'Mon, 01 Jan 2091 00:00:00 GMT'
  const other = '"00000000000000000000000000000000"'

  test.each([
    [200, () => ({ 'if-match': etag })],
    [200, () => ({ 'if-match': '*' })],
    [200, () => ({ 'if-match': `${other}, ${etag}` })],
    [412, () => ({ 'if-match': other })],
    [304, () => ({ 'if-none-match': etag })],
    [200, () => ({ 'if-none-match': other })],
    [412, () => ({ 'if-unmodified-since': past })],
    [200, () => ({ 'if-unmodified-since': future })],
    [200, () => ({ 'if-match': etag, 'if-unmodified-since': past })],
    [304, () => ({ 'if-modified-since': future })],
    [200, () => ({ 'if-modified-since': past })],
    [200, () => ({ 'if-none-match': other, 'if-modified-since': future })],
    [304, () => ({ 'if-none-match': etag, 'if-modified-since': past })],
    [200, () => ({ 'if-modified-since': 'nonsense' })],
  ] as const)('%i, case %#', async (status, headers) => {
    const answer = await get(headers())
    expect(answer.status).toBe(status)
    if (status === 304) {
      expect(answer.headers.etag).toBe(etag)
      expect(answer.body.length).toBe(0)
    }
  })

  test('a failed one is named', async () => {
    const { body } = await get({ 'if-match': other })
    expect(xmlText(body, 'Condition')).toBe('If-Match')
  })
})

describe('HeadObject', () => {
  test.each([
    {},
    { range: 'bytes=5-10' },
    { range: 'bytes=999999-' },
    { 'if-none-match': '*' },
    { 'x-amz-checksum-mode': 'ENABLED' },
    { 'x-amz-server-side-encryption': 'AES256' },
  ])('tells what GetObject tells with %j, without a body', async (headers) => {
    const whole = await send('GET', headers)
    const head = await send('HEAD', headers)
    expect(head.status).toBe(whole.status)
    expect(head.body.length).toBe(0)
    if (whole.status < 300) expect(withoutOwn(head.headers)).toEqual(withoutOwn(whole.headers))
  })

  test('answers 404 for a name that no object has', async () => {
    const head = s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }))
    await expect(head).rejects.toMatchObject({ name: 'NotFound' })
  })
})

function withoutOwn(headers: object): object {
  const own = new Set(['date', 'x-amz-request-id', 'x-amz-id-2', 'connection', 'keep-alive'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !own.has(name)))
}

describe('refusals', () => {
  test('a missing object is named', async () => {
    const missing = s3.send(new GetObjectCommand({ Bucket, Key: 'none' }))
    await expect(missing).rejects.toMatchObject({ name: 'NoSuchKey', Key: 'none' })
  })

  test('a version that is not there is not the one that is', async () => {
    const version = s3.send(new GetObjectCommand({ Bucket, Key: 'object', VersionId: 'abc' }))
    await expect(version).rejects.toMatchObject({ name: 'InvalidArgument' })
  })

  test.each(['AES256', 'aws:kms'])('asking for encryption %s is refused', async (mode) => {
    const answer = await get({ 'x-amz-server-side-encryption': mode })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
    expect(xmlText(answer.body, 'ArgumentName')).toBe('x-amz-server-side-encryption')
  })

  test('a header that would break the answer apart is refused', async () => {
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}/object`,
      query: { 'response-content-type': 'a\r\nset-cookie: b' },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })
})

test('response headers can be overridden', async () => {
  const { ContentType, ContentDisposition } = await s3.send(
    new GetObjectCommand({
      Bucket,
      Key: 'object',
      ResponseContentType: 'text/html',
      ResponseContentDisposition: 'attachment; filename="ü"',
    }),
  )
  expect(ContentType).toBe('text/html')
  expect(ContentDisposition).toContain('attachment')
})

describe('presigned URLs', () => {
  test('read and write', async () => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'signed' }))
    const written = await fetch(url, { method: 'PUT', body: 'by url' })
    expect([written.status, await written.text()]).toEqual([200, ''])
    const read = await fetch(
      await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'signed' })),
    )
    expect(await read.text()).toBe('by url')
  })

  test('carry headers as parameters', async () => {
    const command = new PutObjectCommand({
      Bucket,
      Key: 'hoisted',
      ServerSideEncryption: 'aws:kms',
      Metadata: { colour: 'blue' },
    })
    const hoistableHeaders = new Set(['x-amz-server-side-encryption'])
    const url = await getSignedUrl(s3, command, { hoistableHeaders })
    const written = await fetch(url, { method: 'PUT', body: 'x' })
    expect(written.status).toBe(200)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'hoisted' }))
    expect(head).toMatchObject({ ServerSideEncryption: 'aws:kms', Metadata: { colour: 'blue' } })
  })

  test('hold the upload to the checksum that they were signed with', async () => {
    const ChecksumSHA256 = createHash('sha256').update('agreed').digest('base64')
    const command = new PutObjectCommand({ Bucket, Key: 'agreed', ChecksumSHA256 })
    const url = await getSignedUrl(s3, command)
    const wrong = await fetch(url, { method: 'PUT', body: 'other' })
    expect([wrong.status, await wrong.text()]).toEqual([400, expect.stringContaining('BadDigest')])
    expect((await fetch(url, { method: 'PUT', body: 'agreed' })).status).toBe(200)
  })

  test('cannot be given headers that were not signed', async () => {
    const url = await getSignedUrl(s3, new PutObjectCommand({ Bucket, Key: 'added' }))
    const headers = { 'x-amz-server-side-encryption': 'aws:kms' }
    const answer = await fetch(url, { method: 'PUT', body: 'x', headers })
    expect(answer.status).toBe(403)
    expect(await answer.text()).toContain('<HeadersNotSigned>x-amz-server-side-encryption</')
  })

  test('of Signature Version 2 are told what to use instead', async () => {
    const url = `${stack.endpoint}/${Bucket}/object?AWSAccessKeyId=x&Signature=y&Expires=1`
    const answer = await fetch(url)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('Please use AWS4-HMAC-SHA256.')
  })
})

describe('a stored blob that was changed', () => {
  /** The one blob of an object whose size no other object has. */
  async function blobOf(size: number): Promise<string> {
    const folder = join(stack.dataDir, 'blobs')
    const entries = await readdir(folder, { recursive: true, withFileTypes: true })
    for (const entry of entries.filter((found) => found.isFile())) {
      const path = join(entry.parentPath, entry.name)
      if ((await readFile(path)).length === storedLength(size)) return path
    }
    throw new Error('There is no such blob.')
  }

  const damage = async (size: number, position: number): Promise<void> => {
    const path = await blobOf(size)
    const stored = await readFile(path)
    stored[position] = (stored[position] ?? 0) ^ 1
    await writeFile(path, stored)
  }

  test('in its first segment gives an error and not a byte', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'first', Body: randomBytes(300_011) }))
    await damage(300_011, 10)
    const answer = await get({}, 'first')
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([500, 'InternalError'])
  })

  test('in a later segment breaks the connection, so that it never looks whole', async () => {
    const body = randomBytes(900_017)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'later', Body: body }))
    await damage(900_017, 900_000)
    const answer = await get({}, 'later')
    expect([answer.status, answer.cut]).toEqual([200, true])
    expect(answer.body.equals(body.subarray(0, answer.body.length))).toBe(true)
    expect(answer.body.length).toBeLessThan(900_017)
    const before = await get({ range: 'bytes=0-99' }, 'later')
    expect(before.body.equals(body.subarray(0, 100))).toBe(true)
  })
})
