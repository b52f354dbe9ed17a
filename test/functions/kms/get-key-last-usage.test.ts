import {
  DecryptCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetKeyLastUsageCommand,
  ReEncryptCommand,
  ReplicateKeyCommand,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import type { DynamoDBStreamEvent } from 'aws-lambda'
import { afterAll, expect, test } from 'vitest'
import { handler as relay } from '../../../functions/audit/relay.ts'
import { ledgerBlockToImage } from '../../../shared/store/ledger-image.ts'
import type { LedgerBlockRecord } from '../../../shared/store/records.ts'
import { bytes, givenDisabledKey, givenKey } from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'
import { encrypted, givenTimedStack, MINUTE } from '../../support/timed-stack.ts'

const stack = await givenTimedStack()
afterAll(() => stack.close())
const { kms, europe } = stack

async function usageOf(KeyId: string, client = kms) {
  const { $metadata, ...answer } = await client.send(new GetKeyLastUsageCommand({ KeyId }))
  return answer
}

/** Brings all that is in the ledger to the relay, as its stream does. */
async function bring(blocks?: readonly LedgerBlockRecord[]): Promise<void> {
  const all = blocks ?? [...(await stack.blocks()), ...(await stack.blocks('eu-west-1'))]
  const Records = all.map((block, index) => ({
    eventName: 'INSERT' as const,
    dynamodb: { NewImage: ledgerBlockToImage(block), SequenceNumber: String(index) },
  }))
  const { batchItemFailures } = await relay({ Records } as DynamoDBStreamEvent)
  expect(batchItemFailures).toEqual([])
}

test('A key that was never used says so, since its creation', async () => {
  const { keyId } = await givenKey(kms)
  await bring()
  const answer = await usageOf(keyId)
  expect(answer).toEqual({
    KeyId: keyId,
    KeyLastUsage: {},
    TrackingStartDate: answer.KeyCreationDate,
    KeyCreationDate: expect.any(Date),
  })
})

test('The last use of a key shows operation, time, event and request', async () => {
  const { keyId, arn } = await givenKey(kms)
  await encrypted(kms, keyId)
  const { $metadata } = await kms.send(
    new EncryptCommand({ KeyId: arn, Plaintext: bytes('again') }),
  )
  await bring()
  const record = (await stack.records()).find(({ requestID }) => requestID === $metadata.requestId)
  const { KeyLastUsage } = await usageOf(arn)
  expect(KeyLastUsage).toEqual({
    Operation: 'Encrypt',
    Timestamp: expect.any(Date),
    CloudTrailEventId: record?.eventID,
    KmsRequestId: $metadata.requestId,
  })
  const late = Number(KeyLastUsage?.Timestamp) - Date.parse(record?.eventTime ?? '')
  expect(late).toBeGreaterThanOrEqual(0)
  expect(late).toBeLessThan(5000)
})

test('ReEncrypt counts for both keys', async () => {
  const [from, to] = [await givenKey(kms), await givenKey(kms)]
  const CiphertextBlob = await encrypted(kms, from.keyId)
  await kms.send(new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: to.keyId }))
  await bring()
  for (const { keyId } of [from, to]) {
    expect((await usageOf(keyId)).KeyLastUsage?.Operation).toBe('ReEncrypt')
  }
})

test('Dry runs and refused calls do not count', async () => {
  const key = await givenKey(kms)
  const CiphertextBlob = await encrypted(kms, key.keyId)
  await refusalOf(
    kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x'), DryRun: true })),
  )
  const EncryptionContext = { wrong: 'context' }
  await refusalOf(kms.send(new DecryptCommand({ CiphertextBlob, EncryptionContext })))
  const disabled = await givenDisabledKey(kms)
  await refusalOf(encrypted(kms, disabled.keyId))
  await bring()
  expect((await usageOf(key.keyId)).KeyLastUsage?.Operation).toBe('Encrypt')
  expect((await usageOf(disabled.keyId)).KeyLastUsage).toEqual({})
})

test('Other kinds of keys have a last use too', async () => {
  const { keyId } = await givenKey(kms, { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const MacAlgorithm = 'HMAC_SHA_256'
  await kms.send(new GenerateMacCommand({ KeyId: keyId, Message: bytes('m'), MacAlgorithm }))
  await bring()
  expect((await usageOf(keyId)).KeyLastUsage?.Operation).toBe('GenerateMac')
})

test('Blocks that come again, or late, take nothing back', async () => {
  const { keyId } = await givenKey(kms)
  const CiphertextBlob = await encrypted(kms, keyId)
  const before = await stack.blocks()
  await kms.send(new DecryptCommand({ CiphertextBlob }))
  await bring()
  await bring(before)
  expect((await usageOf(keyId)).KeyLastUsage?.Operation).toBe('Decrypt')
})

test('Each key of a set has its own last use', async () => {
  const { keyId } = await givenKey(kms, { MultiRegion: true })
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await stack.advance(MINUTE)
  await encrypted(europe, keyId)
  await bring()
  expect((await usageOf(keyId)).KeyLastUsage).toEqual({})
  expect((await usageOf(keyId, europe)).KeyLastUsage?.Operation).toBe('Encrypt')
})

test('What S3 does with a key counts', async () => {
  const { keyId } = await givenKey(kms)
  const { endpoint, region, credentials } = stack.admin
  const s3 = new S3Client({ endpoint, region, credentials, forcePathStyle: true })
  await s3.send(new CreateBucketCommand({ Bucket: 'used' }))
  await s3.send(
    new PutObjectCommand({
      Bucket: 'used',
      Key: 'object',
      Body: 'hello',
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: keyId,
    }),
  )
  await bring()
  expect((await usageOf(keyId)).KeyLastUsage?.Operation).toMatch(/^GenerateDataKey/)
})

test('A use that cannot be kept holds the audit trail back in nothing', async () => {
  const { keyId } = await givenKey(kms)
  await encrypted(kms, keyId)
  const endpoint = process.env.KEYHOLD_DYNAMODB_ENDPOINT
  process.env.KEYHOLD_DYNAMODB_ENDPOINT = 'http://127.0.0.1:9'
  try {
    await bring()
  } finally {
    process.env.KEYHOLD_DYNAMODB_ENDPOINT = endpoint
  }
  expect((await usageOf(keyId)).KeyLastUsage).toEqual({})
})
