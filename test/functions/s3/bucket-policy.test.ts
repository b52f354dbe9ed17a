import {
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  GetBucketPolicyCommand,
  GetBucketPolicyStatusCommand,
  GetObjectCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { allow, deny } from '../../support/grants.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let admin: S3Client
let alice: User
beforeAll(async () => {
  stack = await givenTenantsStack()
  admin = s3Of(stack.admin)
  alice = await stack.user(stack.admin.account, 'alice')
})
afterAll(() => stack.close())

const s3Of = ({ endpoint, region, credentials }: User): S3Client =>
  new S3Client({ endpoint, region: region ?? 'us-east-1', credentials, forcePathStyle: true })

const policyOf = (...statements: readonly object[]): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })

const put = (Bucket: string, Policy: string) =>
  admin.send(new PutBucketPolicyCommand({ Bucket, Policy }))

const refusalOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no refusal',
    ({ name, message }: Error) => `${name}: ${message}`,
  )

/** A bucket whose policy lets Alice read what is under `shared/`. */
async function givenShared() {
  const Bucket = await givenBucket(admin)
  const policy = policyOf({
    Effect: 'Allow',
    Principal: { AWS: alice.arn },
    Action: 's3:GetObject',
    Resource: `arn:aws:s3:::${Bucket}/shared/*`,
  })
  await put(Bucket, policy)
  for (const Key of ['shared/a', 'own/a']) {
    await admin.send(new PutObjectCommand({ Bucket, Key, Body: 'text' }))
  }
  return { Bucket, policy }
}

describe('a bucket policy', () => {
  test('is given back as it was put, until it is deleted', async () => {
    const { Bucket, policy } = await givenShared()
    expect((await admin.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(policy)
    const { PolicyStatus } = await admin.send(new GetBucketPolicyStatusCommand({ Bucket }))
    expect(PolicyStatus).toEqual({ IsPublic: false })
    await admin.send(new DeleteBucketPolicyCommand({ Bucket }))
    await admin.send(new DeleteBucketPolicyCommand({ Bucket }))
    for (const Command of [GetBucketPolicyCommand, GetBucketPolicyStatusCommand]) {
      expect(await refusalOf(admin.send(new Command({ Bucket }) as GetBucketPolicyCommand))).toBe(
        'NoSuchBucketPolicy: The bucket policy does not exist',
      )
    }
  })

  test('allows those that it names what it says, and nothing else', async () => {
    const { Bucket } = await givenShared()
    const s3 = s3Of(alice)
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'shared/a' }))
    expect(await Body?.transformToString()).toBe('text')
    expect(await refusalOf(s3.send(new GetObjectCommand({ Bucket, Key: 'own/a' })))).toBe(
      `AccessDenied: User: ${alice.arn} is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::${Bucket}/own/a" because no identity-based policy allows the s3:GetObject action`,
    )
    expect(
      await refusalOf(s3.send(new PutObjectCommand({ Bucket, Key: 'shared/b', Body: '' }))),
    ).toMatch(/^AccessDenied/)
  })

  test('denies also what identity policies allow', async () => {
    const Bucket = await givenBucket(admin)
    await put(
      Bucket,
      policyOf({
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:PutObject',
        Resource: `arn:aws:s3:::${Bucket}/*`,
        Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
      }),
    )
    expect(await refusalOf(admin.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'a' })))).toBe(
      `AccessDenied: User: ${stack.admin.arn} is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::${Bucket}/a" with an explicit deny in a resource-based policy`,
    )
    const encrypted = { Bucket, Key: 'a', Body: 'a', ServerSideEncryption: 'aws:kms' } as const
    expect((await admin.send(new PutObjectCommand(encrypted))).ServerSideEncryption).toBe('aws:kms')
  })

  test('is asked before anything else of the request is looked at', async () => {
    const Bucket = await givenBucket(admin)
    const Resource = `arn:aws:s3:::${Bucket}/*`
    await put(
      Bucket,
      policyOf({ Effect: 'Deny', Principal: '*', Action: 's3:PutObject', Resource }),
    )
    const wrong = { Bucket, Key: 'a', Body: 'a', ServerSideEncryption: 'AES' as 'AES256' }
    expect(await refusalOf(admin.send(new PutObjectCommand(wrong)))).toMatch(/^AccessDenied/)
  })

  test('decides on each object of DeleteObjects', async () => {
    const { Bucket } = await givenShared()
    const Resource = `arn:aws:s3:::${Bucket}/own/*`
    await put(
      Bucket,
      policyOf({ Effect: 'Deny', Principal: '*', Action: 's3:DeleteObject', Resource }),
    )
    const Objects = [{ Key: 'shared/a' }, { Key: 'own/a' }]
    const { Deleted, Errors } = await admin.send(
      new DeleteObjectsCommand({ Bucket, Delete: { Objects } }),
    )
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['shared/a'])
    expect(Errors).toMatchObject([{ Key: 'own/a', Code: 'AccessDenied' }])
  })

  test('is changed by those only who may', async () => {
    const { Bucket, policy } = await givenShared()
    const writer = await stack.user(
      stack.admin.account,
      'writer',
      allow('s3:*'),
      deny('s3:*Policy*'),
    )
    const s3 = s3Of(writer)
    for (const command of [
      new PutBucketPolicyCommand({ Bucket, Policy: policy }),
      new DeleteBucketPolicyCommand({ Bucket }),
      new GetBucketPolicyCommand({ Bucket }),
    ]) {
      expect(await refusalOf(s3.send(command as GetBucketPolicyCommand))).toMatch(
        /with an explicit deny in an identity-based policy$/,
      )
    }
    expect((await admin.send(new GetBucketPolicyCommand({ Bucket }))).Policy).toBe(policy)
  })

  test('does not let its author lock everybody out, unless told to', async () => {
    const Bucket = await givenBucket(admin)
    const Policy = policyOf({
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:*',
      Resource: [`arn:aws:s3:::${Bucket}`, `arn:aws:s3:::${Bucket}/*`],
    })
    expect(await refusalOf(put(Bucket, Policy))).toBe(
      'MalformedPolicy: The new bucket policy will not allow you to update the bucket policy in the future.',
    )
    const ConfirmRemoveSelfBucketAccess = true
    await admin.send(new PutBucketPolicyCommand({ Bucket, Policy, ConfirmRemoveSelfBucketAccess }))
    expect(await refusalOf(put(Bucket, Policy))).toMatch(/^AccessDenied/)
  })

  test.each([
    ['{', "Policies must be valid JSON and the first byte must be '{'"],
    [
      policyOf({ Effect: 'Allow', Action: 's3:*', Resource: '*' }),
      'Missing required field Principal',
    ],
    [
      policyOf({ Effect: 'Allow', Principal: '*', Action: 's3:*', Resource: 'arn:aws:s3:::other' }),
      'Policy has invalid resource',
    ],
    [
      policyOf({
        Effect: 'Allow',
        Principal: { AWS: 'arn:aws:iam::111122223333:user/nobody' },
        Action: 's3:*',
        Resource: 'arn:aws:s3:::BUCKET',
      }),
      'Invalid principal in policy',
    ],
  ])('%s is refused', async (policy, message) => {
    const Bucket = await givenBucket(admin)
    expect(await refusalOf(put(Bucket, policy.replace('BUCKET', Bucket)))).toBe(
      `MalformedPolicy: ${message}`,
    )
  })

  test('is no way into the bucket of another account', async () => {
    const { Bucket } = await givenShared()
    const stranger = await stack.tenant('444455556666')
    const s3 = s3Of(stranger)
    for (const command of [
      new GetBucketPolicyCommand({ Bucket }),
      new PutBucketPolicyCommand({ Bucket, Policy: '{}' }),
      new DeleteBucketPolicyCommand({ Bucket }),
      new GetBucketPolicyStatusCommand({ Bucket }),
    ]) {
      expect(await refusalOf(s3.send(command as GetBucketPolicyCommand))).toBe(
        'NoSuchBucket: The specified bucket does not exist',
      )
    }
  })
})
