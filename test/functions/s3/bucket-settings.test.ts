import {
  DeleteBucketOwnershipControlsCommand,
  DeletePublicAccessBlockCommand,
  GetBucketAccelerateConfigurationCommand,
  GetBucketAclCommand,
  GetBucketLifecycleConfigurationCommand,
  GetBucketLoggingCommand,
  GetBucketNotificationConfigurationCommand,
  GetBucketOwnershipControlsCommand,
  GetBucketReplicationCommand,
  GetBucketRequestPaymentCommand,
  GetBucketVersioningCommand,
  GetBucketWebsiteCommand,
  GetObjectAclCommand,
  GetObjectLockConfigurationCommand,
  GetPublicAccessBlockCommand,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  PutBucketAclCommand,
  PutBucketOwnershipControlsCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutPublicAccessBlockCommand,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const s3 = givenStack().s3()
let Bucket: string
beforeAll(async () => {
  Bucket = await givenBucket(s3)
})

describe('what a bucket never has', () => {
  test.each<[string, () => Promise<unknown>]>([
    [
      'NoSuchLifecycleConfiguration',
      () => s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket })),
    ],
    ['NoSuchWebsiteConfiguration', () => s3.send(new GetBucketWebsiteCommand({ Bucket }))],
    [
      'ReplicationConfigurationNotFoundError',
      () => s3.send(new GetBucketReplicationCommand({ Bucket })),
    ],
    [
      'ObjectLockConfigurationNotFoundError',
      () => s3.send(new GetObjectLockConfigurationCommand({ Bucket })),
    ],
  ])('is answered with %s', async (name, ask) => {
    await expect(ask()).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 404 } })
  })

  test('is answered as if it was never set', async () => {
    expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined()
    expect((await s3.send(new GetBucketLoggingCommand({ Bucket }))).LoggingEnabled).toBeUndefined()
    const notification = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }))
    expect(notification.QueueConfigurations).toBeUndefined()
    const accelerate = await s3.send(new GetBucketAccelerateConfigurationCommand({ Bucket }))
    expect(accelerate.Status).toBeUndefined()
    const { Payer } = await s3.send(new GetBucketRequestPaymentCommand({ Bucket }))
    expect(Payer).toBe('BucketOwner')
  })
})

describe('access control lists', () => {
  beforeAll(() => s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' })))

  test('give everything to the owner and nothing to anybody else', async () => {
    const lists = [
      await s3.send(new GetBucketAclCommand({ Bucket })),
      await s3.send(new GetObjectAclCommand({ Bucket, Key: 'k' })),
    ]
    for (const { Owner, Grants } of lists) {
      expect(Owner?.ID).toMatch(/^[0-9a-f]{64}$/)
      expect(Grants).toEqual([
        { Grantee: { ID: Owner?.ID, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' },
      ])
    }
  })

  test('take what is so anyway, and refuse everything else', async () => {
    await s3.send(new PutBucketAclCommand({ Bucket, ACL: 'private' }))
    await s3.send(new PutObjectAclCommand({ Bucket, Key: 'k', ACL: 'bucket-owner-full-control' }))
    const refused = {
      name: 'AccessControlListNotSupported',
      message: 'The bucket does not allow ACLs',
    }
    await expect(
      s3.send(new PutBucketAclCommand({ Bucket, ACL: 'public-read' })),
    ).rejects.toMatchObject(refused)
    await expect(
      s3.send(new PutObjectAclCommand({ Bucket, Key: 'k', ACL: 'public-read' })),
    ).rejects.toMatchObject(refused)
    await expect(s3.send(new GetObjectAclCommand({ Bucket, Key: 'none' }))).rejects.toMatchObject({
      name: 'NoSuchKey',
    })
  })
})

test('a block of public access is kept and told', async () => {
  const get = () => s3.send(new GetPublicAccessBlockCommand({ Bucket }))
  const missing = { name: 'NoSuchPublicAccessBlockConfiguration' }
  await expect(get()).rejects.toMatchObject(missing)
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: true,
    IgnorePublicAcls: false,
    BlockPublicPolicy: true,
    RestrictPublicBuckets: false,
  }
  await s3.send(new PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }))
  expect((await get()).PublicAccessBlockConfiguration).toEqual(PublicAccessBlockConfiguration)
  await s3.send(new DeletePublicAccessBlockCommand({ Bucket }))
  await expect(get()).rejects.toMatchObject(missing)
})

test('the owner of a bucket owns what is in it, and nothing else can be had', async () => {
  const get = () => s3.send(new GetBucketOwnershipControlsCommand({ Bucket }))
  const put = (ObjectOwnership: 'BucketOwnerEnforced' | 'ObjectWriter') => {
    const OwnershipControls = { Rules: [{ ObjectOwnership }] }
    return s3.send(new PutBucketOwnershipControlsCommand({ Bucket, OwnershipControls }))
  }
  await expect(get()).rejects.toMatchObject({ name: 'OwnershipControlsNotFoundError' })
  await put('BucketOwnerEnforced')
  expect((await get()).OwnershipControls?.Rules).toEqual([
    { ObjectOwnership: 'BucketOwnerEnforced' },
  ])
  await expect(put('ObjectWriter')).rejects.toMatchObject({ name: 'NotImplemented' })
  await s3.send(new DeleteBucketOwnershipControlsCommand({ Bucket }))
  await expect(get()).rejects.toMatchObject({ name: 'OwnershipControlsNotFoundError' })
})

describe('a listing of versions', () => {
  const NAMES = ['a/1', 'a/2', 'b', 'c/1', 'd']
  let listed: string
  beforeAll(async () => {
    listed = await givenBucket(s3)
    for (const Key of NAMES) await s3.send(new PutObjectCommand({ Bucket: listed, Key, Body: 'x' }))
  })
  const list = (more: Partial<ListObjectVersionsCommandInput> = {}) =>
    s3.send(new ListObjectVersionsCommand({ Bucket: listed, ...more }))

  test('has each object as the one version of its name', async () => {
    const { Versions, IsTruncated } = await list()
    expect(Versions?.map(({ Key }) => Key)).toEqual(NAMES)
    expect(IsTruncated).toBe(false)
    expect(Versions?.[0]).toMatchObject({
      VersionId: 'null',
      IsLatest: true,
      Size: 1,
      StorageClass: 'STANDARD',
    })
  })

  test.each([1, 2, 3])('comes in pages of %i, with common prefixes', async (MaxKeys) => {
    const found: (string | undefined)[] = []
    for (let KeyMarker: string | undefined; ; ) {
      const page = await list({ MaxKeys, Delimiter: '/', ...(KeyMarker ? { KeyMarker } : {}) })
      found.push(...(page.Versions ?? []).map(({ Key }) => Key))
      found.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix))
      if (!page.IsTruncated) break
      KeyMarker = page.NextKeyMarker
    }
    expect(found.sort()).toEqual(['a/', 'b', 'c/', 'd'])
  })

  test('begins where it is told to', async () => {
    expect((await list({ Prefix: 'a' })).Versions).toHaveLength(2)
    const after = await list({ KeyMarker: 'b', VersionIdMarker: 'null' })
    expect(after.Versions?.map(({ Key }) => Key)).toEqual(['c/1', 'd'])
    expect((await list({ MaxKeys: 0 })).Versions).toBeUndefined()
  })
})
