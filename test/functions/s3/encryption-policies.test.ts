import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { describe, expect, test } from 'vitest'
import { allowCustomerKeys, customerKey } from '../../support/encryption-modes.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const SSE = 's3:x-amz-server-side-encryption'

/** @returns a bucket that denies writes under these conditions */
async function denying(...conditions: readonly object[]): Promise<string> {
  const Bucket = await givenBucket(s3)
  await allowCustomerKeys(s3, Bucket)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: conditions.map((Condition) => ({
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
      Condition,
    })),
  })
  await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
  return Bucket
}
const attempt = (Bucket: string, more: Partial<PutObjectCommandInput>) =>
  s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...more })).then(
    () => 'allowed',
    ({ name }: Error) => name,
  )

const KMS = { ServerSideEncryption: 'aws:kms' } as const
const AES = { ServerSideEncryption: 'AES256' } as const
const absent = { Null: { [SSE]: 'true' } }
const notKms = { StringNotEquals: { [SSE]: 'aws:kms' } }
// A condition with IfExists holds where there is nothing to compare, so a denial does too.
const notKmsIfThere = { StringNotEqualsIfExists: { [SSE]: 'aws:kms' } }
const customers = { Null: { [`${SSE}-customer-algorithm`]: 'false' } }
const noCustomers = { Null: { [`${SSE}-customer-algorithm`]: 'true' } }

test.each<[string, object, object, string]>([
  ['absent', absent, {}, 'AccessDenied'],
  ['absent', absent, AES, 'allowed'],
  ['not KMS', notKms, {}, 'AccessDenied'],
  ['not KMS', notKms, AES, 'AccessDenied'],
  ['not KMS', notKms, KMS, 'allowed'],
  ['not KMS, if there', notKmsIfThere, {}, 'AccessDenied'],
  ['not KMS, if there', notKmsIfThere, AES, 'AccessDenied'],
  ["a caller's key", customers, customerKey(), 'AccessDenied'],
  ["a caller's key", customers, {}, 'allowed'],
  ["no caller's key", noCustomers, {}, 'AccessDenied'],
  ["no caller's key", noCustomers, customerKey(), 'allowed'],
])('where %s is denied (%j), a write with %j is: %s', async (_name, condition, more, expected) => {
  expect(await attempt(await denying(condition), more)).toBe(expected)
})

test('the key of a write is compared as it was sent, so only by its ARN', async () => {
  const { KeyMetadata } = await stack.kms().send(new CreateKeyCommand({}))
  const { Arn = '', KeyId = '' } = KeyMetadata ?? {}
  const Bucket = await denying({ StringNotEquals: { [`${SSE}-aws-kms-key-id`]: Arn } })
  expect(await attempt(Bucket, { ...KMS, SSEKMSKeyId: Arn })).toBe('allowed')
  expect(await attempt(Bucket, { ...KMS, SSEKMSKeyId: KeyId })).toBe('AccessDenied')
})

test('what the bucket does by default is not what a request asked for', async () => {
  const Bucket = await denying(absent)
  const byDefault = { SSEAlgorithm: 'aws:kms' } as const
  const configuration = { Rules: [{ ApplyServerSideEncryptionByDefault: byDefault }] }
  await s3.send(
    new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: configuration }),
  )
  expect(await attempt(Bucket, {})).toBe('AccessDenied')
})

test('a policy is asked before a header is found to be wrong', async () => {
  const Bucket = await denying(notKms)
  const headers = { 'x-amz-server-side-encryption': 'nonsense' }
  const answer = await sendRaw(stack, { method: 'PUT', path: `/${Bucket}/k`, headers })
  expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([403, 'AccessDenied'])
})

describe('an upload in parts', () => {
  const initiate = (Bucket: string, more: object) =>
    s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'k', ...more }))

  test.each<[string, object, object]>([
    ['SSE-KMS', notKms, KMS],
    ["a caller's key", noCustomers, customerKey()],
  ])('may go on as it began, with %s', async (_name, condition, more) => {
    const Bucket = await denying(condition)
    await expect(initiate(Bucket, {})).rejects.toMatchObject({ name: 'AccessDenied' })
    const { UploadId } = await initiate(Bucket, more)
    const at = { Bucket, Key: 'k', UploadId }
    const own = 'SSECustomerKey' in more ? more : {}
    const { ETag } = await s3.send(
      new UploadPartCommand({ ...at, PartNumber: 1, Body: 'x', ...own }),
    )
    const MultipartUpload = { Parts: [{ PartNumber: 1, ETag }] }
    await s3.send(new CompleteMultipartUploadCommand({ ...at, MultipartUpload }))
  })

  test('that began otherwise, before the policy, takes no more parts', async () => {
    const Bucket = await givenBucket(s3)
    const { UploadId } = await initiate(Bucket, {})
    const Statement = {
      Effect: 'Deny',
      Principal: '*',
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${Bucket}/*`,
      Condition: notKms,
    }
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy }))
    const part = { Bucket, Key: 'k', UploadId, PartNumber: 1, Body: 'x' }
    await expect(s3.send(new UploadPartCommand(part))).rejects.toMatchObject({
      name: 'AccessDenied',
    })
  })
})
