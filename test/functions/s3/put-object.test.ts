import { createHash, randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestNames, digestOf } from '../../../shared/blobs/digests.ts'
import { givenBucket, type RawRequest, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const md5 = (bytes: Uint8Array | string, form: 'hex' | 'base64' = 'hex'): string =>
  createHash('md5').update(bytes).digest(form)

let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
})

const put = (Key: string, raw: Partial<RawRequest>) =>
  sendRaw(stack, { method: 'PUT', path: `/${Bucket}/${Key}`, ...raw })
const read = async (Key: string): Promise<string | undefined> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Body?.transformToString()
}
const isThere = (Key: string): Promise<boolean> =>
  s3.send(new HeadObjectCommand({ Bucket, Key })).then(
    () => true,
    () => false,
  )

describe('what comes in', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 1_000_000])('%i bytes come out again', async (size) => {
    const Body = randomBytes(size)
    const answer = await s3.send(new PutObjectCommand({ Bucket, Key: `size-${size}`, Body }))
    expect(answer).toMatchObject({ ETag: `"${md5(Body)}"`, ServerSideEncryption: 'AES256' })
    const { Body: back, ContentLength } = await s3.send(
      new GetObjectCommand({ Bucket, Key: `size-${size}` }),
    )
    expect(ContentLength).toBe(size)
    expect(Buffer.from((await back?.transformToByteArray()) ?? [])).toEqual(Body)
  })

  test('a stream is taken, with the checksum in its trailer', async () => {
    const bytes = randomBytes(300_000)
    const Body = Readable.from([bytes.subarray(0, 100_000), bytes.subarray(100_000)])
    const { ETag, ChecksumCRC32 } = await s3.send(
      new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: bytes.length }),
    )
    expect(ETag).toBe(`"${md5(bytes)}"`)
    expect(ChecksumCRC32).toBe(digestOf('CRC32', bytes).toString('base64'))
  })

  test('the new object takes the place of the old one', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'one' }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'twice', Body: 'two' }))
    expect(await read('twice')).toBe('two')
  })

  test.each([
    'a//b',
    '/leading',
    'trailing/',
    './a/../b',
    '%2F',
    'plus+plus',
    'a b',
    'é日本😀',
    '<a>&"b\'',
    '?q#h',
    'k'.repeat(1024),
  ])('the name %s is taken as it is', async (Key) => {
    await s3.send(new PutObjectCommand({ Bucket, Key, Body: Key }))
    expect(await read(Key)).toBe(Key)
  })

  test('a name is not another that merely looks like it', async () => {
    await s3.send(new PutObjectCommand({ Bucket, Key: 'é', Body: 'composed' }))
    expect(await isThere('e\u0301')).toBe(false)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'x/../y', Body: 'dots' }))
    expect(await isThere('y')).toBe(false)
  })

  test('metadata comes back, and what only carried the body does not', async () => {
    await put('metadata', {
      headers: {
        'content-type': 'text/plain',
        'content-encoding': 'gzip,aws-chunked',
        'cache-control': 'no-cache',
        'content-disposition': 'attachment',
        'content-language': 'de',
        expires: 'tomorrow or so',
        'x-amz-meta-Colour': 'blue',
        'x-amz-meta-name': 'Jürgen',
      },
    })
    const { headers } = await sendRaw(stack, { method: 'HEAD', path: `/${Bucket}/metadata` })
    expect(headers).toMatchObject({
      'content-type': 'text/plain',
      'content-encoding': 'gzip',
      'cache-control': 'no-cache',
      'content-disposition': 'attachment',
      'content-language': 'de',
      expires: 'tomorrow or so',
      'x-amz-meta-colour': 'blue',
      'x-amz-meta-name': `=?UTF-8?B?${Buffer.from('Jürgen').toString('base64')}?=`,
    })
  })

  test('metadata named like an object of the language is nothing but metadata', async () => {
    await put('proto', { headers: { 'x-amz-meta-__proto__': 'x', 'x-amz-meta-constructor': 'y' } })
    const { headers } = await sendRaw(stack, { method: 'HEAD', path: `/${Bucket}/proto` })
    const shown = new Map(Object.entries(headers))
    expect(shown.get('x-amz-meta-__proto__')).toBe('x')
    expect(shown.get('x-amz-meta-constructor')).toBe('y')
  })
})

describe('payload modes', () => {
  test('an unsigned body is taken', async () => {
    const { status } = await put('unsigned', {
      payload: 'UNSIGNED-PAYLOAD',
      body: Buffer.from('u'),
    })
    expect(status).toBe(200)
    expect(await read('unsigned')).toBe('u')
  })

  test('aws-chunked data is unwrapped', async () => {
    const answer = await put('chunked', {
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': '5', 'x-amz-trailer': 'x-amz-checksum-crc32' },
      body: chunked('hello', `x-amz-checksum-crc32:${crc32('hello')}`),
    })
    expect(answer.status).toBe(200)
    expect(answer.headers['x-amz-checksum-crc32']).toBe(crc32('hello'))
    expect(await read('chunked')).toBe('hello')
  })

  test.each([
    ['BadDigest', `x-amz-checksum-crc32:${crc32Of('other')}`, '5'],
    ['InvalidRequest', 'x-amz-checksum-crc32:nonsense', '5'],
    ['MalformedTrailerError', 'x-amz-other:1', '5'],
    ['IncompleteBody', `x-amz-checksum-crc32:${crc32Of('hello')}`, '6'],
    ['IncompleteBody', `x-amz-checksum-crc32:${crc32Of('hello')}`, '4'],
  ])('%s: a wrong trailer %s with length %s leaves nothing', async (code, trailer, length) => {
    const answer = await put('trailer', {
      payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
      headers: { 'x-amz-decoded-content-length': length, 'x-amz-trailer': 'x-amz-checksum-crc32' },
      body: chunked('hello', trailer),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, code])
    expect(await isThere('trailer')).toBe(false)
  })

  test('another body than the signed one is refused', async () => {
    const answer = await put('hash', {
      payload: createHash('sha256').update('this').digest('hex'),
      body: Buffer.from('that'),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([
      400,
      'XAmzContentSHA256Mismatch',
    ])
    expect(await isThere('hash')).toBe(false)
  })

  test('a body without a length is refused before it is sent', async () => {
    const answer = await put('endless', {
      payload: 'UNSIGNED-PAYLOAD',
      unsigned: { 'transfer-encoding': 'chunked', 'content-length': '' },
    }).catch(() => null)
    if (answer !== null) expect([400, 411]).toContain(answer.status)
    expect(await isThere('endless')).toBe(false)
  })

  test('a client that hangs up half-way leaves nothing', async () => {
    await put('half', {
      payload: 'UNSIGNED-PAYLOAD',
      body: Buffer.alloc(500_000),
      hangUpAfter: 250_000,
    }).catch(() => null)
    expect(await isThere('half')).toBe(false)
  })
})

describe('Expect: 100-continue', () => {
  test('is answered when the body is wanted', async () => {
    const answer = await put('expect', {
      unsigned: { expect: '100-continue' },
      body: Buffer.from('x'),
    })
    expect([answer.status, answer.continued]).toEqual([200, true])
  })

  test.each([
    ['NoSuchBucket', '/no-such-bucket/key', {}],
    ['KMS.NotFoundException', null, kmsHeaders('alias/none')],
    ['InvalidArgument', null, { 'x-amz-server-side-encryption': 'other' }],
    ['InvalidDigest', null, { 'content-md5': 'x' }],
  ])('is not answered when the request fails with %s anyway', async (code, path, headers) => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: path ?? `/${Bucket}/expected`,
      headers,
      unsigned: { expect: '100-continue' },
      body: Buffer.from('x'),
    })
    expect([xmlText(answer.body, 'Code'), answer.continued]).toEqual([code, false])
  })

  test('a refused upload of some size gets its answer, and the next request too', async () => {
    const big = { body: Buffer.alloc(8_000_000), payload: 'UNSIGNED-PAYLOAD' }
    const refused = await put('big', { ...big, headers: { 'content-md5': md5('other', 'base64') } })
    expect([refused.status, xmlText(refused.body, 'Code')]).toEqual([400, 'BadDigest'])
    const missing = await sendRaw(stack, { method: 'PUT', path: '/no-such-bucket/key', ...big })
    expect(missing.status).toBe(404)
  })
})

describe('digests', () => {
  test.each(digestNames.filter((name) => name !== 'MD5'))(
    '%s is verified, kept and given back',
    async (name) => {
      const header = `x-amz-checksum-${name.toLowerCase()}`
      const body = Buffer.from('checked')
      const value = digestOf(name, body).toString('base64')
      const right = await put(`sum-${name}`, { headers: { [header]: value }, body })
      expect(right.headers[header]).toBe(value)
      expect(right.headers['x-amz-checksum-type']).toBe('FULL_OBJECT')
      const wrong = await put(`bad-${name}`, {
        headers: { [header]: value },
        body: Buffer.from('X'),
      })
      expect([wrong.status, xmlText(wrong.body, 'Code')]).toEqual([400, 'BadDigest'])
      expect(xmlText(wrong.body, 'Message')).toBe(
        `The ${name} you specified did not match the calculated checksum.`,
      )
      const read = await sendRaw(stack, {
        method: 'GET',
        path: `/${Bucket}/sum-${name}`,
        headers: { 'x-amz-checksum-mode': 'ENABLED' },
      })
      expect(read.headers[header]).toBe(value)
      expect(await isThere(`bad-${name}`)).toBe(false)
    },
  )

  test('an object that comes without a checksum gets CRC64NVME', async () => {
    const body = Buffer.from('plain')
    const { headers } = await put('none', { body })
    expect(headers['x-amz-checksum-crc64nvme']).toBe(digestOf('CRC64NVME', body).toString('base64'))
  })

  test('a wrong digest leaves the object that was there', async () => {
    await put('kept', { body: Buffer.from('old') })
    const answer = await put('kept', {
      headers: { 'content-md5': md5('other', 'base64') },
      body: Buffer.from('new'),
    })
    expect(xmlText(answer.body, 'Code')).toBe('BadDigest')
    expect(xmlText(answer.body, 'ExpectedDigest')).toBe(md5('other', 'base64'))
    expect(xmlText(answer.body, 'CalculatedDigest')).toBe(md5('new', 'base64'))
    expect(await read('kept')).toBe('old')
  })

  test.each([
    ['InvalidDigest', { 'content-md5': 'nonsense' }],
    ['InvalidDigest', { 'content-md5': Buffer.alloc(15).toString('base64') }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'AAA=' }],
    ['InvalidRequest', { 'x-amz-checksum-crc32': 'AAAAAA==', 'x-amz-checksum-sha1': 'x' }],
    ['InvalidRequest', { 'x-amz-checksum-crc99': 'AAAAAA==' }],
    ['InvalidRequest', { 'x-amz-sdk-checksum-algorithm': 'CRC32' }],
    ['InvalidRequest', { 'x-amz-trailer': 'x-amz-meta-late' }],
    [
      'InvalidRequest',
      { 'x-amz-sdk-checksum-algorithm': 'SHA1', 'x-amz-checksum-crc32': 'AAAAAA==' },
    ],
    ['NotImplemented', { 'x-amz-checksum-sha512': 'x' }],
  ] as const)('%s for %j', async (code, headers) => {
    const { body } = await put('malformed', { headers })
    expect(xmlText(body, 'Code')).toBe(code)
    expect(await isThere('malformed')).toBe(false)
  })
})

describe('conditions', () => {
  const putIf = (Key: string, condition: object) =>
    s3.send(new PutObjectCommand({ Bucket, Key, Body: 'new', ...condition }))

  test('If-None-Match: * writes a new name only', async () => {
    await putIf('fresh', { IfNoneMatch: '*' })
    await expect(putIf('fresh', { IfNoneMatch: '*' })).rejects.toMatchObject({
      name: 'PreconditionFailed',
      Condition: 'If-None-Match',
      $metadata: { httpStatusCode: 412 },
    })
  })

  test('If-None-Match with an ETag is not offered', async () => {
    await expect(putIf('fresh', { IfNoneMatch: '"x"' })).rejects.toMatchObject({
      name: 'NotImplemented',
    })
  })

  test('If-Match replaces the object with that ETag only', async () => {
    const { ETag = '' } = await putIf('match', {})
    await putIf('match', { IfMatch: ETag, Body: 'newer' })
    const again = putIf('match', { IfMatch: ETag })
    await expect(again).rejects.toMatchObject({ name: 'PreconditionFailed' })
    const missing = putIf('match-missing', { IfMatch: ETag })
    await expect(missing).rejects.toMatchObject({ name: 'NoSuchKey' })
    expect(await read('match')).toBe('newer')
  })

  test('of many first writers one wins', async () => {
    const writers = Array.from({ length: 8 }, () => putIf('race', { IfNoneMatch: '*' }))
    const settled = await Promise.allSettled(writers)
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})

describe('limits and what is not offered', () => {
  test.each([
    ['KeyTooLongError', 400, `/${'k'.repeat(1025)}`, {}],
    ['MetadataTooLarge', 400, '/limit', { 'x-amz-meta-a': 'x'.repeat(2048) }],
    ['EntityTooLarge', 400, '/limit', { 'content-length': String(5 * 1024 ** 3 + 1) }],
    ['InvalidStorageClass', 400, '/limit', { 'x-amz-storage-class': 'FAST' }],
    ['NotImplemented', 501, '/limit', { 'x-amz-storage-class': 'GLACIER' }],
    ['AccessControlListNotSupported', 400, '/limit', { 'x-amz-acl': 'public-read' }],
    ['InvalidArgument', 400, '/limit', { 'x-amz-acl': 'nobody' }],
    ['NotImplemented', 501, '/limit', { 'x-amz-grant-read': 'id=x' }],
    ['NotImplemented', 501, '/limit', { 'x-amz-object-lock-mode': 'GOVERNANCE' }],
    ['NotImplemented', 501, '/limit', { 'x-amz-website-redirect-location': '/x' }],
    ['AccessDenied', 403, '/limit', { 'x-amz-expected-bucket-owner': '999999999999' }],
    ['InvalidURI', 400, '/%FF', {}],
  ] as const)('%s (%i) for %s with %j', async (code, status, path, headers) => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}${path}`,
      headers,
      unsigned: { expect: '100-continue' },
    })
    expect([xmlText(answer.body, 'Code'), answer.status]).toEqual([code, status])
    expect(xmlText(answer.body, 'RequestId')).toBe(answer.headers['x-amz-request-id'])
    expect(xmlText(answer.body, 'HostId')).toBe(answer.headers['x-amz-id-2'])
    expect(await isThere('limit')).toBe(false)
  })

  test('what is not offered is named', async () => {
    const { body } = await put('named', { headers: { 'x-amz-website-redirect-location': '/x' } })
    expect(xmlText(body, 'Header')).toBe('x-amz-website-redirect-location')
  })
})

function kmsHeaders(keyId: string) {
  return {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-aws-kms-key-id': keyId,
  }
}

function crc32Of(text: string): string {
  return digestOf('CRC32', Buffer.from(text)).toString('base64')
}
const crc32 = crc32Of

const chunked = (data: string, trailer: string): Buffer =>
  Buffer.from(`${data.length.toString(16)}\r\n${data}\r\n0\r\n${trailer}\r\n\r\n`)
