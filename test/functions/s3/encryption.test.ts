import { randomUUID } from 'node:crypto'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import {
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  type PutObjectCommandInput,
} from '@aws-sdk/client-s3'
import { beforeAll, describe, expect, test } from 'vitest'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const s3 = stack.s3()
const kms = stack.kms()
const SSE = 'x-amz-server-side-encryption'
const base64Json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')

let Bucket: string
let keyId: string
let keyArn: string
const alias = `alias/${randomUUID()}`

const givenKey = async () => {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return { keyId: KeyMetadata?.KeyId ?? '', keyArn: KeyMetadata?.Arn ?? '' }
}

beforeAll(async () => {
  Bucket = await givenBucket(s3)
  ;({ keyId, keyArn } = await givenKey())
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyId }))
})

const put = (Key: string, more: Partial<PutObjectCommandInput>) =>
  s3.send(new PutObjectCommand({ Bucket, Key, Body: 'secret', ...more }))
const putUnder = (Key: string, SSEKMSKeyId: string) =>
  put(Key, { ServerSideEncryption: 'aws:kms', SSEKMSKeyId })
const get = (Key: string) => s3.send(new GetObjectCommand({ Bucket, Key }))

describe('SSE-KMS', () => {
  test.each([
    ['key id', () => keyId],
    ['key ARN', () => keyArn],
    ['alias name', () => alias],
    ['alias ARN', () => keyArn.replace(/key\/.*/, alias)],
  ])('names the key by its ARN when it was named by %s', async (_form, given) => {
    const expected = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn }
    expect(await putUnder('named', given())).toMatchObject(expected)
    expect(await s3.send(new HeadObjectCommand({ Bucket, Key: 'named' }))).toMatchObject(expected)
    const read = await get('named')
    expect(read).toMatchObject(expected)
    expect(await read.Body?.transformToString()).toBe('secret')
  })

  test('gives equal content another ETag each time, which is not its MD5', async () => {
    const tags = [await putUnder('etag', keyId), await putUnder('etag', keyId)].map((a) => a.ETag)
    expect(tags[0]).toMatch(/^"[0-9a-f]{32}"$/)
    expect(tags[0]).not.toBe(tags[1])
    const { ETag } = await put('etag', {})
    expect(tags).not.toContain(ETag)
  })

  test('binds further pairs of the encryption context, and gives them back once', async () => {
    const SSEKMSEncryptionContext = base64Json({ team: 'payments' })
    const options = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyId } as const
    const written = await put('context', { ...options, SSEKMSEncryptionContext })
    expect(written.SSEKMSEncryptionContext).toBe(SSEKMSEncryptionContext)
    const answer = await sendRaw(stack, { method: 'GET', path: `/${Bucket}/context` })
    expect(answer.headers[`${SSE}-context`]).toBeUndefined()
    expect(answer.body.toString()).toBe('secret')
  })

  test.each([
    '',
    'no base64!',
    Buffer.from('no json').toString('base64'),
    base64Json(['list']),
    base64Json({ nested: {} }),
    base64Json({ number: 1 }),
    base64Json({ 'aws:s3:arn': 'arn:aws:s3:::another/object' }),
  ])('refuses the context %s', async (context) => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}/context`,
      headers: { [SSE]: 'aws:kms', [`${SSE}-context`]: context },
    })
    expect([answer.status, xmlText(answer.body, 'Code')]).toEqual([400, 'InvalidArgument'])
  })

  test.each([
    ['an unknown key id', () => randomUUID(), 'KMS.NotFoundException'],
    ['an unknown alias', () => 'alias/none', 'KMS.NotFoundException'],
    ['nonsense', () => 'nonsense', 'KMS.NotFoundException'],
    [
      'a key of another Region',
      () => keyArn.replace('us-east-1', 'eu-west-1'),
      'KMS.NotFoundException',
    ],
    [
      'a key of another account',
      () => keyArn.replace(stack.account, '999999999999'),
      'AccessDenied',
    ],
  ])('%s is refused', async (_case, given, code) => {
    await expect(putUnder('unknown', given())).rejects.toMatchObject({ name: code })
    await expect(get('unknown')).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  test('a key that may not be used now cannot write or read, and HEAD still tells', async () => {
    const key = await givenKey()
    await putUnder('state', key.keyId)
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    const disabled = {
      name: 'KMS.DisabledException',
      message: `${key.keyArn} is disabled.`,
      $metadata: { httpStatusCode: 400 },
    }
    await expect(putUnder('state', key.keyId)).rejects.toMatchObject(disabled)
    await expect(get('state')).rejects.toMatchObject(disabled)
    const head = await s3.send(new HeadObjectCommand({ Bucket, Key: 'state' }))
    expect(head.SSEKMSKeyId).toBe(key.keyArn)
    const checked = await sendRaw(stack, {
      method: 'HEAD',
      path: `/${Bucket}/state`,
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    })
    expect(checked.status).toBe(400)

    await kms.send(new EnableKeyCommand({ KeyId: key.keyId }))
    expect(await (await get('state')).Body?.transformToString()).toBe('secret')
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    await expect(get('state')).rejects.toMatchObject({ name: 'KMS.KMSInvalidStateException' })
  })

  test('an alias that leads elsewhere by now does not matter to what was written', async () => {
    await putUnder('moved', alias)
    const read = await get('moved')
    expect(read.SSEKMSKeyId).toBe(keyArn)
  })

  test('an empty object is under its key too', async () => {
    const key = await givenKey()
    const more = { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: key.keyId } as const
    await put('empty', { ...more, Body: '' })
    await kms.send(new DisableKeyCommand({ KeyId: key.keyId }))
    await expect(get('empty')).rejects.toMatchObject({ name: 'KMS.DisabledException' })
  })
})

describe('the managed key alias/aws/s3', () => {
  test('is made at first use, by many first users at once, and is one for all', async () => {
    const other = givenStack('us-west-2')
    const client = other.s3()
    const name = await givenBucket(client, 'us-west-2')
    const writes = Array.from({ length: 6 }, (_, i) =>
      client.send(
        new PutObjectCommand({
          Bucket: name,
          Key: `first-${i}`,
          Body: 'x',
          ServerSideEncryption: 'aws:kms',
        }),
      ),
    )
    const arns = new Set((await Promise.all(writes)).map(({ SSEKMSKeyId }) => SSEKMSKeyId))
    expect(arns.size).toBe(1)
    const described = await other.kms().send(new DescribeKeyCommand({ KeyId: 'alias/aws/s3' }))
    expect(described.KeyMetadata).toMatchObject({ Arn: [...arns][0], KeyManager: 'AWS' })
  })

  test('can be named, and encrypts for S3 alone', async () => {
    const { SSEKMSKeyId = '' } = await putUnder('by-alias', 'alias/aws/s3')
    expect((await put('unnamed', { ServerSideEncryption: 'aws:kms' })).SSEKMSKeyId).toBe(
      SSEKMSKeyId,
    )
    const directly = kms.send(
      new EncryptCommand({ KeyId: SSEKMSKeyId, Plaintext: Buffer.from('x') }),
    )
    await expect(directly).rejects.toMatchObject({ name: 'AccessDeniedException' })
    const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId: SSEKMSKeyId }))
    expect(JSON.parse(Policy).Statement[0].Condition.StringEquals).toEqual({
      'kms:CallerAccount': stack.account,
      'kms:ViaService': 's3.us-east-1.amazonaws.com',
    })
  })
})

describe('headers that do not go together or are not offered', () => {
  test.each([
    ['InvalidArgument', { [SSE]: '' }],
    ['InvalidArgument', { [SSE]: 'aes256' }],
    ['InvalidArgument', { [SSE]: 'aws:fsx' }],
    ['InvalidArgument', { [`${SSE}-aws-kms-key-id`]: 'x' }],
    ['InvalidArgument', { [SSE]: 'AES256', [`${SSE}-aws-kms-key-id`]: 'x' }],
    ['InvalidArgument', { [SSE]: 'AES256', [`${SSE}-context`]: 'e30=' }],
  ])('%s for %j', async (code, headers) => {
    const answer = await sendRaw(stack, { method: 'PUT', path: `/${Bucket}/refused`, headers })
    expect(xmlText(answer.body, 'Code')).toBe(code)
    const head = s3.send(new HeadObjectCommand({ Bucket, Key: 'refused' }))
    await expect(head).rejects.toMatchObject({ name: 'NotFound' })
  })

  test.each(['false', 'False'])(
    'a bucket key that is not wanted (%s) is no matter',
    async (flag) => {
      const headers = { [SSE]: 'aws:kms', [`${SSE}-bucket-key-enabled`]: flag }
      const answer = await sendRaw(stack, { method: 'PUT', path: `/${Bucket}/plain`, headers })
      expect(answer.status).toBe(200)
      expect(answer.headers[`${SSE}-bucket-key-enabled`]).toBeUndefined()
    },
  )

  test('headers that only this house knows change nothing', async () => {
    const answer = await sendRaw(stack, {
      method: 'PUT',
      path: `/${Bucket}/own`,
      headers: { 'x-amz-meta-x-keyhold-encryption': 'none', 'x-amz-wrapped-object-key': 'x' },
      unsigned: { 'x-keyhold-via': 's3', 'x-keyhold-operation': 'DeleteObject' },
    })
    expect(answer.headers[SSE]).toBe('AES256')
  })
})
