/** Condition keys that say what a request asks for, or who makes it, and that no other test shows. */
import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { allow } from '../../support/grants.ts'
import { givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
let users = 0
const userWith = async (Condition: object): Promise<KMSClient> =>
  kmsClient(await stack.user(admin.account, `k${++users}`, allow('kms:*', { Condition })))

/** Does the call, for a key of its own where it needs one. */
type Ask = (client: KMSClient, keyId: string) => Promise<unknown>

const describes: Ask = (client, KeyId) => client.send(new DescribeKeyCommand({ KeyId }))
const encrypts: Ask = (client, KeyId) =>
  client.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }))
const generates: Ask = (client, KeyId) =>
  client.send(new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }))
const creates =
  (input: CreateKeyCommandInput): Ask =>
  (client) =>
    client.send(new CreateKeyCommand(input))
const schedules =
  (window: { PendingWindowInDays?: number } = {}): Ask =>
  (client, KeyId) =>
    client.send(new ScheduleKeyDeletionCommand({ KeyId, ...window }))
const putsPolicy =
  (bypass: { BypassPolicyLockoutSafetyCheck?: boolean } = {}): Ask =>
  async (client, KeyId) => {
    const { Policy } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
    await client.send(new PutKeyPolicyCommand({ KeyId, Policy, ...bypass }))
  }

describe('an identity policy can ask for', () => {
  test.each<[key: string, operator: string, right: string, wrong: string, Ask]>([
    ['kms:CallerAccount', 'StringEquals', admin.account, '444455556666', describes],
    ['kms:KeySpec', 'StringEquals', 'SYMMETRIC_DEFAULT', 'RSA_2048', describes],
    ['kms:CustomerMasterKeySpec', 'StringEquals', 'SYMMETRIC_DEFAULT', 'RSA_2048', describes],
    ['kms:KeyUsage', 'StringEquals', 'ENCRYPT_DECRYPT', 'SIGN_VERIFY', encrypts],
    ['kms:CustomerMasterKeyUsage', 'StringEquals', 'ENCRYPT_DECRYPT', 'SIGN_VERIFY', encrypts],
    ['kms:KeyOrigin', 'StringEquals', 'AWS_KMS', 'EXTERNAL', describes],
    ['kms:MultiRegion', 'Bool', 'false', 'true', describes],
    [
      'kms:EncryptionAlgorithm',
      'StringEquals',
      'SYMMETRIC_DEFAULT',
      'RSAES_OAEP_SHA_256',
      encrypts,
    ],
    ['kms:EncryptionAlgorithm', 'StringEquals', 'SYMMETRIC_DEFAULT', 'SM2PKE', generates],
    ['kms:EncryptionContextKeys', 'Null', 'true', 'false', encrypts],
    ['kms:KeySpec', 'StringEquals', 'SYMMETRIC_DEFAULT', 'RSA_2048', creates({})],
    [
      'kms:KeyUsage',
      'StringEquals',
      'SIGN_VERIFY',
      'ENCRYPT_DECRYPT',
      creates({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }),
    ],
    ['kms:KeyOrigin', 'StringEquals', 'EXTERNAL', 'AWS_KMS', creates({ Origin: 'EXTERNAL' })],
    ['kms:MultiRegion', 'Bool', 'true', 'false', creates({ MultiRegion: true })],
    ['kms:BypassPolicyLockoutSafetyCheck', 'Bool', 'false', 'true', creates({})],
    [
      'kms:BypassPolicyLockoutSafetyCheck',
      'Bool',
      'true',
      'false',
      creates({ BypassPolicyLockoutSafetyCheck: true }),
    ],
    ['kms:BypassPolicyLockoutSafetyCheck', 'Bool', 'false', 'true', putsPolicy()],
    [
      'kms:BypassPolicyLockoutSafetyCheck',
      'Bool',
      'true',
      'false',
      putsPolicy({ BypassPolicyLockoutSafetyCheck: true }),
    ],
    ['kms:ScheduleKeyDeletionPendingWindowInDays', 'NumericEquals', '30', '7', schedules()],
    [
      'kms:ScheduleKeyDeletionPendingWindowInDays',
      'NumericEquals',
      '7',
      '30',
      schedules({ PendingWindowInDays: 7 }),
    ],
    ['aws:ResourceAccount', 'StringEquals', admin.account, '444455556666', describes],
    ['aws:PrincipalAccount', 'StringEquals', admin.account, '444455556666', describes],
    ['aws:PrincipalType', 'StringEquals', 'User', 'AssumedRole', describes],
    ['aws:PrincipalIsAWSService', 'Bool', 'false', 'true', describes],
    ['aws:PrincipalArn', 'ArnLike', 'arn:aws:iam::*:user/*', 'arn:aws:iam::*:role/*', describes],
    ['aws:RequestedRegion', 'StringEquals', 'us-east-1', 'eu-west-1', describes],
    ['aws:SourceIp', 'IpAddress', '127.0.0.0/8', '10.0.0.0/8', describes],
    ['aws:SecureTransport', 'Null', 'false', 'true', describes],
    ['aws:UserAgent', 'StringLike', 'aws-sdk-js/*', 'Boto3/*', describes],
    ['aws:ViaAWSService', 'Bool', 'false', 'true', describes],
    ['aws:CalledVia', 'Null', 'true', 'false', describes],
    [
      'aws:CurrentTime',
      'DateGreaterThan',
      '2020-01-01T00:00:00Z',
      '2120-01-01T00:00:00Z',
      describes,
    ],
    ['aws:EpochTime', 'NumericGreaterThan', '1577836800', '4733510400', describes],
    ['aws:MultiFactorAuthPresent', 'Null', 'true', 'false', describes],
    ['aws:TokenIssueTime', 'Null', 'true', 'false', describes],
  ])('%s %s %s', async (key, operator, right, wrong, ask) => {
    const { keyId } = await givenKey(kms)
    const refused = await refusalOf(ask(await userWith({ [operator]: { [key]: wrong } }), keyId))
    expect(refused.name).toBe('AccessDeniedException')
    await ask(await userWith({ [operator]: { [key]: right } }), keyId)
  })

  test('aws:RequestTag, aws:TagKeys and aws:ResourceTag', async () => {
    const { keyId: KeyId } = await givenKey(kms)
    const tag = (client: KMSClient, TagValue: string) =>
      client.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: 'Team', TagValue }] }))
    const untag = (client: KMSClient, ...TagKeys: string[]) =>
      client.send(new UntagResourceCommand({ KeyId, TagKeys }))
    const blue = await userWith({ StringEquals: { 'aws:RequestTag/team': 'blue' } })
    const only = await userWith({ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['Team'] } })
    const ofBlue = await userWith({ StringEquals: { 'aws:ResourceTag/Team': 'blue' } })
    for (const attempt of [
      () => tag(blue, 'red'),
      () => untag(only, 'Team', 'Cost'),
      () => describes(ofBlue, KeyId),
    ]) {
      expect((await refusalOf(attempt())).name).toBe('AccessDeniedException')
    }
    await tag(blue, 'blue')
    await describes(ofBlue, KeyId)
    await untag(only, 'Team')
  })

  test('aws:userid and aws:username of who calls, also as variables', async () => {
    const condition = { StringLike: { 'aws:username': 'k*', 'aws:userid': 'AIDA*' } }
    await (await userWith(condition)).send(new GenerateRandomCommand({ NumberOfBytes: 8 }))
    const itself = { StringEquals: { 'aws:username': `\${aws:username}` } }
    await (await userWith(itself)).send(new GenerateRandomCommand({ NumberOfBytes: 8 }))
  })
})
