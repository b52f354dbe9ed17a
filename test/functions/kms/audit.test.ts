/** Every call leaves one record, and no record tells a secret. */
import { randomBytes, randomUUID } from 'node:crypto'
import { afterAll, describe, expect, test } from 'vitest'
import type { AuditRecord } from '../../../shared/audit/record.ts'
import { givenAlias, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { callKms, send } from '../../support/raw-call.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin, services } = stack
const kms = kmsClient(admin)
const key = await givenKey(kms)

/** The text of every record that the account has in the Region. */
async function ledgerText(): Promise<string> {
  const { account, region } = { ...admin, region: services.regions[0] as never }
  const texts: string[] = []
  for (const day of await services.store.ledger.days(account, region)) {
    for (let after: string | null = null; ; ) {
      const options = { newestFirst: false, limit: 100, after }
      const page = await services.store.ledger.blocks(account, region, day, options)
      texts.push(...page.items.map(({ records }) => Buffer.from(records).toString()))
      if (page.next === null) break
      after = page.next
    }
  }
  return texts.join('\n')
}

const records = async (): Promise<readonly AuditRecord[]> =>
  (await ledgerText()).split('\n').map((line) => JSON.parse(line))

/** Calls, and gives the answer with the one record that the call has left. */
async function recorded(operation: string, input: unknown) {
  const { status, headers, body } = await callKms(admin, operation, input)
  const found = (await records()).filter(
    ({ requestID }) => requestID === headers['x-amzn-requestid'],
  )
  expect(found).toHaveLength(1)
  return {
    status,
    record: found[0] as AuditRecord,
    answer: body === '' ? null : (JSON.parse(body) as Record<string, string>),
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const Plaintext = base64(randomBytes(24))
const EncryptionContext = { team: 'payments' }
const keyResource = {
  accountId: admin.account,
  type: 'AWS::KMS::Key',
  ARN: key.arn,
}
const { answer: sealed } = await recorded('Encrypt', {
  KeyId: key.keyId,
  Plaintext,
  EncryptionContext,
})
const CiphertextBlob = sealed?.CiphertextBlob
const encryptionAlgorithm = 'SYMMETRIC_DEFAULT'

test('A record tells who called what, when, where, and from where', async () => {
  const before = Date.now()
  const { record } = await recorded('DescribeKey', { KeyId: key.keyId })
  expect(record).toEqual({
    eventVersion: '1.11',
    userIdentity: {
      type: 'IAMUser',
      principalId: expect.stringMatching(/^AIDA[A-Z2-7]{16}$/),
      arn: admin.arn,
      accountId: admin.account,
      accessKeyId: admin.credentials.accessKeyId,
      userName: 'admin',
    },
    eventTime: expect.stringMatching(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/),
    eventSource: 'kms.amazonaws.com',
    eventName: 'DescribeKey',
    awsRegion: 'us-east-1',
    sourceIPAddress: '127.0.0.1',
    userAgent: '',
    requestParameters: { keyId: key.keyId },
    responseElements: null,
    requestID: expect.any(String),
    eventID: expect.any(String),
    readOnly: true,
    resources: [keyResource],
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId: admin.account,
    eventCategory: 'Management',
  })
  expect(Math.abs(Date.parse(record.eventTime) - before)).toBeLessThan(5000)
})

describe('What a record shows of a request is what is listed, and no more:', () => {
  const alias = newAliasName()
  const policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: admin.account }, Action: 'kms:*', Resource: '*' },
    ],
  })
  const keyId = key.keyId
  const cases: readonly [string, object, Record<string, unknown> | null, boolean][] = [
    ['DescribeKey', { KeyId: keyId }, { keyId }, true],
    [
      'Encrypt',
      { KeyId: key.arn, Plaintext, EncryptionContext },
      { keyId: key.arn, encryptionContext: EncryptionContext, encryptionAlgorithm },
      true,
    ],
    [
      'Decrypt',
      { CiphertextBlob, EncryptionContext },
      { keyId: key.arn, encryptionContext: EncryptionContext, encryptionAlgorithm },
      true,
    ],
    [
      'GenerateDataKey',
      { KeyId: keyId, KeySpec: 'AES_256', EncryptionContext },
      { keyId, keySpec: 'AES_256', encryptionContext: EncryptionContext },
      true,
    ],
    [
      'GenerateDataKeyWithoutPlaintext',
      { KeyId: keyId, NumberOfBytes: 16 },
      { keyId, numberOfBytes: 16 },
      true,
    ],
    ['GenerateRandom', { NumberOfBytes: 24 }, { numberOfBytes: 24 }, true],
    [
      'ReEncrypt',
      { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: keyId },
      {
        sourceEncryptionContext: EncryptionContext,
        sourceKeyId: key.arn,
        sourceEncryptionAlgorithm: encryptionAlgorithm,
        destinationKeyId: keyId,
        destinationEncryptionAlgorithm: encryptionAlgorithm,
      },
      true,
    ],
    ['ListKeys', { Limit: 3 }, { limit: 3 }, true],
    ['ListAliases', { KeyId: keyId }, { keyId }, true],
    [
      'GetKeyPolicy',
      { KeyId: keyId, PolicyName: 'default' },
      { keyId, policyName: 'default' },
      true,
    ],
    ['ListKeyPolicies', { KeyId: keyId }, { keyId }, true],
    ['GetKeyRotationStatus', { KeyId: keyId }, { keyId }, true],
    ['ListResourceTags', { KeyId: keyId, Limit: 5 }, { keyId, limit: 5 }, true],
    [
      'PutKeyPolicy',
      { KeyId: keyId, Policy: policy },
      { keyId, policy, bypassPolicyLockoutSafetyCheck: false },
      false,
    ],
    [
      'TagResource',
      { KeyId: keyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      { keyId, tags: [{ tagKey: 'a', tagValue: 'b' }] },
      false,
    ],
    ['UntagResource', { KeyId: keyId, TagKeys: ['a'] }, { keyId, tagKeys: ['a'] }, false],
    [
      'CreateAlias',
      { AliasName: alias, TargetKeyId: keyId },
      { aliasName: alias, targetKeyId: keyId },
      false,
    ],
    [
      'UpdateAlias',
      { AliasName: alias, TargetKeyId: key.arn },
      { aliasName: alias, targetKeyId: key.arn },
      false,
    ],
    ['DeleteAlias', { AliasName: alias }, { aliasName: alias }, false],
    ['DisableKey', { KeyId: keyId }, { keyId }, false],
    ['EnableKey', { KeyId: keyId }, { keyId }, false],
    [
      'ScheduleKeyDeletion',
      { KeyId: keyId, PendingWindowInDays: 7 },
      { keyId, pendingWindowInDays: 7 },
      false,
    ],
    ['CancelKeyDeletion', { KeyId: keyId }, { keyId }, false],
    ['EnableKey', { KeyId: keyId }, { keyId }, false],
    ['CreateKey', { Description: 'text' }, { description: 'text' }, false],
  ]

  test.each(cases)('%s', async (operation, input, parameters, readOnly) => {
    const { status, record } = await recorded(operation, {
      ...input,
      Unknown: 'a member that nobody knows',
    })
    expect(status).toBe(200)
    expect(record).toMatchObject({ eventName: operation, readOnly })
    expect(record.requestParameters).toEqual(parameters)
    expect(record).not.toHaveProperty('errorCode')
    expect(JSON.stringify(record)).not.toContain('nobody knows')
  })
})

describe('A record shows', () => {
  test('of an answer what is no secret: material ids, and what a change has made', async () => {
    const { record: dataKey } = await recorded('GenerateDataKey', {
      KeyId: key.keyId,
      KeySpec: 'AES_256',
    })
    expect(dataKey.responseElements).toBeNull()
    expect(dataKey.additionalEventData).toEqual({ keyMaterialId: key.materialId })
    const { record, answer } = await recorded('CreateKey', {})
    const { KeyMetadata } = answer as unknown as { KeyMetadata: Record<string, unknown> }
    expect(record.responseElements).toMatchObject({
      keyMetadata: { keyId: KeyMetadata.KeyId, arn: KeyMetadata.Arn, keyState: 'Enabled' },
    })
  })

  test('both keys of ReEncrypt', async () => {
    const other = await givenKey(kms)
    const { record } = await recorded('ReEncrypt', {
      CiphertextBlob,
      SourceEncryptionContext: EncryptionContext,
      DestinationKeyId: other.keyId,
    })
    expect(record.resources).toEqual([keyResource, { ...keyResource, ARN: other.arn }])
  })

  test('the key by its ARN, and by the name in the request', async () => {
    const alias = await givenAlias(kms, key.keyId)
    const { record } = await recorded('Encrypt', { KeyId: alias, Plaintext })
    expect(record.requestParameters).toMatchObject({ keyId: alias })
    expect(record.resources).toEqual([keyResource])
  })

  test('the name of a client as it calls itself', async () => {
    await givenKey(kms, { Description: 'by a client' })
    const found = (await records()).find(
      ({ requestParameters }) => requestParameters?.description === 'by a client',
    )
    expect(found?.userAgent).toMatch(/^aws-sdk-js\/3/)
  })
})

describe('A refusal leaves its record too, with its name and its words:', () => {
  test('one of the key', async () => {
    const { keyId, arn } = await givenKey(kms)
    await callKms(admin, 'DisableKey', { KeyId: keyId })
    const { status, record } = await recorded('Encrypt', { KeyId: keyId, Plaintext })
    expect(status).toBe(400)
    expect(record).toMatchObject({
      errorCode: 'DisabledException',
      errorMessage: `${arn} is disabled.`,
      requestParameters: { keyId },
      responseElements: null,
      resources: [{ ARN: arn }],
    })
  })

  test('one without words', async () => {
    const { record } = await recorded('Decrypt', { CiphertextBlob })
    expect(record.errorCode).toBe('InvalidCiphertextException')
    expect(record).not.toHaveProperty('errorMessage')
    expect(record).not.toHaveProperty('additionalEventData')
  })

  test('one that the policies give, which CloudTrail calls by another name', async () => {
    const user = await stack.user(admin.account, `user-${randomUUID()}`)
    const answer = await callKms(user, 'DescribeKey', { KeyId: key.keyId })
    const found = (await records()).find(
      ({ requestID }) => requestID === answer.headers['x-amzn-requestid'],
    )
    expect(found).toMatchObject({
      errorCode: 'AccessDenied',
      userIdentity: { arn: user.arn },
      resources: [keyResource],
    })
  })

  test('one of a key of another account, in the record of the caller alone', async () => {
    const stranger = await stack.tenant('999900001111')
    const { headers } = await callKms(stranger, 'DescribeKey', { KeyId: key.arn })
    const own = (await records()).filter(
      ({ requestID }) => requestID === headers['x-amzn-requestid'],
    )
    expect(own).toEqual([])
  })

  test('a dry run', async () => {
    const { record } = await recorded('Encrypt', { KeyId: key.keyId, Plaintext, DryRun: true })
    expect(record.errorCode).toBe('DryRunOperationException')
  })

  test('a broken constraint, and a body that is no JSON', async () => {
    const { record } = await recorded('ListKeys', { Limit: 0 })
    expect(record).toMatchObject({ errorCode: 'ValidationException', requestParameters: null })
    const { record: other } = await recorded('ListKeys', '{')
    expect(other).toMatchObject({ errorCode: 'SerializationException', requestParameters: null })
  })

  test('but not one of a caller who is not known', async () => {
    const before = await records()
    await send(admin.endpoint, { headers: { 'x-amz-target': 'TrentService.ListKeys' }, body: '{}' })
    expect(await records()).toHaveLength(before.length)
  })
})

test('No record holds a plaintext, a ciphertext, a data key or random bytes', async () => {
  const canary = `canary ${randomUUID()}`
  const secrets: string[] = []
  const keep = (answer: Record<string, string> | null, ...names: string[]) => {
    for (const name of names) secrets.push(answer?.[name] ?? '')
  }
  const input = { KeyId: key.keyId, EncryptionContext }
  const encrypted = await recorded('Encrypt', { ...input, Plaintext: base64(Buffer.from(canary)) })
  keep(encrypted.answer, 'CiphertextBlob')
  const blob = encrypted.answer?.CiphertextBlob
  const decrypted = await recorded('Decrypt', { EncryptionContext, CiphertextBlob: blob })
  keep(decrypted.answer, 'Plaintext')
  const dataKey = await recorded('GenerateDataKey', { ...input, KeySpec: 'AES_256' })
  keep(dataKey.answer, 'Plaintext', 'CiphertextBlob')
  const blobOnly = await recorded('GenerateDataKeyWithoutPlaintext', {
    ...input,
    KeySpec: 'AES_128',
  })
  keep(blobOnly.answer, 'CiphertextBlob')
  keep((await recorded('GenerateRandom', { NumberOfBytes: 32 })).answer, 'Plaintext')
  const moved = { CiphertextBlob: blob, SourceEncryptionContext: EncryptionContext }
  keep(
    (await recorded('ReEncrypt', { ...moved, DestinationKeyId: key.keyId })).answer,
    'CiphertextBlob',
  )
  // Refusals that have the secret in hand.
  await recorded('Encrypt', { ...input, Plaintext: base64(Buffer.from(canary)), DryRun: true })
  await recorded('Encrypt', { ...input, Plaintext: canary })
  await recorded('Encrypt', { ...input, Plaintext: base64(Buffer.from(canary.repeat(200))) })
  await recorded('Encrypt', { ...input, Plaintext: 'eA==', GrantTokens: [canary] })
  await recorded('Encrypt', { ...input, Plaintext: 'eA==', GrantTokens: [canary.repeat(300)] })
  await recorded('Decrypt', { CiphertextBlob: base64(Buffer.from(canary)) })

  expect(secrets).not.toContain('')
  const text = await ledgerText()
  expect(text).not.toContain(canary)
  expect(text).not.toContain(base64(Buffer.from(canary)))
  for (const secret of secrets) {
    const raw = Buffer.from(secret, 'base64')
    expect(text).not.toContain(secret)
    expect(text).not.toContain(raw.toString('hex'))
    expect(text).not.toContain(base64(raw.subarray(0, 12)))
  }
})
