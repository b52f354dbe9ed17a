import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  GetObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  type S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket } from '../../support/s3.ts'

let own: InProcessStack
let s3: S3Client
beforeAll(async () => {
  own = await givenInProcessStack()
  s3 = own.stack.s3()
})
afterAll(() => own.close())

const base64Json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

const givenPlace = async () => {
  const { KeyMetadata } = await own.stack.kms().send(new CreateKeyCommand({}))
  return { Bucket: await givenBucket(s3), key: KeyMetadata?.Arn ?? '' }
}
const put = (
  { Bucket, key }: { Bucket: string; key: string },
  Key: string,
  more: Partial<PutObjectCommandInput> = {},
  client = s3,
) =>
  client.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: 'x',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: key,
      BucketKeyEnabled: true,
      ...more,
    }),
  )
/** What KMS was asked of the key: event names, each with its encryption context. */
const asked = async (key: string, eventName: string) =>
  (await own.records())
    .filter((record) => record.eventName === eventName)
    .map(({ requestParameters, resources }) => ({ requestParameters, resources }))
    .filter((record) => JSON.stringify(record).includes(key))
    .map(({ requestParameters }) => requestParameters?.encryptionContext)

test('KMS is asked once for many writes and once for many reads, in the name of the bucket', async () => {
  const place = await givenPlace()
  const names = Array.from({ length: 10 }, (_, index) => `k${index}`)
  for (const name of names) await put(place, name)
  await Promise.all(names.map((name) => put(place, `${name}-at-once`)))
  const context = { 'aws:s3:arn': `arn:aws:s3:::${place.Bucket}` }
  expect(await asked(place.key, 'GenerateDataKey')).toEqual([context])
  for (const Key of names) {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: place.Bucket, Key }))
    expect(await Body?.transformToString()).toBe('x')
  }
  expect(await asked(place.key, 'Decrypt')).toEqual([context])
})

test('without a bucket key it is asked every time, in the name of the object', async () => {
  const place = await givenPlace()
  for (const name of ['a', 'b']) await put(place, name, { BucketKeyEnabled: false })
  expect(await asked(place.key, 'GenerateDataKey')).toEqual(
    ['a', 'b'].map((name) => ({ 'aws:s3:arn': `arn:aws:s3:::${place.Bucket}/${name}` })),
  )
})

test('another requester, bucket or context has a data key of its own', async () => {
  const place = await givenPlace()
  const other = { ...place, Bucket: await givenBucket(s3) }
  const user = await own.user([{ Effect: 'Allow', Action: ['s3:*', 'kms:*'], Resource: '*' }])
  await put(place, 'one')
  await put(place, 'two', {}, user.s3())
  await put(other, 'three')
  await put(place, 'four', { SSEKMSEncryptionContext: base64Json({ team: 'a' }) })
  expect(await asked(place.key, 'GenerateDataKey')).toHaveLength(4)
})

test('whoever may not use the key gets no object that others wrote under a shared data key', async () => {
  const place = await givenPlace()
  await put(place, 'theirs')
  await s3.send(new GetObjectCommand({ Bucket: place.Bucket, Key: 'theirs' }))
  const user = await own.user([{ Effect: 'Allow', Action: 's3:*', Resource: '*' }])
  const get = new GetObjectCommand({ Bucket: place.Bucket, Key: 'theirs' })
  await expect(user.s3().send(get)).rejects.toMatchObject({ name: 'AccessDenied' })
  await expect(put(place, 'mine', {}, user.s3())).rejects.toMatchObject({ name: 'AccessDenied' })
})
