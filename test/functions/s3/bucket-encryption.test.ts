import { createHash } from 'node:crypto'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
} from '@aws-sdk/client-kms'
import {
  DeleteBucketEncryptionCommand,
  GetBucketEncryptionCommand,
  GetObjectCommand,
  PutBucketEncryptionCommand,
  PutObjectCommand,
  type ServerSideEncryptionRule,
} from '@aws-sdk/client-s3'
import { beforeEach, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const kms = stack.kms()

let Bucket: string
beforeEach(async () => {
  Bucket = await givenBucket(s3)
})

const setRule = (rule: ServerSideEncryptionRule) =>
  s3.send(
    new PutBucketEncryptionCommand({
      Bucket,
      ServerSideEncryptionConfiguration: { Rules: [rule] },
    }),
  )
const byDefault = (
  SSEAlgorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse',
  KMSMasterKeyID?: string,
) => ({
  ApplyServerSideEncryptionByDefault: {
    SSEAlgorithm,
    ...(KMSMasterKeyID === undefined ? {} : { KMSMasterKeyID }),
  },
})
const rules = async () =>
  (await s3.send(new GetBucketEncryptionCommand({ Bucket }))).ServerSideEncryptionConfiguration
    ?.Rules
const put = (more: object = {}) =>
  s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', ...more }))
const givenKey = async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return { KeyId: KeyMetadata?.KeyId ?? '', Arn: KeyMetadata?.Arn ?? '' }
}

const send = (body: string) =>
  sendRaw(stack, {
    method: 'PUT',
    path: `/${Bucket}`,
    query: { encryption: '' },
    headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
    body: Buffer.from(body),
  })

describe('the default encryption of a bucket', () => {
  test('is SSE-S3 from the start, with keys of callers blocked', async () => {
    expect(await rules()).toEqual([
      {
        ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' },
        BucketKeyEnabled: false,
        BlockedEncryptionTypes: { EncryptionType: ['SSE-C'] },
      },
    ])
  })

  test.each(['aws:kms', 'aws:kms:dsse'] as const)(
    'of %s holds for writes that ask for nothing',
    async (algorithm) => {
      const { KeyId, Arn } = await givenKey()
      await setRule(byDefault(algorithm, KeyId))
      expect((await rules())?.[0]?.ApplyServerSideEncryptionByDefault?.KMSMasterKeyID).toBe(KeyId)
      const expected = { ServerSideEncryption: algorithm, SSEKMSKeyId: Arn }
      expect(await put()).toMatchObject(expected)
      expect(await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))).toMatchObject(expected)
    },
  )

  test('gives way to what a write asks for', async () => {
    await setRule(byDefault('aws:kms'))
    expect((await put({ ServerSideEncryption: 'AES256' })).ServerSideEncryption).toBe('AES256')
    const { KeyId, Arn } = await givenKey()
    const other = await put({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId })
    expect(other.SSEKMSKeyId).toBe(Arn)
  })

  test('is looked at again by every write, not by what is there', async () => {
    await setRule(byDefault('aws:kms'))
    await put()
    await s3.send(new DeleteBucketEncryptionCommand({ Bucket }))
    const before = await s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    expect(before.ServerSideEncryption).toBe('aws:kms')
    expect((await put()).ServerSideEncryption).toBe('AES256')
    await s3.send(new DeleteBucketEncryptionCommand({ Bucket })) // once more is no error
  })

  test('takes a key that cannot be used, and then no write', async () => {
    const { KeyId } = await givenKey()
    await setRule(byDefault('aws:kms', KeyId))
    await kms.send(new DisableKeyCommand({ KeyId }))
    await expect(put()).rejects.toMatchObject({ name: 'KMS.DisabledException' })
    await setRule(byDefault('aws:kms', 'alias/there-is-none'))
    await expect(put()).rejects.toMatchObject({ name: 'KMS.NotFoundException' })
  })

  test('finds an alias anew at every write', async () => {
    const AliasName = `alias/${Bucket}`
    const { KeyId, Arn } = await givenKey()
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
    await setRule(byDefault('aws:kms', AliasName))
    expect((await put()).SSEKMSKeyId).toBe(Arn)
  })

  test('keeps a block that is not spoken of, and lifts one that is', async () => {
    await setRule(byDefault('AES256'))
    expect((await rules())?.[0]?.BlockedEncryptionTypes?.EncryptionType).toEqual(['SSE-C'])
    await setRule({ ...byDefault('AES256'), BlockedEncryptionTypes: { EncryptionType: ['NONE'] } })
    expect((await rules())?.[0]?.BlockedEncryptionTypes).toBeUndefined()
  })

  const configuration = (inner: string) =>
    `<ServerSideEncryptionConfiguration>${inner}</ServerSideEncryptionConfiguration>`
  const rule = (inner: string) =>
    `<Rule><ApplyServerSideEncryptionByDefault>${inner}</ApplyServerSideEncryptionByDefault></Rule>`
  const aes = rule('<SSEAlgorithm>AES256</SSEAlgorithm>')
  test.each([
    ['MalformedXML', ''],
    ['MalformedXML', configuration('')],
    ['MalformedXML', configuration(aes + aes)],
    ['MalformedXML', configuration(rule('<SSEAlgorithm>aes</SSEAlgorithm>'))],
    ['MalformedXML', configuration('<Rule></Rule>')],
    [
      'MalformedXML',
      configuration(`${aes.slice(0, -7)}<BucketKeyEnabled>x</BucketKeyEnabled></Rule>`),
    ],
    [
      'MalformedXML',
      configuration(
        '<Rule><BlockedEncryptionTypes><EncryptionType>x</EncryptionType></BlockedEncryptionTypes></Rule>',
      ),
    ],
    [
      'InvalidArgument',
      configuration(rule('<SSEAlgorithm>AES256</SSEAlgorithm><KMSMasterKeyID>k</KMSMasterKeyID>')),
    ],
  ])('refuses with %s: %s', async (code, body) => {
    const answer = await send(body)
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, code])
    expect((await rules())?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm).toBe('AES256')
  })

  test('is refused without a digest of its body', async () => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}`,
      query: { encryption: '' },
      body: Buffer.from(configuration(aes)),
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidRequest'])
  })
})

describe('a bucket key', () => {
  test('is told only where there is one', async () => {
    const { KeyId } = await givenKey()
    await setRule({ ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true })
    expect((await put()).BucketKeyEnabled).toBe(true)
    // The bucket's word counts for a write that names its key itself; the write's own word before.
    const named = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId } as const
    expect((await put(named)).BucketKeyEnabled).toBe(true)
    expect((await put({ ...named, BucketKeyEnabled: false })).BucketKeyEnabled).toBeUndefined()
    expect((await put({ ServerSideEncryption: 'AES256' })).BucketKeyEnabled).toBeUndefined()
    const dsse = await put({ ServerSideEncryption: 'aws:kms:dsse', BucketKeyEnabled: true })
    expect([dsse.ServerSideEncryption, dsse.BucketKeyEnabled]).toEqual(['aws:kms:dsse', undefined])
  })

  test('serves no longer than its key is enabled', async () => {
    const { KeyId } = await givenKey()
    await setRule({ ...byDefault('aws:kms', KeyId), BucketKeyEnabled: true })
    await put()
    await kms.send(new DisableKeyCommand({ KeyId }))
    await expect(put()).rejects.toMatchObject({ name: 'KMS.DisabledException' })
    const get = () => s3.send(new GetObjectCommand({ Bucket, Key: 'k' }))
    await expect(get()).rejects.toMatchObject({ name: 'KMS.DisabledException' })
    await kms.send(new EnableKeyCommand({ KeyId }))
    expect(await (await get()).Body?.transformToString()).toBe('x')
  })
})
