/** What temporary credentials may do at KMS and S3, and every way in which a call is refused. */
import {
  CreateKeyCommand,
  DecryptCommand,
  EncryptCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { afterAll, describe, expect, test } from 'vitest'
import { LocalClock } from '../../../infra/local/local-clock.ts'
import { kmsClient } from '../../support/kms.ts'
import { recordsOf } from '../../support/ledger-records.ts'
import { kmsHeaders, type RawRequest, send, signed } from '../../support/raw-call.ts'
import { refusalOf } from '../../support/refusal.ts'
import {
  allowing,
  assumed,
  type GivenRole,
  givenRole,
  policyOf,
  s3Of,
  trusting,
} from '../../support/sessions.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

process.env.KEYHOLD_CACHE_SECONDS = '0'
process.env.KEYHOLD_LOG_LEVEL = 'silent'
const stack = await givenTenantsStack()
afterAll(() => stack.close())
const { admin, services } = stack
const { account } = admin
const kms = kmsClient(admin)
const keyOf = async (client: KMSClient) =>
  (await client.send(new CreateKeyCommand({}))).KeyMetadata?.Arn ?? ''
const key = await keyOf(kms)
const Plaintext = Buffer.from('hello')

let count = 0
const role = (statements: readonly object[], differs = {}): Promise<GivenRole> =>
  givenRole(
    stack,
    account,
    `role-${++count}`,
    [trusting(admin.arn, ['sts:AssumeRole', 'sts:TagSession'])],
    statements,
    differs,
  )
const encrypt = (by: Parameters<typeof kmsClient>[0], KeyId = key) =>
  kmsClient(by).send(new EncryptCommand({ KeyId, Plaintext }))
const deniedBy = (arn: string, action: string, cause: string) => ({
  name: 'AccessDeniedException',
  status: 400,
  message: `User: ${arn} is not authorized to perform: ${action} on resource: ${key} because ${cause}`,
})

describe('A session of a role', () => {
  test('encrypts under what the policies of its role allow, and does no more', async () => {
    const session = await assumed(admin, (await role([allowing('kms:Encrypt', key)])).arn)
    const { CiphertextBlob } = await encrypt(session)
    const decrypt = kmsClient(session).send(new DecryptCommand({ CiphertextBlob, KeyId: key }))
    expect(await refusalOf(decrypt)).toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining(
        `User: ${session.arn} is not authorized to perform: kms:Decrypt`,
      ),
    })
    const opened = await kms.send(new DecryptCommand({ CiphertextBlob }))
    expect(Buffer.from(opened.Plaintext ?? [])).toEqual(Plaintext)
  })

  test('is narrowed by the policy that it began with', async () => {
    const { arn } = await role([allowing('kms:*')])
    const wide = await assumed(admin, arn, { Policy: policyOf(allowing('kms:Encrypt', key)) })
    expect((await encrypt(wide)).KeyId).toBe(key)
    const narrow = await assumed(admin, arn, { Policy: policyOf(allowing('kms:Decrypt', key)) })
    expect(await refusalOf(encrypt(narrow))).toEqual(
      deniedBy(narrow.arn, 'kms:Encrypt', 'no session policy allows the kms:Encrypt action'),
    )
  })

  test('gets nothing from a session policy that its role has not', async () => {
    const { arn } = await role([allowing('kms:Decrypt', key)])
    const session = await assumed(admin, arn, { Policy: policyOf(allowing('*')) })
    expect(await refusalOf(encrypt(session))).toEqual(
      deniedBy(
        session.arn,
        'kms:Encrypt',
        'no identity-based policy allows the kms:Encrypt action',
      ),
    )
  })

  test('is what its tags say', async () => {
    const statement = {
      ...allowing('kms:Encrypt'),
      Condition: { StringEquals: { 'aws:PrincipalTag/project': 'lattice' } },
    }
    const { arn } = await role([statement], { tags: [{ TagKey: 'Project', TagValue: 'other' }] })
    expect(await refusalOf(encrypt(await assumed(admin, arn)))).toMatchObject({
      name: 'AccessDeniedException',
    })
    const Tags = [{ Key: 'project', Value: 'lattice' }]
    expect((await encrypt(await assumed(admin, arn, { Tags }))).KeyId).toBe(key)
  })

  test('is over for good once sessions of its time are voided', async () => {
    const { arn, record } = await role([allowing('kms:*')])
    const session = await assumed(admin, arn)
    expect((await encrypt(session)).KeyId).toBe(key)
    const sessionsValidFrom = Date.now() + 1
    await services.store.tenants.updatePrincipal({ ...record, sessionsValidFrom, rev: 2 }, 1)
    expect(await refusalOf(encrypt(session))).toEqual({
      name: 'UnrecognizedClientException',
      status: 400,
      message: 'The security token included in the request is invalid.',
    })
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect((await encrypt(await assumed(admin, arn))).KeyId).toBe(key)
  })

  test('is over once its role is gone, also when another one has its name', async () => {
    const { arn, record } = await role([allowing('kms:*')])
    const session = await assumed(admin, arn)
    await services.store.tenants.deletePrincipal(record)
    const again = await givenRole(
      stack,
      account,
      record.name,
      [trusting(admin.arn)],
      [allowing('kms:*')],
    )
    expect(again.arn).toBe(arn)
    expect(await refusalOf(encrypt(session))).toMatchObject({ name: 'UnrecognizedClientException' })
    expect((await encrypt(await assumed(admin, again.arn))).KeyId).toBe(key)
  })

  test('is of its tenant: a role of another one does nothing here', async () => {
    const other = await stack.tenant('444455556666')
    const foreign = await givenRole(
      stack,
      other.account,
      'r',
      [trusting(other.arn)],
      [allowing('*')],
    )
    const session = await assumed(other, foreign.arn)
    expect(await refusalOf(encrypt(session))).toMatchObject({ name: 'AccessDeniedException' })
    const own = await keyOf(kmsClient(session))
    expect(own).toContain(':444455556666:')
    expect((await encrypt(session, own)).KeyId).toBe(own)
  })

  test('of another tenant’s role uses that tenant’s keys, and is recorded there', async () => {
    const guest = await stack.tenant('555566667777')
    const { arn } = await givenRole(
      stack,
      account,
      'guests',
      [trusting(guest.arn)],
      [allowing('kms:Encrypt')],
    )
    const session = await assumed(guest, arn, { RoleSessionName: 'guest' })
    expect((await encrypt(session)).KeyId).toBe(key)
    const records = await recordsOf(services, account)
    expect(records.find(({ userIdentity }) => userIdentity.arn === session.arn)).toMatchObject({
      eventName: 'Encrypt',
      userIdentity: { type: 'AssumedRole', accountId: account },
    })
  })
})

describe('S3 with a session', async () => {
  const Bucket = 'sessions'
  await s3Of(admin).send(new CreateBucketCommand({ Bucket }))
  const { arn } = await role([allowing('s3:*'), allowing('kms:*')])

  test('writes and reads objects', async () => {
    const s3 = s3Of(await assumed(admin, arn))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a', Body: 'hello' }))
    const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key: 'a' }))
    expect(await Body?.transformToString()).toBe('hello')
  })

  test('uploads in signed chunks', async () => {
    const s3 = s3Of(await assumed(admin, arn))
    const Body = Buffer.alloc(300_000, 7)
    await s3.send(new PutObjectCommand({ Bucket, Key: 'b', Body, ChecksumAlgorithm: 'CRC32' }))
    const { ContentLength } = await s3.send(new GetObjectCommand({ Bucket, Key: 'b' }))
    expect(ContentLength).toBe(300_000)
  })

  test('presigns URLs, which are good for as long as the session at most', async () => {
    const s3 = s3Of(await assumed(admin, arn))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'c', Body: 'hello' }))
    const url = await getSignedUrl(s3, new GetObjectCommand({ Bucket, Key: 'c' }), {
      expiresIn: 60,
    })
    expect(url).toContain('X-Amz-Security-Token=')
    expect(await (await fetch(url)).text()).toBe('hello')
    const without = url.replace(/&?X-Amz-Security-Token=[^&]*/, '')
    expect(await (await fetch(without)).text()).toContain('<Code>InvalidAccessKeyId</Code>')
    const altered = url.replace(/(X-Amz-Security-Token=)(.)/, '$1_')
    expect(await (await fetch(altered)).text()).toContain('<Code>InvalidToken</Code>')
  })

  test('is refused what the role may not', async () => {
    const nothing = await role([allowing('kms:*')])
    const get = s3Of(await assumed(admin, nothing.arn)).send(
      new GetObjectCommand({ Bucket, Key: 'a' }),
    )
    expect(await refusalOf(get)).toMatchObject({ name: 'AccessDenied', status: 403 })
  })
})

describe('A signature is refused', async () => {
  const { arn } = await role([allowing('kms:*')])
  const session = await assumed(admin, arn)
  const raw: RawRequest = {
    headers: kmsHeaders('Encrypt'),
    body: JSON.stringify({ KeyId: key, Plaintext: 'aGVsbG8=' }),
  }
  const outcome = async (headers: Readonly<Record<string, string>>, body = raw.body) => {
    const answer = await send(admin.endpoint, { ...raw, headers, ...(body && { body }) })
    const { __type = 'taken', message } = JSON.parse(answer.body)
    return { name: __type as string, message: message as string | undefined }
  }
  const MINUTE = 60_000

  test.for([
    ['a user', admin],
    ['a session', session],
  ] as const)('of %s: taken as it is, and not when it was changed', async ([, by]) => {
    const headers = await signed(by, raw)
    expect((await outcome(headers)).name).toBe('taken')
    const changed = `${raw.body} `
    expect((await outcome(headers, changed)).name).toBe('InvalidSignatureException')
    const target = { ...headers, 'x-amz-target': 'TrentService.Decrypt' }
    expect((await outcome(target)).name).toBe('InvalidSignatureException')
    const added = { ...headers, 'x-amz-meta-role': 'admin' }
    expect(await outcome(added)).toEqual({
      name: 'InvalidSignatureException',
      message: "'x-amz-meta-role' must be a 'SignedHeader' in the AWS Authorization.",
    })
  })

  test.for([-5.2, 5.2])('when it is %f minutes away', async (minutes) => {
    const signingDate = new Date(Date.now() + minutes * MINUTE)
    const { name, message } = await outcome(await signed(session, raw, { signingDate }))
    expect(name).toBe('InvalidSignatureException')
    expect(message).toMatch(/^Signature (?:expired|not yet current): /)
  })

  test('for another Region or another service', async () => {
    const elsewhere = await signed({ ...session, region: 'ap-south-1' }, raw)
    expect(await outcome(elsewhere)).toEqual({
      name: 'InvalidSignatureException',
      message: "Credential should be scoped to a valid region, not 'ap-south-1'.",
    })
    const headers = await signed(session, raw, { service: 'dynamodb' })
    expect(await outcome(headers)).toEqual({
      name: 'InvalidSignatureException',
      message: "Credential should be scoped to correct service: 'kms'.",
    })
  })

  test('when it was made with a deactivated access key, or one that is gone', async () => {
    const user = await stack.user(account, 'leaver', {
      Version: '2012-10-17',
      Statement: [allowing('kms:*')],
    })
    expect((await outcome(await signed(user, raw))).name).toBe('taken')
    const { tenants } = services.store
    const record = await tenants.accessKey(user.credentials.accessKeyId as never)
    if (record === null) throw new Error('No access key.')
    const invalid = {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    }
    await tenants.putAccessKey({ ...record, status: 'Inactive', rev: record.rev + 1 })
    expect(await outcome(await signed(user, raw))).toEqual(invalid)
    await tenants.deleteAccessKey(record)
    expect(await outcome(await signed(user, raw))).toEqual(invalid)
  })

  test('with the token of another tenant’s session, in the same words as with any other', async () => {
    const other = await stack.tenant('666677778888')
    const foreign = await givenRole(stack, other.account, 'r', [trusting(other.arn)])
    const { sessionToken } = (await assumed(other, foreign.arn)).credentials
    const answers = []
    for (const token of [sessionToken, 'x', `${session.credentials.sessionToken}A`]) {
      const credentials = { ...session.credentials, sessionToken: token }
      answers.push(await outcome(await signed({ ...session, credentials }, raw)))
    }
    const invalid = {
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    }
    expect(answers).toEqual([invalid, invalid, invalid])
    const withToken = { ...admin.credentials, sessionToken }
    expect(await outcome(await signed({ ...admin, credentials: withToken }, raw))).toEqual(invalid)
  })

  test('when its session is over, by the clock of the stack', async () => {
    const { clock } = services
    if (!(clock instanceof LocalClock)) throw new Error('The clock cannot be moved.')
    const short = await assumed(admin, arn, { DurationSeconds: 900 })
    const nothing = { nextDue: async () => null, run: async () => [] }
    await clock.moveTo(clock.now() + 899_000, nothing)
    expect((await outcome(await signed(short, raw))).name).toBe('taken')
    await clock.moveTo(clock.now() + 2000, nothing)
    expect(await outcome(await signed(short, raw))).toEqual({
      name: 'ExpiredTokenException',
      message: 'The security token included in the request is expired',
    })
    const identity = {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: 'Action=GetCallerIdentity&Version=2011-06-15',
    }
    const headers = await signed(short, identity, { service: 'sts' })
    const sts = await send(admin.endpoint, { ...identity, headers })
    expect([sts.status, /<Code>(\w+)</.exec(sts.body)?.[1]]).toEqual([403, 'ExpiredToken'])
    const get = s3Of(short).send(new GetObjectCommand({ Bucket: 'sessions', Key: 'a' }))
    expect(await refusalOf(get)).toMatchObject({ name: 'ExpiredToken', status: 400 })
  })
})

describe('Managed policies', () => {
  const managed = async (name: string, ...statements: readonly object[]) => {
    const document = policyOf(...statements)
    await services.store.tenants.createManagedPolicy({
      account,
      policyId: `ANPA${name.toUpperCase().padEnd(16, 'X')}`,
      name,
      path: '/',
      description: '',
      versions: [{ versionId: 'v1', document, createdAt: 0 }],
      defaultVersionId: 'v1',
      tags: [],
      createdAt: 0,
      rev: 1,
    })
    return `arn:aws:iam::${account}:policy/${name}`
  }

  test('limit a session by ARN, for as long as they are there', async () => {
    const policy = await managed('encrypting', allowing('kms:Encrypt'))
    const { arn } = await role([allowing('kms:*')])
    const session = await assumed(admin, arn, { PolicyArns: [{ arn: policy }] })
    expect((await encrypt(session)).KeyId).toBe(key)
    const create = kmsClient(session).send(new CreateKeyCommand({}))
    expect(await refusalOf(create)).toMatchObject({
      message: expect.stringContaining('because no session policy allows the kms:CreateKey action'),
    })
    const { tenants } = services.store
    const record = await tenants.managedPolicy(account, 'encrypting')
    if (record === null) throw new Error('No policy.')
    await tenants.deleteManagedPolicy(record)
    expect(await refusalOf(encrypt(session))).toEqual(
      deniedBy(session.arn, 'kms:Encrypt', 'no session policy allows the kms:Encrypt action'),
    )
  })

  test('are a role’s boundary, which no session gets over', async () => {
    const boundary = await managed('bounds', allowing('kms:Decrypt'))
    const { arn } = await role([allowing('kms:*')], { boundary })
    const session = await assumed(admin, arn, { Policy: policyOf(allowing('kms:*')) })
    expect(await refusalOf(encrypt(session))).toEqual(
      deniedBy(session.arn, 'kms:Encrypt', 'no permissions boundary allows the kms:Encrypt action'),
    )
  })
})
