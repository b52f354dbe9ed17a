import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { CreateKeyCommand, DisableKeyCommand } from '@aws-sdk/client-kms'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  type CompleteMultipartUploadCommandOutput,
  CreateMultipartUploadCommand,
  type CreateMultipartUploadCommandInput,
  DeleteBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListPartsCommand,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { beforeAll, describe, expect, test } from 'vitest'
import { digestOf } from '../../../shared/blobs/digests.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const kms = stack.kms()
const MIB = 1024 * 1024
const first = randomBytes(5 * MIB)
const second = randomBytes(5 * MIB + 1)
const last = randomBytes(100_003)
const md5 = (bytes: Uint8Array): Buffer => createHash('md5').update(bytes).digest()

let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
})

interface Given {
  readonly Key: string
  readonly UploadId: string
  put(partNumber: number, body: Uint8Array): Promise<CompletedPart>
  complete(
    parts: readonly CompletedPart[],
    more?: object,
  ): Promise<CompleteMultipartUploadCommandOutput>
}

async function givenUpload(more: Partial<CreateMultipartUploadCommandInput> = {}): Promise<Given> {
  const Key = `upload-${randomUUID()}`
  const { UploadId = '' } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ...more }),
  )
  const place = { Bucket, Key, UploadId }
  return {
    Key,
    UploadId,
    async put(PartNumber, Body) {
      const checksum = more.ChecksumAlgorithm ? { ChecksumAlgorithm: more.ChecksumAlgorithm } : {}
      const part = await s3.send(new UploadPartCommand({ ...place, PartNumber, Body, ...checksum }))
      const { ETag, ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME } = part
      const given = more.ChecksumAlgorithm
        ? { ChecksumCRC32, ChecksumSHA256, ChecksumCRC64NVME }
        : {}
      return { PartNumber, ETag, ...given }
    },
    complete: (parts, headers = {}) =>
      s3.send(
        new CompleteMultipartUploadCommand({
          ...place,
          MultipartUpload: { Parts: [...parts] },
          ...headers,
        }),
      ),
  }
}

const get = async (Key: string): Promise<Buffer> => {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

describe('an upload in parts', () => {
  test('becomes one object, with the ETag of ETags', async () => {
    const upload = await givenUpload({ Metadata: { colour: 'blue' }, ContentType: 'text/plain' })
    const parts = [
      await upload.put(1, first),
      await upload.put(2, second),
      await upload.put(3, last),
    ]
    expect(parts.map(({ ETag }) => ETag)).toEqual(
      [first, second, last].map((bytes) => `"${md5(bytes).toString('hex')}"`),
    )
    const { ETag } = await upload.complete(parts)
    const joined = Buffer.concat([md5(first), md5(second), md5(last)])
    expect(ETag).toBe(`"${md5(joined).toString('hex')}-3"`)
    expect(await get(upload.Key)).toEqual(Buffer.concat([first, second, last]))
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: upload.Key }))
    expect(head).toMatchObject({ ETag, ContentType: 'text/plain', Metadata: { colour: 'blue' } })
  })

  test('takes parts in any order, with gaps, and reads them by range and by part', async () => {
    const upload = await givenUpload()
    const end = await upload.put(9000, last)
    const start = await upload.put(7, first)
    await upload.complete([start, end])
    const whole = Buffer.concat([first, last])
    expect(await get(upload.Key)).toEqual(whole)
    const across = await s3.send(
      new GetObjectCommand({
        Bucket,
        Key: upload.Key,
        Range: `bytes=${5 * MIB - 2}-${5 * MIB + 1}`,
      }),
    )
    expect(Buffer.from((await across.Body?.transformToByteArray()) ?? [])).toEqual(
      whole.subarray(5 * MIB - 2, 5 * MIB + 2),
    )
    const part = await s3.send(new GetObjectCommand({ Bucket, Key: upload.Key, PartNumber: 2 }))
    expect(part).toMatchObject({
      PartsCount: 2,
      ContentRange: `bytes ${5 * MIB}-${whole.length - 1}/${whole.length}`,
    })
    expect(Buffer.from((await part.Body?.transformToByteArray()) ?? [])).toEqual(last)
  })

  test('a part sent again takes the place of the one before', async () => {
    const upload = await givenUpload()
    const old = await upload.put(1, first)
    const fresh = await upload.put(1, last)
    await expect(upload.complete([old])).rejects.toMatchObject({ name: 'InvalidPart' })
    await upload.complete([fresh])
    expect(await get(upload.Key)).toEqual(last)
  })

  test('parts that are not listed are not in the object', async () => {
    const upload = await givenUpload()
    await upload.put(1, first)
    await upload.complete([await upload.put(2, last)])
    expect(await get(upload.Key)).toEqual(last)
  })

  test('one empty part makes an empty object', async () => {
    const upload = await givenUpload({ ServerSideEncryption: 'aws:kms' })
    await upload.complete([await upload.put(1, Buffer.alloc(0))])
    expect(await get(upload.Key)).toEqual(Buffer.alloc(0))
  })

  test('by lib-storage from a stream of unknown length works', async () => {
    const Key = 'lib-storage'
    const params = { Bucket, Key, Body: Readable.from([first, second]) }
    await new Upload({ client: s3, params }).done()
    expect((await get(Key)).equals(Buffer.concat([first, second]))).toBe(true)
  })

  test('is not seen before it is complete', async () => {
    const upload = await givenUpload()
    await upload.put(1, last)
    await expect(get(upload.Key)).rejects.toMatchObject({ name: 'NoSuchKey' })
  })
})

describe('under SSE-KMS', () => {
  test('all parts are under the key of the upload, and their ETags tell nothing', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const upload = await givenUpload({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: KeyMetadata?.KeyId,
    })
    const parts = [await upload.put(1, first), await upload.put(2, last)]
    expect(parts[0]?.ETag).not.toBe(`"${md5(first).toString('hex')}"`)
    expect(await upload.complete(parts)).toMatchObject({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: KeyMetadata?.Arn,
    })
    expect(await get(upload.Key)).toEqual(Buffer.concat([first, last]))
    await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }))
    await expect(get(upload.Key)).rejects.toMatchObject({ name: 'KMS.DisabledException' })
  })

  test('a part needs the key', async () => {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const upload = await givenUpload({
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: KeyMetadata?.KeyId,
    })
    await kms.send(new DisableKeyCommand({ KeyId: KeyMetadata?.KeyId }))
    await expect(upload.put(1, last)).rejects.toMatchObject({ name: 'KMS.DisabledException' })
  })

  test('a part cannot ask for an encryption of its own', async () => {
    const upload = await givenUpload()
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}/${upload.Key}`,
      query: { partNumber: '1', uploadId: upload.UploadId },
      headers: { 'x-amz-server-side-encryption': 'AES256' },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })
})

describe('checksums', () => {
  const whole = Buffer.concat([first, last])
  const checksums = async (Key: string) =>
    s3.send(new HeadObjectCommand({ Bucket, Key, ChecksumMode: 'ENABLED' }))

  test('without an algorithm, CRC64NVME of the whole object is there', async () => {
    const upload = await givenUpload()
    await upload.complete([await upload.put(1, first), await upload.put(2, last)])
    expect(await checksums(upload.Key)).toMatchObject({
      ChecksumType: 'FULL_OBJECT',
      ChecksumCRC64NVME: digestOf('CRC64NVME', whole).toString('base64'),
    })
  })

  test('of the whole object, by CRC', async () => {
    const upload = await givenUpload({ ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' })
    const parts = [await upload.put(1, first), await upload.put(2, last)]
    const wrong = upload.complete(parts, { ChecksumCRC32: 'AAAAAA==' })
    await expect(wrong).rejects.toMatchObject({ name: 'BadDigest' })
    const ChecksumCRC32 = digestOf('CRC32', whole).toString('base64')
    const right = { ChecksumCRC32, ChecksumType: 'FULL_OBJECT', MpuObjectSize: whole.length }
    expect(await upload.complete(parts, right)).toMatchObject({ ChecksumCRC32 })
  })

  test('composite, of the checksums of the parts', async () => {
    const upload = await givenUpload({ ChecksumAlgorithm: 'SHA256' })
    const parts = [await upload.put(1, first), await upload.put(2, last)]
    const bare = parts.map(({ PartNumber, ETag }) => ({ PartNumber, ETag }))
    await expect(upload.complete(bare)).rejects.toMatchObject({ name: 'InvalidRequest' })
    await upload.complete(parts)
    const digests = Buffer.concat([digestOf('SHA256', first), digestOf('SHA256', last)])
    const value = digestOf('SHA256', digests).toString('base64')
    expect(await checksums(upload.Key)).toMatchObject({
      ChecksumType: 'COMPOSITE',
      ChecksumSHA256: `${value}-2`,
    })
    expect(await get(upload.Key)).toEqual(whole)
  })

  test.each([
    { ChecksumAlgorithm: 'SHA256', ChecksumType: 'FULL_OBJECT' },
    { ChecksumAlgorithm: 'CRC64NVME', ChecksumType: 'COMPOSITE' },
    { ChecksumType: 'FULL_OBJECT' },
  ] as const)('%j is refused', async (kind) => {
    await expect(givenUpload(kind)).rejects.toMatchObject({ name: 'InvalidRequest' })
  })

  test('a part with another checksum than that of the upload is refused', async () => {
    const upload = await givenUpload({ ChecksumAlgorithm: 'SHA256' })
    const other = new UploadPartCommand({
      Bucket,
      Key: upload.Key,
      UploadId: upload.UploadId,
      PartNumber: 1,
      Body: last,
      ChecksumAlgorithm: 'CRC32',
    })
    await expect(s3.send(other)).rejects.toMatchObject({ name: 'InvalidRequest' })
  })
})

describe('completion', () => {
  test('can be asked for again, with the same list only', async () => {
    const upload = await givenUpload()
    const parts = [await upload.put(1, first), await upload.put(2, last)]
    const { ETag } = await upload.complete(parts)
    expect((await upload.complete(parts)).ETag).toBe(ETag)
    await s3.send(new PutObjectCommand({ Bucket, Key: upload.Key, Body: 'newer' }))
    expect((await upload.complete(parts)).ETag).toBe(ETag)
    expect((await get(upload.Key)).toString()).toBe('newer')
    await expect(upload.complete(parts.slice(0, 1))).rejects.toMatchObject({ name: 'NoSuchUpload' })
    await expect(upload.put(3, last)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  test('by many at once gives one object that can be read', async () => {
    const upload = await givenUpload()
    const parts = [await upload.put(1, first), await upload.put(2, last)]
    const lists = [parts, parts, parts.slice(1), parts]
    await Promise.allSettled(lists.map((list) => upload.complete(list)))
    const object = await get(upload.Key)
    expect([first.length + last.length, last.length]).toContain(object.length)
  })

  test.each([
    ['InvalidPart', [1, 3]],
    ['InvalidPartOrder', [2, 1]],
    ['InvalidPartOrder', [1, 1]],
    ['EntityTooSmall', [2, 4]],
  ] as const)('%s for the parts %j', async (code, numbers) => {
    const upload = await givenUpload()
    const known = new Map<number, CompletedPart>()
    for (const number of [1, 2, 4]) {
      known.set(number, await upload.put(number, number === 1 ? first : last))
    }
    const listed = numbers.map((n) => known.get(n) ?? { PartNumber: n, ETag: '"x"' })
    await expect(upload.complete(listed)).rejects.toMatchObject({ name: code })
    const { Parts } = await s3.send(
      new ListPartsCommand({ Bucket, Key: upload.Key, UploadId: upload.UploadId }),
    )
    expect(Parts).toHaveLength(3)
  })

  test('of another size than the client expects is refused', async () => {
    const upload = await givenUpload()
    const parts = [await upload.put(1, last)]
    const attempt = upload.complete(parts, { MpuObjectSize: 1 })
    await expect(attempt).rejects.toMatchObject({ name: 'InvalidRequest' })
  })

  test('with If-None-Match: * writes a new name only', async () => {
    const upload = await givenUpload()
    const parts = [await upload.put(1, last)]
    await s3.send(new PutObjectCommand({ Bucket, Key: upload.Key, Body: 'first' }))
    const attempt = upload.complete(parts, { IfNoneMatch: '*' })
    await expect(attempt).rejects.toMatchObject({ name: 'PreconditionFailed' })
    expect((await get(upload.Key)).toString()).toBe('first')
  })

  test.each([
    ['MalformedXML', '<CompleteMultipartUpload><Part>'],
    [
      'MalformedXML',
      '<CompleteMultipartUpload><Part><ETag>x</ETag></Part></CompleteMultipartUpload>',
    ],
    ['InvalidRequest', '<CompleteMultipartUpload/>'],
  ])('%s for %s', async (code, xml) => {
    const upload = await givenUpload()
    const answer = await sendRaw(stack, {
      method: 'POST',
      path: `/${Bucket}/${upload.Key}`,
      query: { uploadId: upload.UploadId },
      body: Buffer.from(xml),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, code])
  })
})

describe('AbortMultipartUpload', () => {
  const abort = ({ Key, UploadId }: Given) =>
    s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))

  test('gives an upload up with all of its parts', async () => {
    const upload = await givenUpload()
    const part = await upload.put(1, last)
    expect((await abort(upload)).$metadata.httpStatusCode).toBe(204)
    const gone = { name: 'NoSuchUpload', UploadId: upload.UploadId }
    await expect(upload.put(2, last)).rejects.toMatchObject(gone)
    await expect(upload.complete([part])).rejects.toMatchObject(gone)
    await expect(abort(upload)).rejects.toMatchObject(gone)
  })

  test('leaves an object alone that was made of the upload', async () => {
    const upload = await givenUpload()
    await upload.complete([await upload.put(1, last)])
    await expect(abort(upload)).rejects.toMatchObject({ name: 'NoSuchUpload' })
    expect(await get(upload.Key)).toEqual(last)
  })
})

describe('what names no upload', () => {
  test.each(['0', '10001', '-1', 'x', ''])('part number %s', async (partNumber) => {
    const upload = await givenUpload()
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}/${upload.Key}`,
      query: { partNumber, uploadId: upload.UploadId },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })

  test('an upload of another name', async () => {
    const { UploadId } = await givenUpload()
    const part = new UploadPartCommand({ Bucket, Key: 'other', UploadId, PartNumber: 1, Body: 'x' })
    await expect(s3.send(part)).rejects.toMatchObject({ name: 'NoSuchUpload' })
  })

  test.each(['x', '../../etc', ''])('upload id "%s"', async (uploadId) => {
    const answer = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}/key`,
      query: { uploadId },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([404, 'NoSuchUpload'])
  })
})

test('ListParts pages by part number', async () => {
  const upload = await givenUpload({ ChecksumAlgorithm: 'CRC32' })
  for (const number of [2, 5, 9]) await upload.put(number, last)
  const list = (PartNumberMarker?: string) =>
    s3.send(
      new ListPartsCommand({
        Bucket,
        Key: upload.Key,
        UploadId: upload.UploadId,
        MaxParts: 2,
        PartNumberMarker,
      }),
    )
  const page = await list()
  expect(page).toMatchObject({ IsTruncated: true, NextPartNumberMarker: '5', MaxParts: 2 })
  expect(page.Parts).toMatchObject([
    { PartNumber: 2, Size: last.length, ChecksumCRC32: digestOf('CRC32', last).toString('base64') },
    { PartNumber: 5 },
  ])
  const end = await list('5')
  expect([end.IsTruncated, end.Parts?.map(({ PartNumber }) => PartNumber)]).toEqual([false, [9]])
})

test('ListMultipartUploads lists, groups and pages what is under way', async () => {
  const own = await givenBucket(s3)
  const create = (Key: string) => s3.send(new CreateMultipartUploadCommand({ Bucket: own, Key }))
  const keys = ['a', 'dir/1', 'dir/2', 'z', 'z']
  const ids = await Promise.all(keys.map(async (Key) => (await create(Key)).UploadId ?? ''))
  const all = await s3.send(new ListMultipartUploadsCommand({ Bucket: own }))
  expect(all.Uploads?.map(({ Key }) => Key)).toEqual(keys)
  expect(all.Uploads?.map(({ UploadId }) => UploadId).sort()).toEqual([...ids].sort())
  const found: unknown[] = []
  let marker: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } = {}
  for (;;) {
    const page = await s3.send(
      new ListMultipartUploadsCommand({ Bucket: own, Delimiter: '/', MaxUploads: 1, ...marker }),
    )
    found.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix))
    found.push(...(page.Uploads ?? []).map(({ Key }) => Key))
    if (!page.IsTruncated) break
    marker = { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
  }
  expect(found).toEqual(['a', 'dir/', 'z', 'z'])
  const under = await s3.send(new ListMultipartUploadsCommand({ Bucket: own, Prefix: 'dir/' }))
  expect(under.Uploads).toHaveLength(2)
  for (const [i, Key] of keys.entries()) {
    await s3.send(new AbortMultipartUploadCommand({ Bucket: own, Key, UploadId: ids[i] }))
  }
  await s3.send(new DeleteBucketCommand({ Bucket: own }))
})
