import { createSecretKey, randomBytes } from 'node:crypto'
import { expect, test } from 'vitest'
import {
  newObjectKey,
  type ObjectIdentity,
  unwrapObjectKey,
  wrapObjectKey,
} from '../../../shared/blobs/object-key.ts'
import { encodeFields } from '../../../shared/crypto/encoding.ts'
import { seal } from '../../../shared/crypto/sealed-box.ts'
import { type AccountId, bucketNameOf } from '../../../shared/ids.ts'

const wrappingKey = createSecretKey(randomBytes(32))
const object = {
  account: '111122223333' as AccountId,
  bucket: bucketNameOf('ledger'),
  key: '2026/übersicht.csv',
  versionId: 'v1',
}
const sseS3: ObjectIdentity = { ...object, encryption: { mode: 'SSE-S3', tenantKeyVersion: 1 } }
const kms = {
  mode: 'SSE-KMS' as const,
  keyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1',
  encryptionContext: { team: 'payments', 'aws:s3:arn': 'arn:aws:s3:::ledger' },
  bucketKey: false,
}
const dsse = {
  mode: 'DSSE-KMS' as const,
  keyArn: kms.keyArn,
  encryptionContext: kms.encryptionContext,
  tenantKeyVersion: 1,
}
const customer = {
  mode: 'SSE-C' as const,
  customerKeySalt: Buffer.alloc(32, 1),
  customerKeyCommitment: Buffer.alloc(32, 2),
}
const sseKms: ObjectIdentity = { ...object, encryption: kms }
const dsseKms: ObjectIdentity = { ...object, encryption: dsse }
const sseC: ObjectIdentity = { ...object, encryption: customer }
const modes = [sseS3, sseKms, dsseKms, sseC]

test('object keys are 32 bytes and never the same', () => {
  expect(newObjectKey()).toHaveLength(32)
  expect(newObjectKey()).not.toEqual(newObjectKey())
})

test.each([
  ['SSE-S3', sseS3],
  ['SSE-KMS', sseKms],
  ['DSSE-KMS', dsseKms],
  ['SSE-C', sseC],
])('what %s wraps unwraps for the same object', (_, identity) => {
  const objectKey = newObjectKey()
  const wrapped = wrapObjectKey(wrappingKey, objectKey, identity)
  expect(wrapped.includes(objectKey)).toBe(false)
  expect(unwrapObjectKey(wrappingKey, wrapped, identity)).toEqual(objectKey)
})

test('the order of the encryption context does not matter', () => {
  const { team, ...rest } = kms.encryptionContext
  const other = { ...sseKms, encryption: { ...kms, encryptionContext: { ...rest, team } } }
  const wrapped = wrapObjectKey(wrappingKey, newObjectKey(), sseKms)
  expect(unwrapObjectKey(wrappingKey, wrapped, other)).not.toBeNull()
})

const moved: [string, ObjectIdentity, ObjectIdentity][] = modes.flatMap((from) => [
  ['account', from, { ...from, account: '111122223334' as AccountId }],
  ['bucket', from, { ...from, bucket: bucketNameOf('ledgers') }],
  ['name', from, { ...from, key: `${from.key}x` }],
  ['version', from, { ...from, versionId: 'v2' }],
  ...modes
    .filter((other) => other !== from)
    .map((other): [string, ObjectIdentity, ObjectIdentity] => ['mode', from, other]),
])
const withKms = (change: Partial<typeof kms>): ObjectIdentity => ({
  ...object,
  encryption: { ...kms, ...change },
})

test.each<[string, ObjectIdentity, ObjectIdentity]>([
  ...moved,
  ['tenant key', sseS3, { ...object, encryption: { mode: 'SSE-S3', tenantKeyVersion: 2 } }],
  ['kind of data key', sseKms, withKms({ bucketKey: true })],
  ['tenant key of its layer', dsseKms, { ...object, encryption: { ...dsse, tenantKeyVersion: 2 } }],
  ['salt', sseC, { ...object, encryption: { ...customer, customerKeySalt: Buffer.alloc(32, 3) } }],
  ['key', sseKms, withKms({ keyArn: `${kms.keyArn}2` })],
  ['context', sseKms, withKms({ encryptionContext: { team: 'x', 'aws:s3:arn': 'y' } })],
])('a wrapped object key does not open for another %s', (_, from, to) => {
  const wrapped = wrapObjectKey(wrappingKey, newObjectKey(), from)
  expect(unwrapObjectKey(wrappingKey, wrapped, from)).not.toBeNull()
  expect(unwrapObjectKey(wrappingKey, wrapped, to)).toBeNull()
})

test('another wrapping key or any flipped bit is refused', () => {
  const wrapped = wrapObjectKey(wrappingKey, newObjectKey(), sseS3)
  expect(unwrapObjectKey(createSecretKey(randomBytes(32)), wrapped, sseS3)).toBeNull()
  for (const index of wrapped.keys()) {
    const spoiled = wrapped.map((byte, i) => (i === index ? byte ^ 1 : byte))
    expect(unwrapObjectKey(wrappingKey, spoiled, sseS3)).toBeNull()
  }
  expect(unwrapObjectKey(wrappingKey, wrapped.subarray(1), sseS3)).toBeNull()
})

test('a sealed box of another length is no object key', () => {
  const { account, bucket, key, versionId } = object
  const aad = encodeFields(1, 'SSE-S3', account, bucket, key, versionId, 1)
  const box = (length: number) =>
    seal(wrappingKey, 'keyhold object key v1', randomBytes(length), aad)
  expect(unwrapObjectKey(wrappingKey, box(32), sseS3)).toHaveLength(32)
  expect(unwrapObjectKey(wrappingKey, box(16), sseS3)).toBeNull()
})
