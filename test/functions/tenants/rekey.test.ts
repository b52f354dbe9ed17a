import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { CreateKeyCommand, DisableKeyCommand, RotateKeyOnDemandCommand } from '@aws-sdk/client-kms'
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { rotateDueKeys } from '../../../functions/schedule/rotate-due-keys.ts'
import { encodeFields } from '../../../shared/crypto/encoding.ts'
import { openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { bucketNameOf, PARTITION } from '../../../shared/ids.ts'
import type { ObjectRecord } from '../../../shared/store/records.ts'
import { type Asked, allowCustomerKeys, asked, MODES } from '../../support/encryption-modes.ts'
import { allow } from '../../support/grants.ts'
import { callKeyhold } from '../../support/keyhold-client.ts'
import { kmsClient } from '../../support/kms.ts'
import { givenBucket } from '../../support/s3.ts'
import { givenTenantsStack, type TenantsStack, type User } from '../../support/tenants-stack.ts'

let stack: TenantsStack
let s3: S3Client
beforeAll(async () => {
  process.env.KEYHOLD_ALLOW_INSECURE_SSE_C = 'true'
  stack = await givenTenantsStack()
  s3 = new S3Client({ ...stack.admin, forcePathStyle: true })
})
afterAll(() => stack.close())

type Body = Readonly<Record<string, unknown>>

const call = async (operation: string, input: object, as: User = stack.admin): Promise<Body> =>
  (await callKeyhold(as, operation, input)).body

/** All pages; the last one's answer, with the failures of all. */
async function all(operation: string, input: object, as?: User): Promise<Body> {
  let answer = await call(operation, input, as)
  const failures = [...((answer.Failures ?? []) as unknown[])]
  while (answer.IsTruncated === true) {
    answer = await call(operation, { ...input, Marker: answer.Marker }, as)
    failures.push(...((answer.Failures ?? []) as unknown[]))
  }
  return { ...answer, ...(answer.Failures === undefined ? {} : { Failures: failures }) }
}

async function givenKey(): Promise<string> {
  const { KeyMetadata } = await kmsClient(stack.admin).send(new CreateKeyCommand({}))
  return KeyMetadata?.Arn ?? ''
}

async function rotate(KeyId: string): Promise<void> {
  await kmsClient(stack.admin).send(new RotateKeyOnDemandCommand({ KeyId }))
  const soon = { now: () => Date.now() + 3_600_000 } // a rotation takes some minutes
  expect(await rotateDueKeys({ ...stack.services, clock: soon })).toBe(1)
}
const disable = (KeyId: string) => kmsClient(stack.admin).send(new DisableKeyCommand({ KeyId }))

async function recordOf(Bucket: string, Key: string): Promise<ObjectRecord> {
  const { objects } = stack.services.store
  const found = await objects.get(stack.admin.account, bucketNameOf(Bucket), Key)
  if (found === null) throw new Error(`There is no ${Key}.`)
  return found
}

async function read(Bucket: string, Key: string, how: Asked['read'] = {}): Promise<Buffer> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key, ...how }))
  return Buffer.from((await Body?.transformToByteArray()) ?? [])
}

const SIZES = [0, 1, 65_536, 65_537, 300_000]

interface Written {
  readonly key: string
  readonly bytes: Buffer
  readonly how: Asked
}

/** Every size in every mode; what asks for KMS is under this key. */
async function givenObjects(Bucket: string, SSEKMSKeyId: string): Promise<readonly Written[]> {
  await allowCustomerKeys(s3, Bucket)
  const written: Written[] = []
  for (const mode of MODES) {
    const how = asked(mode)
    const under = String(how.write.ServerSideEncryption).startsWith('aws:') ? { SSEKMSKeyId } : {}
    for (const size of SIZES) {
      const [key, bytes] = [`${mode}/${size}`, randomBytes(size)]
      const put = { Bucket, Key: key, Body: bytes, Metadata: { size: String(size) } }
      await s3.send(new PutObjectCommand({ ...put, ...how.write, ...under }))
      written.push({ key, bytes, how })
    }
  }
  return written
}

async function expectAllReadable(Bucket: string, written: readonly Written[]): Promise<void> {
  for (const { key, bytes, how } of written) {
    expect((await read(Bucket, key, how.read)).equals(bytes), key).toBe(true)
    const { Metadata } = await s3.send(new HeadObjectCommand({ Bucket, Key: key, ...how.read }))
    expect(Metadata).toEqual({ size: String(bytes.length) })
  }
}

/** Makes the next version of the tenant key, as a rotation of it will. */
async function addTenantKeyVersion(): Promise<void> {
  const { account } = stack.admin
  const { store, tenantKeys } = stack.services
  const hsm = await openSoftwareHsm((process.env.KEYHOLD_HSM ?? '').replace(/^software:/, ''))
  const version = ((await store.tenants.keys(account)).at(-1)?.version ?? 0) + 1
  const { rootKeyId } = hsm
  const aad = encodeFields('keyhold sealed tenant key v1', PARTITION, account, version, rootKeyId)
  const sealed = await hsm.seal(randomBytes(32), aad)
  await store.tenants.addKey({ account, version, rootKeyId, sealed, createdAt: Date.now() })
  tenantKeys.forget(account)
}

const modesOf = (written: readonly Written[], ...modes: readonly string[]) =>
  written.filter(({ key }) => modes.includes(key.split('/')[0] ?? ''))

describe('RekeyObjects', () => {
  test('gives every object of a bucket the newest keys, and every byte is still there', async () => {
    const [Bucket, key] = [await givenBucket(s3), await givenKey()]
    const written = await givenObjects(Bucket, key)
    expect(await all('VerifyRekey', { Bucket })).toMatchObject({
      Checked: 25,
      Current: 20,
      Remaining: 0,
      CustomerKeys: 5,
      Complete: true,
    })
    const before = await Promise.all(written.map((each) => recordOf(Bucket, each.key)))
    await rotate(key)
    await addTenantKeyVersion()
    expect(await all('VerifyRekey', { Bucket })).toMatchObject({ Remaining: 20, Complete: false })

    expect(await all('RekeyObjects', { Bucket, MaxItems: 4 })).toMatchObject({
      Rewrapped: 20,
      RewrappedBytes: 4 * SIZES.reduce((sum, size) => sum + size, 0),
      CustomerKeys: 5,
      Current: 0,
      Changed: 0,
      Failed: 0,
      Failures: [],
    })
    expect(await all('VerifyRekey', { Bucket })).toMatchObject({ Current: 20, Complete: true })
    await expectAllReadable(Bucket, written)
    for (const old of before) {
      const { encryption, manifestTag, rev, ...same } = old
      const now = await recordOf(Bucket, old.key)
      expect(now).toMatchObject(same) // the same blobs, version, ETag and date
      if (encryption.mode === 'SSE-C') expect(now).toEqual(old)
      else expect(now.encryption.wrappedObjectKey).not.toEqual(encryption.wrappedObjectKey)
      if ('dataKeyBlob' in encryption && 'dataKeyBlob' in now.encryption) {
        expect(now.encryption.dataKeyBlob).not.toEqual(encryption.dataKeyBlob)
      }
    }
    // Done again, there is nothing to do.
    expect(await all('RekeyObjects', { Bucket })).toMatchObject({ Rewrapped: 0, Current: 20 })
  })

  test('takes what is under a key to another one, and the first one matters no more', async () => {
    const [Bucket, Other] = [await givenBucket(s3), await givenBucket(s3)]
    const [key, target, bystander] = [await givenKey(), await givenKey(), await givenKey()]
    const written = await givenObjects(Bucket, key)
    const elsewhere = await givenObjects(Other, bystander)
    const here = await givenObjects(await givenBucket(s3), key)
    const scope = { KeyId: key, TargetKeyId: target }
    expect(await all('VerifyRekey', { ...scope, MaxItems: 7 })).toMatchObject({
      Remaining: 30,
      Complete: false,
    })
    expect(await all('RekeyObjects', { ...scope, MaxItems: 7 })).toMatchObject({
      Rewrapped: 30,
      Failed: 0,
    })
    expect(await all('VerifyRekey', scope)).toMatchObject({ Remaining: 0, Complete: true })
    await disable(key)
    await expectAllReadable(Bucket, written)
    expect(here).toHaveLength(25)
    for (const { key: name } of modesOf(written, 'SSE-KMS', 'bucket key', 'DSSE-KMS')) {
      expect((await recordOf(Bucket, name)).encryption).toMatchObject({ keyArn: target })
    }
    for (const { key: name } of modesOf(elsewhere, 'SSE-KMS')) {
      expect((await recordOf(Other, name)).encryption).toMatchObject({ keyArn: bystander })
    }
    expect(await call('DescribeKeyImpact', { KeyId: key })).toMatchObject({ ObjectCount: 0 })
    expect(await call('DescribeKeyImpact', { KeyId: target })).toMatchObject({ ObjectCount: 30 })
  })

  test('takes along an upload under way, which is completed with the keys that it has then', async () => {
    const [Bucket, Key, key, target] = [
      await givenBucket(s3),
      'big',
      await givenKey(),
      await givenKey(),
    ]
    const begin = { Bucket, Key, ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: key }
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(begin))
    const bytes = [randomBytes(5 * 1024 * 1024), randomBytes(100_000)]
    const upload = async (PartNumber: number) => {
      const part = { Bucket, Key, UploadId, PartNumber, Body: bytes[PartNumber - 1] ?? '' }
      const { ETag } = await s3.send(new UploadPartCommand(part))
      return { PartNumber, ETag }
    }
    const first = await upload(1)
    const scope = { KeyId: key, TargetKeyId: target }
    expect(await all('VerifyRekey', scope)).toMatchObject({ RemainingUploads: 1, Complete: false })
    expect(await all('RekeyObjects', scope)).toMatchObject({ RewrappedUploads: 1, Rewrapped: 0 })
    expect(await all('VerifyRekey', scope)).toMatchObject({ RemainingUploads: 0, Complete: true })
    await disable(key)
    const MultipartUpload = { Parts: [first, await upload(2)] }
    await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload }))
    expect((await read(Bucket, Key)).equals(Buffer.concat(bytes))).toBe(true)
    expect((await recordOf(Bucket, Key)).encryption).toMatchObject({ keyArn: target })

    // An object of several parts is one record as any other.
    await rotate(target)
    expect(await all('RekeyObjects', { Bucket })).toMatchObject({ Rewrapped: 1 })
    expect((await read(Bucket, Key)).equals(Buffer.concat(bytes))).toBe(true)
  })

  test('leaves an upload that is ending to whoever ends it, as long as that can take', async () => {
    const [Bucket, Key, key, target] = [
      await givenBucket(s3),
      'big',
      await givenKey(),
      await givenKey(),
    ]
    const begin = { Bucket, Key, ServerSideEncryption: 'aws:kms' as const, SSEKMSKeyId: key }
    const { UploadId = '' } = await s3.send(new CreateMultipartUploadCommand(begin))
    const { uploads } = stack.services.store
    const fence = async (since: number) => {
      const found = await uploads.get(stack.admin.account, bucketNameOf(Bucket), UploadId)
      if (found === null) throw new Error('There is no upload.')
      const fenced = { ...found, fence: { by: 'complete' as const, since }, rev: found.rev + 1 }
      await uploads.update(fenced, found.rev)
    }
    const scope = { KeyId: key, TargetKeyId: target }
    await fence(Date.now())
    expect(await all('RekeyObjects', scope)).toMatchObject({ RewrappedUploads: 0, Changed: 1 })
    expect(await all('VerifyRekey', scope)).toMatchObject({ RemainingUploads: 1, Complete: false })
    await fence(Date.now() - 3_600_000)
    expect(await all('RekeyObjects', scope)).toMatchObject({ RewrappedUploads: 1, Changed: 0 })
    expect(await all('VerifyRekey', scope)).toMatchObject({ RemainingUploads: 0, Complete: true })
  })

  test('moves no data', async () => {
    const [Bucket, key] = [await givenBucket(s3), await givenKey()]
    await givenObjects(Bucket, key)
    const blobs = () => readdirSync(blobDirectory(), { recursive: true }).sort()
    const before = blobs()
    expect(before.length).toBeGreaterThanOrEqual(25)
    await rotate(key)
    expect(await all('RekeyObjects', { Bucket })).toMatchObject({ Rewrapped: 15, Current: 5 })
    expect(blobs()).toEqual(before)
  })

  test('leaves what was tampered with as it is, and says so', async () => {
    const [Bucket, key] = [await givenBucket(s3), await givenKey()]
    for (const Key of ['sound', 'spoilt']) {
      const put = { Bucket, Key, Body: Key, SSEKMSKeyId: key }
      await s3.send(new PutObjectCommand({ ...put, ServerSideEncryption: 'aws:kms' }))
    }
    const spoilt = { ...(await recordOf(Bucket, 'spoilt')), size: 7 }
    await stack.services.store.objects.put(spoilt)
    await rotate(key)
    expect(await all('RekeyObjects', { Bucket })).toMatchObject({
      Rewrapped: 1,
      Failed: 1,
      Failures: [{ Bucket, Key: 'spoilt', Code: 'ObjectDamaged' }],
    })
    expect(await recordOf(Bucket, 'spoilt')).toEqual(spoilt)
    expect(await all('VerifyRekey', { Bucket })).toMatchObject({ Remaining: 1, Complete: false })
  })

  test('does for each object only what KMS allows its caller, by way of S3', async () => {
    const [Bucket, key, closed] = [await givenBucket(s3), await givenKey(), await givenKey()]
    for (const SSEKMSKeyId of [key, closed]) {
      const put = { Bucket, Key: SSEKMSKeyId, Body: 'x', SSEKMSKeyId }
      await s3.send(new PutObjectCommand({ ...put, ServerSideEncryption: 'aws:kms' }))
      await rotate(SSEKMSKeyId)
    }
    const viaS3 = { Condition: { StringLike: { 'kms:ViaService': 's3.*' } }, Resource: key }
    const user = await stack.user(
      stack.admin.account,
      'rekeyer',
      allow('keyhold:RekeyObjects', { Resource: `arn:aws:s3:::${Bucket}` }),
      allow('kms:Decrypt', viaS3),
      allow('kms:GenerateDataKey', viaS3),
    )
    expect(await all('RekeyObjects', { Bucket }, user)).toMatchObject({
      Rewrapped: 1,
      Failed: 1,
      Failures: [{ Key: closed, Code: 'AccessDeniedException' }],
    })
    const denied = { __type: 'AccessDeniedException' }
    expect(await call('VerifyRekey', { Bucket }, user)).toMatchObject(denied)
    const other = { Bucket: await givenBucket(s3) }
    expect(await call('RekeyObjects', other, user)).toMatchObject(denied)
    expect(await call('RekeyObjects', { KeyId: key }, user)).toMatchObject(denied)
  })

  test('goes on where it was cut short, and gives way to writers', async () => {
    const [Bucket, key] = [await givenBucket(s3), await givenKey()]
    const names = Array.from({ length: 12 }, (_, at) => `object-${at}`)
    const put = (Key: string, Body: string) =>
      s3.send(
        new PutObjectCommand({
          Bucket,
          Key,
          Body,
          ServerSideEncryption: 'aws:kms',
          SSEKMSKeyId: key,
        }),
      )
    for (const name of names) await put(name, `old ${name}`)
    await rotate(key)
    expect(await call('RekeyObjects', { Bucket, MaxItems: 5 })).toMatchObject({ Rewrapped: 5 })
    const [, ...writes] = await Promise.all([
      all('RekeyObjects', { Bucket }),
      ...names.slice(0, 6).map((name) => put(name, `new ${name}`)),
    ])
    expect(writes).toHaveLength(6)
    const again = await all('RekeyObjects', { Bucket })
    expect(again).toMatchObject({ Failed: 0, Changed: 0 })
    expect(await all('VerifyRekey', { Bucket })).toMatchObject({ Current: 12, Complete: true })
    for (const [at, name] of names.entries()) {
      expect(String(await read(Bucket, name))).toBe(`${at < 6 ? 'new' : 'old'} ${name}`)
    }
  })

  test.each([
    [{}, 'ValidationException'],
    [{ Bucket: 'abc', KeyId: 'alias/a' }, 'NotFoundException'],
    [{ Bucket: 'no-such-bucket-here' }, 'NoSuchEntityException'],
    [{ KeyId: 'alias/no-such-key' }, 'NotFoundException'],
    [{ Bucket: 'no-such-bucket-here', Marker: 'AAAA' }, 'NoSuchEntityException'],
  ])('refuses %j', async (input, code) => {
    expect(await call('RekeyObjects', input)).toMatchObject({ __type: code })
    expect(await call('VerifyRekey', input)).toMatchObject({ __type: code })
  })

  test('refuses two scopes, and a target that encrypts nothing', async () => {
    const [Bucket, key] = [await givenBucket(s3), await givenKey()]
    const both = { Bucket, KeyId: key }
    expect(await call('RekeyObjects', both)).toMatchObject({ __type: 'ValidationException' })
    const signing = new CreateKeyCommand({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
    const { KeyMetadata } = await kmsClient(stack.admin).send(signing)
    const toSigning = { Bucket, TargetKeyId: KeyMetadata?.Arn }
    expect(await call('RekeyObjects', toSigning)).toMatchObject({
      __type: 'InvalidKeyUsageException',
    })
    await disable(key)
    expect(await call('RekeyObjects', { Bucket, TargetKeyId: key })).toMatchObject({
      __type: 'DisabledException',
    })
    const { Marker } = await call('RekeyObjects', { Bucket, MaxItems: 1 })
    expect(Marker).toBeUndefined()
  })
})

const blobDirectory = (): string => (process.env.KEYHOLD_BLOBS ?? '').replace(/^file:/, '')
