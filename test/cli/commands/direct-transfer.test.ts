import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { signedObjectRequest } from '../../../cli/connection/signed-object-request.ts'
import { uploadDirectly } from '../../../cli/transfer/direct-part.ts'
import { bucketNameOf } from '../../../shared/ids.ts'
import { type CommandLine, commandLine, variablesOf } from '../../support/command-line.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'
import { givenTenantsStack, type TenantsStack } from '../../support/tenants-stack.ts'

const MIB = 1024 * 1024

/** Where the blobs of the stack lie: in a bucket of another one. */
const backing = givenStack()
const backingS3 = backing.s3()
let backingBucket: string
let stack: TenantsStack
let s3: S3Client
let shell: CommandLine
beforeAll(async () => {
  backingBucket = await givenBucket(backingS3)
  stack = await givenTenantsStack()
  Object.assign(process.env, {
    KEYHOLD_BLOBS: `s3://${backingBucket}/objects`,
    AWS_ENDPOINT_URL_S3: backing.endpoint,
    AWS_REGION: backing.region,
    AWS_ACCESS_KEY_ID: backing.credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: backing.credentials.secretAccessKey,
  })
  s3 = new S3Client({ ...stack.admin, forcePathStyle: true })
  shell = commandLine(variablesOf({ ...stack.admin, region: 'us-east-1' }, stack.admin.credentials))
})
afterAll(() => stack.close())

const connection = () => ({ ...stack.admin, region: 'us-east-1', source: 'the test' })

const stored = async (): Promise<readonly number[]> => {
  const { Contents = [] } = await backingS3.send(
    new ListObjectsV2Command({ Bucket: backingBucket }),
  )
  return Contents.map(({ Size = 0 }) => Size)
}

async function read(Bucket: string, Key: string, Range?: string): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, Range }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

test.each(['AES256', 'aws:kms', 'aws:kms:dsse'])(
  'Under %s, what is encrypted on the spot and stored past the service reads back by any client',
  async (mode) => {
    const [bucket, bytes] = [await givenBucket(s3), randomBytes(17 * MIB + 5)]
    writeFileSync(join(shell.home, 'big'), bytes)
    const [before, callsBefore] = [(await stored()).length, await directCalls()]
    const up = await shell.run('cp', 'big', `s3://${bucket}/folder/ä b`, '--sse', mode)
    expect(up).toMatchObject({ code: 0, stderr: '' })
    expect((await stored()).length - before).toBe(3)
    expect((await read(bucket, 'folder/ä b')).equals(bytes)).toBe(true)
    const range = await read(bucket, 'folder/ä b', `bytes=${8 * MIB - 3}-${8 * MIB + 70_000}`)
    expect(range.equals(bytes.subarray(8 * MIB - 3, 8 * MIB + 70_001))).toBe(true)
    expect(await directCalls()).toBe(callsBefore + 3)
    const attributes = await s3.send(
      new GetObjectAttributesCommand({
        Bucket: bucket,
        Key: 'folder/ä b',
        ObjectAttributes: ['Checksum', 'ObjectSize'],
      }),
    )
    expect(attributes).toMatchObject({
      ObjectSize: bytes.length,
      Checksum: { ChecksumCRC32: expect.any(String), ChecksumType: 'FULL_OBJECT' },
    })
  },
)

/** How many parts were taken without their bytes, by the audit trail. */
async function directCalls(): Promise<number> {
  const { ledger } = stack.services.store
  const { account } = stack.admin
  const region = (await stack.call(stack.admin)).region
  let found = 0
  for (const day of await ledger.days(account, region)) {
    const options = { newestFirst: false, limit: 10_000, after: null }
    for (const { records } of (await ledger.blocks(account, region, day, options)).items) {
      found += Buffer.from(records).toString().split('"AdoptDirectPart"').length - 1
    }
  }
  return found
}

async function givenUpload(Bucket: string, Key: string): Promise<string> {
  const sums = { ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' } as const
  const begin = new CreateMultipartUploadCommand({ Bucket, Key, ...sums })
  const { UploadId = '' } = await s3.send(begin)
  return UploadId
}

interface Prepared {
  readonly Url: string
  readonly Headers: Record<string, string>
  readonly Ticket: string
}

const ask = (uploadId: string) =>
  ({ 'keyhold-direct': '', uploadId, partNumber: '1', size: '100' }) as const

test('A part that was not stored, or not as it was prepared, is not taken', async () => {
  const [bucket, key] = [await givenBucket(s3), 'object']
  const name = { bucket, key }
  const uploadId = await givenUpload(bucket, key)
  const query = ask(uploadId)
  const prepared = await signedObjectRequest<Prepared>(connection(), 'POST', name, query)
  const { Ticket = '', Url = '', Headers = {} } = prepared ?? {}
  const adoption = { Ticket, Checksum: 'AAAAAA==', MD5: '' }
  const adopt = (asked: Readonly<Record<string, string>>, input: object) =>
    signedObjectRequest(connection(), 'PUT', name, asked, input)
  await expect(adopt(query, adoption)).rejects.toMatchObject({ code: 'InvalidPart' })
  await fetch(Url, { method: 'PUT', headers: Headers, body: randomBytes(116) })
  await expect(adopt(query, adoption)).rejects.toMatchObject({ code: 'InvalidPart' })
  // A URL stores once, and a ticket is of one part of one upload.
  const again = await fetch(Url, { method: 'PUT', headers: Headers, body: randomBytes(116) })
  expect(again.status).toBe(412)
  const elsewhere = { ...query, partNumber: '2' }
  await expect(adopt(elsewhere, adoption)).rejects.toMatchObject({ code: 'InvalidArgument' })
  const other = ask(await givenUpload(bucket, key))
  await expect(adopt(other, adoption)).rejects.toMatchObject({ code: 'InvalidArgument' })
  const { uploads } = stack.services.store
  const upload = await uploads.get(stack.admin.account, bucketNameOf(bucket), uploadId)
  expect(upload && (await uploads.parts(upload))).toEqual([])
})

test('Nobody prepares a part who may not write the object', async () => {
  const bucket = await givenBucket(s3)
  const uploadId = await givenUpload(bucket, 'object')
  const nobody = await stack.user(stack.admin.account, 'nobody')
  const name = { bucket, key: 'object' }
  const as = { ...connection(), credentials: nobody.credentials }
  await expect(signedObjectRequest(as, 'POST', name, ask(uploadId))).rejects.toMatchObject({
    code: 'AccessDenied',
  })
  const part = { name, uploadId: 'no-such-upload', partNumber: 1, bytes: Buffer.alloc(9) }
  await expect(uploadDirectly(connection(), part)).rejects.toMatchObject({ code: 'NoSuchUpload' })
})

test('Parts of both kinds make one object', async () => {
  const [bucket, Key] = [await givenBucket(s3), 'mixed']
  const uploadId = await givenUpload(bucket, Key)
  const [one, two] = [randomBytes(5 * MIB), randomBytes(1)]
  const name = { bucket, key: Key }
  const ETag = await uploadDirectly(connection(), { name, uploadId, partNumber: 1, bytes: one })
  expect(ETag).toMatch(/^"[0-9a-f]{32}"$/)
  const part = { Bucket: bucket, Key, UploadId: uploadId, PartNumber: 2, Body: two }
  const second = await s3.send(new UploadPartCommand(part))
  const MultipartUpload = {
    Parts: [
      { PartNumber: 1, ETag: ETag ?? '' },
      { PartNumber: 2, ETag: second.ETag },
    ],
  }
  const end = { Bucket: bucket, Key, UploadId: uploadId, MultipartUpload }
  await s3.send(new CompleteMultipartUploadCommand(end))
  expect((await read(bucket, Key)).equals(Buffer.concat([one, two]))).toBe(true)
})
