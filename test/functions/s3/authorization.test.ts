import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { formBody, sendForm, signedFields } from '../../support/forms.ts'
import { givenInProcessStack, type InProcessStack } from '../../support/in-process-stack.ts'
import { givenBucket, sendRaw, xmlText } from '../../support/s3.ts'

let own: InProcessStack
let s3: S3Client
let Bucket: string
let keyArn: string

beforeAll(async () => {
  own = await givenInProcessStack()
  s3 = own.stack.s3()
  Bucket = await givenBucket(s3)
  const { KeyMetadata } = await own.stack.kms().send(new CreateKeyCommand({}))
  keyArn = KeyMetadata?.Arn ?? ''
})
afterAll(() => own.close())

const allow = (Action: string | readonly string[], Resource: string) => ({
  Effect: 'Allow',
  Action,
  Resource,
})
const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }
const get = (client: S3Client, Key: string) => client.send(new GetObjectCommand({ Bucket, Key }))
const put = (client: S3Client, Key: string, more: object = {}) =>
  client.send(new PutObjectCommand({ Bucket, Key, Body: 'text', ...more }))
const underKey = () => ({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: keyArn })

describe('who may do what', () => {
  test('is decided by action and object', async () => {
    await put(s3, 'open/1')
    await put(s3, 'closed/1')
    const user = (await own.user([allow('s3:GetObject', `arn:aws:s3:::${Bucket}/open/*`)])).s3()
    await expect(get(user, 'open/1')).resolves.toBeDefined()
    await expect(get(user, 'closed/1')).rejects.toMatchObject(denied)
    await expect(put(user, 'open/1')).rejects.toMatchObject({
      ...denied,
      message: expect.stringMatching(
        /^User: \S+ is not authorized to perform: s3:PutObject on resource: "arn:aws:s3:::\S+\/open\/1" because no identity-based policy allows the s3:PutObject action$/,
      ),
    })
    await expect(user.send(new ListBucketsCommand({}))).rejects.toMatchObject(denied)
  })

  test('which objects there are is told to those who may list them', async () => {
    const objects = allow('s3:GetObject', `arn:aws:s3:::${Bucket}/*`)
    const reader = (await own.user([objects])).s3()
    await expect(get(reader, 'none')).rejects.toMatchObject(denied)
    const list = allow('s3:ListBucket', `arn:aws:s3:::${Bucket}`)
    const lister = (await own.user([objects, list])).s3()
    await expect(get(lister, 'none')).rejects.toMatchObject({ name: 'NoSuchKey' })
  })

  test('policies see the encryption header, before it is looked at otherwise', async () => {
    const { user } = own
    const put = allow('s3:PutObject', '*')
    const deny = {
      ...put,
      Effect: 'Deny',
      Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
    }
    const stack = await user([put, deny, allow('kms:GenerateDataKey', '*')])
    const send = (headers: Record<string, string>) =>
      sendRaw(stack, { method: 'PUT', path: `/${Bucket}/forced`, headers })
    const mode = 'x-amz-server-side-encryption'
    for (const headers of [{}, { [mode]: 'AES256' }, { [mode]: 'nonsense' }]) {
      expect(xmlText((await send(headers as Record<string, string>)).body, 'Code')).toBe(
        'AccessDenied',
      )
    }
    expect((await send({ [mode]: 'aws:kms', [`${mode}-aws-kms-key-id`]: keyArn })).status).toBe(200)
  })

  test('DeleteObjects removes what may be removed and tells of the rest', async () => {
    await put(s3, 'mine/1')
    await put(s3, 'theirs/1')
    const user = (await own.user([allow('s3:DeleteObject', `arn:aws:s3:::${Bucket}/mine/*`)])).s3()
    const { Deleted, Errors } = await user.send(
      new DeleteObjectsCommand({
        Bucket,
        Delete: { Objects: [{ Key: 'mine/1' }, { Key: 'theirs/1' }] },
      }),
    )
    expect(Deleted?.map(({ Key }) => Key)).toEqual(['mine/1'])
    expect(Errors?.map(({ Key, Code }) => [Key, Code])).toEqual([['theirs/1', 'AccessDenied']])
    await expect(get(s3, 'theirs/1')).resolves.toBeDefined()
  })
})

describe('keys are used with the rights of the caller', () => {
  test('who may write but not use the key cannot write under it', async () => {
    const user = (await own.user([allow('s3:PutObject', '*')])).s3()
    await expect(put(user, 'under-key', underKey())).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('kms:GenerateDataKey'),
    })
    await expect(put(user, 'under-key')).resolves.toBeDefined()
  })

  test('who may read but not decrypt gets no byte, and may still ask for the head', async () => {
    await put(s3, 'sealed', underKey())
    const user = (await own.user([allow('s3:GetObject', '*')])).s3()
    await expect(get(user, 'sealed')).rejects.toMatchObject({
      ...denied,
      message: expect.stringContaining('kms:Decrypt'),
    })
    const head = user.send(new HeadObjectCommand({ Bucket, Key: 'sealed' }))
    await expect(head).resolves.toMatchObject({ SSEKMSKeyId: keyArn })
  })

  test('a key can be left to S3, and to one object', async () => {
    const through = {
      ...allow(['kms:GenerateDataKey', 'kms:Decrypt'], keyArn),
      Condition: {
        StringEquals: {
          'kms:ViaService': 's3.us-east-1.amazonaws.com',
          'kms:EncryptionContext:aws:s3:arn': `arn:aws:s3:::${Bucket}/only`,
        },
      },
    }
    const stack = await own.user([allow('s3:*', '*'), through])
    const user = stack.s3()
    await put(user, 'only', underKey())
    expect(await (await get(user, 'only')).Body?.transformToString()).toBe('text')
    await expect(put(user, 'other', underKey())).rejects.toMatchObject(denied)
    const spoofed = await sendRaw(stack, {
      method: 'GET',
      path: `/${Bucket}/sealed`,
      unsigned: { 'x-keyhold-via': 's3', 'kms-viaservice': 's3.us-east-1.amazonaws.com' },
    })
    expect(spoofed.status).toBe(403)
  })

  test('the managed key is for everyone in the account who may use S3', async () => {
    const user = (await own.user([allow('s3:*', '*')])).s3()
    await put(user, 'managed', { ServerSideEncryption: 'aws:kms' })
    expect(await (await get(user, 'managed')).Body?.transformToString()).toBe('text')
  })

  test('a part needs the right to decrypt', async () => {
    const { UploadId } = await s3.send(
      new CreateMultipartUploadCommand({
        Bucket,
        Key: 'parts',
        ServerSideEncryption: 'aws:kms',
        SSEKMSKeyId: keyArn,
      }),
    )
    const part = { Bucket, Key: 'parts', UploadId, PartNumber: 1, Body: 'x' }
    const writer = (await own.user([allow('s3:PutObject', '*')])).s3()
    await expect(writer.send(new UploadPartCommand(part))).rejects.toMatchObject(denied)
    const both = (await own.user([allow(['s3:PutObject', 'kms:Decrypt'], '*')])).s3()
    await expect(both.send(new UploadPartCommand(part))).resolves.toBeDefined()
  })
})

test('another tenant sees none of it, and may use the same names', async () => {
  await put(s3, 'secret', { Body: 'mine' })
  const other = (await own.tenant('999900001111')).s3()
  const missing = { name: 'NoSuchBucket' }
  await expect(get(other, 'secret')).rejects.toMatchObject(missing)
  await expect(put(other, 'secret')).rejects.toMatchObject(missing)
  await expect(other.send(new ListObjectsV2Command({ Bucket }))).rejects.toMatchObject(missing)
  await expect(other.send(new HeadBucketCommand({ Bucket }))).rejects.toMatchObject({
    name: 'NotFound',
  })
  expect((await other.send(new ListBucketsCommand({}))).Buckets ?? []).toEqual([])

  await other.send(new CreateBucketCommand({ Bucket }))
  await put(other, 'secret', { Body: 'theirs' })
  expect(await (await get(s3, 'secret')).Body?.transformToString()).toBe('mine')
  expect(await (await get(other, 'secret')).Body?.transformToString()).toBe('theirs')
})

describe('the record', () => {
  const newest = async (name: string, count = 1): Promise<readonly AuditRecord[]> =>
    (await own.records()).filter(({ eventName }) => eventName === name).slice(-count)

  test('of a write and a read names object, bucket and key, and KMS is called as the caller by S3', async () => {
    await put(s3, 'audited', { ...underKey(), Metadata: { colour: 'mauve' } })
    await get(s3, 'audited').then(({ Body }) => Body?.transformToString())
    const resources = [
      {
        accountId: own.stack.account,
        type: 'AWS::S3::Object',
        ARN: `arn:aws:s3:::${Bucket}/audited`,
      },
      { accountId: own.stack.account, type: 'AWS::S3::Bucket', ARN: `arn:aws:s3:::${Bucket}` },
    ]
    const [written] = await newest('PutObject')
    expect(written).toMatchObject({
      eventSource: 's3.amazonaws.com',
      eventCategory: 'Data',
      managementEvent: false,
      readOnly: false,
      resources,
      requestParameters: {
        bucketName: Bucket,
        key: 'audited',
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': keyArn,
      },
      additionalEventData: { bytesTransferredIn: 4, SSEApplied: 'SSE-KMS' },
    })
    expect(JSON.stringify(written)).not.toContain('mauve')
    const [read] = await newest('GetObject')
    expect(read).toMatchObject({ readOnly: true, resources })
    const [made] = await newest('GenerateDataKey')
    expect(made).toMatchObject({
      userIdentity: { arn: written?.userIdentity.arn, invokedBy: 's3.amazonaws.com' },
      requestID: written?.requestID,
      requestParameters: { encryptionContext: { 'aws:s3:arn': `arn:aws:s3:::${Bucket}/audited` } },
    })
    const [opened] = await newest('Decrypt')
    expect(opened).toMatchObject({
      userIdentity: { invokedBy: 's3.amazonaws.com' },
      requestID: read?.requestID,
    })
  })

  test('of a refusal says why, in the words of S3', async () => {
    await expect(get(s3, 'never')).rejects.toThrow()
    const user = (await own.user([allow('s3:ListAllMyBuckets', '*')])).s3()
    await expect(get(user, 'audited')).rejects.toThrow()
    const [missing, refused] = await newest('GetObject', 2)
    expect(missing).toMatchObject({ errorCode: 'NoSuchKey', requestParameters: { key: 'never' } })
    expect(refused).toMatchObject({ errorCode: 'AccessDenied' })
  })

  test('of an operation on a bucket is a management event', async () => {
    const [created] = await newest('CreateBucket')
    expect(created).toMatchObject({ eventCategory: 'Management', managementEvent: true })
  })

  test('of what is not offered carries its name', async () => {
    await sendRaw(own.stack, { method: 'GET', path: `/${Bucket}`, query: { inventory: '' } })
    const [asked] = await newest('GetBucketInventoryConfiguration')
    expect(asked).toMatchObject({ errorCode: 'NotImplemented' })
  })

  test('of a form tells of the object, and not how the form was signed', async () => {
    const fields = signedFields(own.stack, { bucket: Bucket, fields: { key: 'posted' } })
    for (const more of [{}, { 'x-amz-meta-a': 'b' }]) {
      const form = formBody({ ...fields, ...more }, 'text')
      await sendForm(own.stack, { path: `/${Bucket}`, ...form })
    }
    const records = await newest('PostObject', 2)
    expect(records.map(({ errorCode }) => errorCode ?? null)).toEqual([null, 'AccessDenied'])
    for (const record of records) {
      expect(record.requestParameters).toMatchObject({ bucketName: Bucket, key: 'posted' })
      const told = JSON.stringify(record)
      for (const name of ['policy', 'x-amz-signature']) expect(told).not.toContain(fields[name])
    }
  })

  test('comes once for each call', async () => {
    const before = (await own.records()).length
    await put(s3, 'once')
    await get(s3, 'once').then(({ Body }) => Body?.transformToString())
    await s3.send(new ListObjectsV2Command({ Bucket }))
    expect((await own.records()).length).toBe(before + 3)
  })
})
