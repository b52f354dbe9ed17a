/** What tests of copies start from: a stack of their own, a bucket, and the calls that they make. */
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  type CopyObjectCommandInput,
  type CopyObjectCommandOutput,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { bucketNameOf, parseAccountId } from '../../shared/ids.ts'
import type { ObjectRecord } from '../../shared/store/records.ts'
import { type Asked, allowCustomerKeys } from './encryption-modes.ts'
import { givenInProcessStack, type InProcessStack } from './in-process-stack.ts'
import { givenBucket } from './s3.ts'

type Fields = Readonly<Record<string, unknown>>

export interface Copies {
  readonly own: InProcessStack
  readonly s3: S3Client
  readonly Bucket: string
  put(key: string, body: Uint8Array | string, more?: Fields): Promise<unknown>
  /** An object of these parts. */
  putParts(key: string, parts: readonly Uint8Array[], asked: Asked): Promise<void>
  /** Within the bucket, unless `more` says otherwise. */
  copy(
    from: string,
    to: string,
    more?: Partial<CopyObjectCommandInput>,
  ): Promise<CopyObjectCommandOutput>
  /** @returns the answer, with all of its body */
  get(
    key: string,
    more?: Fields,
  ): Promise<{ readonly body: Buffer; readonly [name: string]: unknown }>
  /** Changes the record of an object behind the back of its manifest. */
  edit(key: string, change: (record: ObjectRecord) => Partial<ObjectRecord>): Promise<void>
}

/** What a read brings, as a copy brings it for its source. */
export const asSource = (read: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(read).map(([name, value]) => [`CopySource${name}`, value]))

/** One for each test file. */
export async function givenCopies(): Promise<Copies> {
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true'
  const own = await givenInProcessStack()
  const s3 = own.stack.s3()
  const Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
  return {
    own,
    s3,
    Bucket,
    put: (Key, Body, more = {}) => s3.send(new PutObjectCommand({ Bucket, Key, Body, ...more })),
    putParts: (Key, bodies, asked) => putParts(s3, { Bucket, Key }, bodies, asked),
    copy: (from, Key, more = {}) =>
      s3.send(new CopyObjectCommand({ Bucket, Key, CopySource: `${Bucket}/${from}`, ...more })),
    async get(Key, more = {}) {
      const answer = await s3.send(new GetObjectCommand({ Bucket, Key, ...more }))
      return { ...answer, body: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) }
    },
    async edit(Key, change) {
      const account = parseAccountId(own.stack.account)
      const { objects } = own.services.store
      const record = account && (await objects.get(account, bucketNameOf(Bucket), Key))
      if (record === null) throw new Error('There is no such object.')
      await objects.put({ ...record, ...change(record) })
    },
  }
}

async function putParts(
  s3: S3Client,
  at: { readonly Bucket: string; readonly Key: string },
  bodies: readonly Uint8Array[],
  { write, read }: Asked,
): Promise<void> {
  const { UploadId } = await s3.send(new CreateMultipartUploadCommand({ ...at, ...write }))
  const Parts = []
  for (const [index, Body] of bodies.entries()) {
    const part = { ...at, UploadId, PartNumber: index + 1, Body, ...read }
    const { ETag, ChecksumSHA256 } = await s3.send(new UploadPartCommand(part))
    Parts.push({ PartNumber: index + 1, ETag, ChecksumSHA256 })
  }
  await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }))
}
