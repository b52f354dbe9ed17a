/** The managed key of an account, as the KMS API makes it and shows it. */
import {
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  GetKeyRotationStatusCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ScheduleKeyDeletionCommand,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { afterAll, expect, test } from 'vitest'
import { givenInProcessStack } from '../../support/in-process-stack.ts'
import { refusalOf } from '../../support/refusal.ts'
import { clientsOf, type GivenStack } from '../../support/stack-client.ts'

const stack = await givenInProcessStack()
afterAll(() => stack.close())

const ALIAS = 'alias/aws/s3'
const allow = (Action: string, Resource = '*') => ({ Effect: 'Allow', Action, Resource })
const describeKey = async (who: GivenStack, KeyId = ALIAS) =>
  (await who.kms().send(new DescribeKeyCommand({ KeyId }))).KeyMetadata
const keysOf = async (who: GivenStack) =>
  (await who.kms().send(new ListKeysCommand({}))).Keys?.map(({ KeyId }) => KeyId)

test('Whoever may not describe it makes none, and does not learn that there is none', async () => {
  const owner = await stack.tenant('222233334444')
  const aliasArn = `arn:aws:kms:us-east-1:222233334444:${ALIAS}`
  const mayNot = await stack.user([allow('kms:List*'), allow('kms:DescribeKey', 'arn:aws:s3:::x')])
  expect((await refusalOf(describeKey(mayNot))).name).toBe('AccessDeniedException')
  expect((await refusalOf(describeKey(mayNot, aliasArn))).name).toBe('AccessDeniedException')
  expect((await refusalOf(describeKey(stack.stack, aliasArn))).name).toBe('AccessDeniedException')
  expect(await keysOf(mayNot)).toEqual([])
  expect(await keysOf(owner)).toEqual([])
})

test('DescribeKey of alias/aws/s3 makes it once for all, and S3 takes it', async () => {
  const admin = stack.stack
  const described = await Promise.all(Array.from({ length: 4 }, () => describeKey(admin)))
  const [first] = described
  expect(first).toMatchObject({ KeyManager: 'AWS', KeyState: 'Enabled', Origin: 'AWS_KMS' })
  expect(new Set(described.map((key) => key?.Arn)).size).toBe(1)
  expect(await keysOf(admin)).toEqual([first?.KeyId])
  const { Aliases } = await admin.kms().send(new ListAliasesCommand({}))
  expect(Aliases).toMatchObject([{ AliasName: ALIAS, TargetKeyId: first?.KeyId }])
  const s3 = admin.s3()
  await s3.send(new CreateBucketCommand({ Bucket: 'managed' }))
  const put = { Bucket: 'managed', Key: 'a', Body: 'x', ServerSideEncryption: 'aws:kms' } as const
  expect((await s3.send(new PutObjectCommand(put))).SSEKMSKeyId).toBe(first?.Arn)
})

test('It is found by its ARN in another Region of its own', async () => {
  const { accessKeyId, secretAccessKey } = await stack.stack.credentials
  const { endpoint, account, dataDir } = stack.stack
  const options = { endpoint, account, dataDir, accessKeyId, secretAccessKey }
  const abroad = clientsOf(options, 'eu-west-1')
  const key = await describeKey(abroad, `arn:aws:kms:eu-west-1:${account}:${ALIAS}`)
  expect(key?.Arn).toContain('arn:aws:kms:eu-west-1:')
  expect(key?.Arn).not.toBe((await describeKey(stack.stack))?.Arn)
})

test('It rotates every year, which nobody can change, and cannot be deleted', async () => {
  const key = await describeKey(stack.stack)
  const KeyId = key?.KeyId
  const kms = stack.stack.kms()
  const status = await kms.send(new GetKeyRotationStatusCommand({ KeyId }))
  expect(status).toMatchObject({ KeyRotationEnabled: true, RotationPeriodInDays: 365 })
  const wait = (status.NextRotationDate?.getTime() ?? 0) - (key?.CreationDate?.getTime() ?? 0)
  expect(Math.round(wait / 86_400_000)).toBe(365)
  const refusals = await Promise.all([
    refusalOf(kms.send(new DisableKeyRotationCommand({ KeyId }))),
    refusalOf(kms.send(new ScheduleKeyDeletionCommand({ KeyId }))),
  ])
  for (const { name, message } of refusals) {
    expect(name).toBe('AccessDeniedException')
    expect(message).toContain('no resource-based policy allows')
  }
})

test('An AWS alias of another service leads to no key', async () => {
  expect(await refusalOf(describeKey(stack.stack, 'alias/aws/ebs'))).toMatchObject({
    name: 'NotFoundException',
  })
})
