import {
  CreateGrantCommand,
  CreateKeyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { allow } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { kmsClient } from '../../support/kms.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let s3: S3Client
beforeAll(async () => {
  stack = await givenTenantsStack()
  s3 = new S3Client({ ...stack.admin, forcePathStyle: true })
})
afterAll(() => stack.close())

interface Impact {
  readonly ObjectCount: number
  readonly ObjectBytes: number
  readonly UploadCount: number
  readonly Objects: readonly { readonly Bucket: string; readonly Key: string }[]
  readonly IsTruncated: boolean
  readonly Marker?: string
}

const impactOf = async (KeyId: string, page: object = {}, as: User = stack.admin) => {
  const { body } = await callKeyhold(as, 'DescribeKeyImpact', { KeyId, ...page })
  return body as unknown as Impact
}

async function givenKey(): Promise<string> {
  const { KeyMetadata } = await kmsClient(stack.admin).send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

const put = (Bucket: string, Key: string, size: number, SSEKMSKeyId: string, dsse = false) =>
  s3.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: Buffer.alloc(size),
      ServerSideEncryption: dsse ? 'aws:kms:dsse' : 'aws:kms',
      SSEKMSKeyId,
    }),
  )

test('DescribeKeyImpact tells what of all buckets goes with a key, and nothing else', async () => {
  const [key, other] = [await givenKey(), await givenKey()]
  const [one, two] = [await givenBucket(s3), await givenBucket(s3)]
  await put(one, 'a', 1000, key)
  await put(one, 'b', 70_000, key, true)
  await put(two, 'a', 5, key)
  await put(two, 'gone', 5, key)
  await put(two, 'changed', 5, key)
  await put(two, 'changed', 6, other)
  await s3.send(new DeleteObjectCommand({ Bucket: two, Key: 'gone' }))
  await s3.send(new PutObjectCommand({ Bucket: one, Key: 'plain', Body: 'x' }))
  const upload = { Bucket: two, Key: 'big', ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key }
  await s3.send(new CreateMultipartUploadCommand(upload as { Bucket: string; Key: string }))
  const GranteePrincipal = stack.admin.arn
  const grant = { KeyId: key, GranteePrincipal, Operations: ['Decrypt' as const] }
  await kmsClient(stack.admin).send(new CreateGrantCommand(grant))

  const impact = await impactOf(key)
  expect(impact).toMatchObject({
    KeyId: key,
    KeyState: 'Enabled',
    GrantCount: 1,
    Outside: [],
    ObjectCount: 3,
    ObjectBytes: 71_005,
    UploadCount: 1,
    Uploads: [{ Bucket: two, Key: 'big' }],
    IsTruncated: false,
  })
  expect(impact.Objects).toHaveLength(3)
  expect(impact.Objects).toContainEqual({
    Bucket: one,
    Key: 'b',
    Size: 70_000,
    LastModifiedDate: expect.any(Number),
    Encryption: 'DSSE-KMS',
  })
})

test('DescribeKeyImpact goes on from page to page, and its sums with it', async () => {
  const key = await givenKey()
  const Bucket = await givenBucket(s3)
  const names = Array.from({ length: 7 }, (_, at) => `object-${at}`)
  for (const name of names) await put(Bucket, name, 10, key)
  const seen: string[] = []
  let page = await impactOf(key, { MaxItems: 3 })
  for (let count = 3; ; count += 3) {
    seen.push(...page.Objects.map(({ Key }) => Key))
    expect(page.ObjectCount).toBe(Math.min(count, 7))
    if (!page.IsTruncated) break
    page = await impactOf(key, { MaxItems: 3, Marker: page.Marker })
  }
  expect(seen.sort()).toEqual(names)
  expect(page.ObjectBytes).toBe(70)

  const { Marker } = await impactOf(key, { MaxItems: 3 })
  expect(await impactOf(await givenKey(), { Marker })).toMatchObject({
    __type: 'InvalidMarkerException',
  })
  expect(await impactOf(key, { Marker: `${Marker}A` })).toMatchObject({
    __type: 'InvalidMarkerException',
  })
})

test('DescribeKeyImpact tells of a key that waits for its deletion when that is', async () => {
  const key = await givenKey()
  await kmsClient(stack.admin).send(
    new ScheduleKeyDeletionCommand({ KeyId: key, PendingWindowInDays: 7 }),
  )
  expect(await impactOf(key)).toMatchObject({
    KeyState: 'PendingDeletion',
    DeletionDate: expect.any(Number),
    ObjectCount: 0,
  })
})

test('DescribeKeyImpact is for who may describe the key and ask for its impact', async () => {
  const key = await givenKey()
  const { account } = stack.admin
  const half = await stack.user(account, 'half', allow('kms:DescribeKey'))
  const other = await stack.user(account, 'other', allow('keyhold:DescribeKeyImpact'))
  const denied = { __type: 'AccessDeniedException' }
  expect(await impactOf(key, {}, half)).toMatchObject(denied)
  expect(await impactOf(key, {}, other)).toMatchObject(denied)
  const both = await stack.user(
    account,
    'both',
    allow('keyhold:DescribeKeyImpact'),
    allow('kms:DescribeKey'),
  )
  expect(await impactOf(key, {}, both)).toMatchObject({ ObjectCount: 0 })
  const stranger = await stack.tenant('555566667777')
  expect(await impactOf(key, {}, stranger)).toMatchObject(denied)
})
