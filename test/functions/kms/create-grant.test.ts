import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  type CreateKeyCommandInput,
  type GrantOperation,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import {
  allow,
  deny,
  encryptAs,
  givenGrant,
  grantsOn,
  recorded,
  removeUser,
} from '../../support/grants.ts'
import {
  givenAlias,
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenTenantsStack } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
const other = await stack.tenant('444455556666')
const ada = await stack.user(admin.account, 'ada')
const key = await givenKey(kms)
const root = (account: string) => `arn:aws:iam::${account}:root`

const create = (input: Partial<CreateGrantCommandInput>, by = kms) =>
  by.send(
    new CreateGrantCommand({
      KeyId: key.keyId,
      GranteePrincipal: ada.arn,
      Operations: ['Encrypt'],
      ...input,
    }),
  )
const refusal = (input: Partial<CreateGrantCommandInput>, by = kms) => refusalOf(create(input, by))
const invalid = (text: string) => refused('ValidationException', text)
const invalidArn = (text: string) => refused('InvalidArnException', text)

test('CreateGrant gives the id of the grant and a token of it, both once', async () => {
  const { GrantId, GrantToken, $metadata, ...rest } = await create({})
  expect(rest).toEqual({})
  expect(GrantId).toMatch(/^[0-9a-f]{64}$/)
  expect(GrantToken).toMatch(/^[A-Za-z0-9_-]{200,}$/)
  const again = await create({})
  expect(again.GrantId).not.toBe(GrantId)
  expect(again.GrantToken).not.toBe(GrantToken)
})

test('The key is taken by its id and its ARN; an alias is not', async () => {
  await create({ KeyId: key.arn })
  const alias = await givenAlias(kms, key.keyId)
  for (const KeyId of [alias, key.arn.replace(/key\/.*/, alias), 'alias/absent']) {
    expect(await refusal({ KeyId })).toEqual(
      invalidArn('Key Aliases are not supported for this operation.'),
    )
  }
  const absent = key.arn.replace(key.keyId, '00000000-0000-0000-0000-000000000000')
  expect(await refusal({ KeyId: absent })).toEqual(
    refused('NotFoundException', `Key '${absent}' does not exist`),
  )
  expect(await refusal({ KeyId: 'x' })).toEqual(refused('NotFoundException', "Invalid keyId 'x'"))
})

describe('Who a grant is for', () => {
  test.for([
    ['a user', ada.arn, ada.arn],
    ['a user of another account', other.arn, other.arn],
    ['an account', root(admin.account), root(admin.account)],
    ['an account by its id', other.account, root(other.account)],
    [
      'a service, as was done before it had a member of its own',
      's3.amazonaws.com',
      's3.amazonaws.com',
    ],
  ] as const)('%s', async ([, GranteePrincipal, shown]) => {
    const { keyId } = await givenKey(kms)
    await create({ KeyId: keyId, GranteePrincipal, RetiringPrincipal: GranteePrincipal })
    const [grant] = await grantsOn(kms, keyId)
    expect(grant).toMatchObject({ GranteePrincipal: shown, RetiringPrincipal: shown })
  })

  test('a user by its stable id, which is shown as its ARN', async () => {
    const { keyId } = await givenKey(kms)
    const { caller } = await stack.call(ada)
    await create({ KeyId: keyId, GranteePrincipal: caller.principalId })
    expect((await grantsOn(kms, keyId))[0]?.GranteePrincipal).toBe(ada.arn)
    await encryptAs(ada, keyId)
  })

  test('a service by a member of its own, with a source and somebody to retire it', async () => {
    const { keyId } = await givenKey(kms)
    const service = {
      KeyId: keyId,
      GranteePrincipal: undefined,
      GranteeServicePrincipal: 's3.us-east-1.amazonaws.com',
    }
    const Constraints = { SourceArn: `arn:aws:s3:us-east-1:${admin.account}:bucket/a` }
    expect((await refusal(service)).name).toBe('ValidationException')
    expect((await refusal({ ...service, Constraints })).name).toBe('ValidationException')
    expect((await refusal({ ...service, RetiringPrincipal: ada.arn })).name).toBe(
      'ValidationException',
    )
    await create({
      ...service,
      Constraints,
      RetiringServicePrincipal: 's3.us-east-1.amazonaws.com',
    })
    const [grant] = await grantsOn(kms, keyId)
    expect(grant).toMatchObject({
      GranteeServicePrincipal: 's3.us-east-1.amazonaws.com',
      RetiringServicePrincipal: 's3.us-east-1.amazonaws.com',
      Constraints,
    })
    expect(grant).not.toHaveProperty('GranteePrincipal')
    expect(grant).not.toHaveProperty('RetiringPrincipal')
  })

  test('exactly one, and at most one to retire it', async () => {
    const service = 's3.us-east-1.amazonaws.com'
    for (const members of [
      { GranteePrincipal: undefined },
      { GranteeServicePrincipal: service },
      { RetiringPrincipal: ada.arn, RetiringServicePrincipal: service },
    ]) {
      expect((await refusal(members)).name).toBe('ValidationException')
    }
  })

  test.for([
    `arn:aws:iam::${admin.account}:user/nobody`,
    `arn:aws:iam::${admin.account}:user/team/ada`,
    `arn:aws:iam::${other.account}:user/ada`,
    `arn:aws:iam::${admin.account}:role/none`,
    `arn:aws:sts::${admin.account}:assumed-role/none/session`,
    `arn:aws:sts::${admin.account}:federated-user/nobody`,
    root('999988887777'),
    '999988887777',
  ])('%s is nobody', async (arn) => {
    const text = `ARN does not refer to a valid principal: ${arn}`
    expect(await refusal({ GranteePrincipal: arn })).toEqual(invalidArn(text))
    expect(await refusal({ RetiringPrincipal: arn })).toEqual(invalidArn(text))
  })

  test.for([
    `arn:aws:sts::${admin.account}:assumed-role/team/none/session`,
    `arn:aws:iam::${admin.account}:group/admins`,
    `arn:aws:iam::${admin.account}:user/`,
    `arn:aws-cn:iam::${admin.account}:user/ada`,
    `arn:aws:iam:us-east-1:${admin.account}:user/ada`,
    'arn:aws:iam::ada:user/ada',
    'arn:aws:s3:::bucket',
    'ada',
    '12345',
  ])('%s is not the form of a principal', async (arn) => {
    const text = `ARN is not valid: ${arn}`
    expect(await refusal({ GranteePrincipal: arn })).toEqual(invalidArn(text))
    expect(await refusal({ RetiringPrincipal: arn })).toEqual(invalidArn(text))
  })

  test('a stable id that nobody has any more is told apart', async () => {
    const gone = await stack.user(admin.account, 'gone')
    const { caller } = await stack.call(gone)
    await removeUser(caller)
    expect(await refusal({ GranteePrincipal: caller.principalId })).toEqual(
      invalidArn('GranteePrincipal does not refer to a valid principal.'),
    )
    expect(await refusal({ RetiringPrincipal: caller.principalId })).toEqual(
      invalidArn('RetiringPrincipal does not refer to a valid principal.'),
    )
    const { caller: stranger } = await stack.call(other)
    expect(await refusal({ GranteePrincipal: stranger.principalId })).toEqual(
      invalidArn('GranteePrincipal does not refer to a valid principal.'),
    )
  })
})

describe('What a grant can allow', () => {
  const COMMON = ['CreateGrant', 'RetireGrant', 'DescribeKey']
  const PAIRS = ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']
  const DATA_KEYS = ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']
  const RE_ENCRYPT = ['ReEncryptFrom', 'ReEncryptTo']
  test.for<[CreateKeyCommandInput, string, string[], string]>([
    [
      {},
      'a symmetric',
      ['Decrypt', 'Encrypt', ...DATA_KEYS, ...RE_ENCRYPT, ...COMMON, ...PAIRS],
      'Sign',
    ],
    [
      { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
      'an asymmetric',
      ['Decrypt', 'Encrypt', ...RE_ENCRYPT, 'GetPublicKey', ...COMMON],
      'GenerateDataKey',
    ],
    [
      { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' },
      'an asymmetric',
      ['Sign', 'Verify', 'GetPublicKey', ...COMMON],
      'Encrypt',
    ],
    [
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      'a symmetric',
      [...COMMON, 'GenerateMac', 'VerifyMac'],
      'Encrypt',
    ],
    [
      { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
      'an asymmetric',
      ['GetPublicKey', ...COMMON, 'DeriveSharedSecret'],
      'Sign',
    ],
    [
      { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' },
      'an asymmetric',
      ['GetPublicKey', ...COMMON, 'Encapsulate', 'Decapsulate'],
      'DeriveSharedSecret',
    ],
  ])('on a key of %j', async ([input, kind, valid, unfit]) => {
    const { keyId } = await givenKey(kms, input)
    const usage = input.KeyUsage ?? 'ENCRYPT_DECRYPT'
    const Operations = valid as GrantOperation[]
    await create({ KeyId: keyId, Operations: [...Operations, ...Operations].reverse() })
    const [grant] = await grantsOn(kms, keyId)
    expect(grant?.Operations).toEqual(valid)
    const wrong = ['DescribeKey', unfit] as GrantOperation[]
    expect(await refusal({ KeyId: keyId, Operations: wrong })).toEqual(
      invalid(
        `Operations [${unfit}] are not supported when creating a grant for ${kind} KMS key with key usage ${usage}. Valid operations are [${valid.join(', ')}]`,
      ),
    )
  })

  test('not CreateGrant alone, and not nothing', async () => {
    const text = 'Grants must not contain only the CreateGrant operation.'
    expect(await refusal({ Operations: ['CreateGrant'] })).toEqual(invalid(text))
    expect(await refusal({ Operations: ['CreateGrant', 'CreateGrant'] })).toEqual(invalid(text))
    expect((await refusal({ Operations: [] })).name).toBe('ValidationException')
    expect((await refusal({ Operations: ['ListGrants' as never] })).message).toMatch(
      /^1 validation error detected: Value 'ListGrants' at 'operations.1.member' failed to satisfy constraint: Member must satisfy enum value set: \[/,
    )
  })
})

describe('The constraints of a grant', () => {
  test.for([
    { EncryptionContextEquals: { a: '1', b: '' } },
    { EncryptionContextSubset: { a: '1' } },
    { EncryptionContextEquals: {} },
  ])('%j are shown as they came', async (Constraints) => {
    const { keyId } = await givenKey(kms)
    await create({ KeyId: keyId, Constraints })
    expect((await grantsOn(kms, keyId))[0]?.Constraints).toEqual(Constraints)
  })

  test('that constrain nothing are none', async () => {
    const { keyId } = await givenKey(kms)
    await create({ KeyId: keyId, Constraints: {} })
    expect((await grantsOn(kms, keyId))[0]).not.toHaveProperty('Constraints')
  })

  test('speak of encryption contexts on keys that have such', async () => {
    for (const input of [
      { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
      { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' },
    ] as const) {
      const { keyId } = await givenKey(kms, input)
      const Constraints = { EncryptionContextSubset: { a: '1' } }
      expect(await refusal({ KeyId: keyId, Operations: ['DescribeKey'], Constraints })).toEqual(
        invalid(
          'EncryptionContext is supported only when creating a grant for a symmetric encryption KMS key.',
        ),
      )
    }
  })

  test('have one context of at most eight pairs with values of at most 384 characters', async () => {
    const pairs = (count: number, length: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, at) => [`k${at}`, 'v'.repeat(length)]))
    await create({ Constraints: { EncryptionContextEquals: pairs(8, 384) } })
    for (const Constraints of [
      { EncryptionContextEquals: pairs(9, 1) },
      { EncryptionContextSubset: pairs(9, 1) },
      { EncryptionContextSubset: pairs(1, 385) },
      { EncryptionContextSubset: { a: '1' }, EncryptionContextEquals: { a: '1' } },
    ]) {
      expect((await refusal({ Constraints })).name).toBe('ValidationException')
    }
  })

  test.each(['EncryptionContextEquals', 'EncryptionContextSubset'])(
    'have in %s what can be an encryption context, whose names are not endless',
    async (constraint) => {
      await create({ Constraints: { [constraint]: { ['k'.repeat(8191)]: 'v' } } })
      for (const length of [8192, 420_000]) {
        expect(
          await refusal({ Constraints: { [constraint]: { ['k'.repeat(length)]: 'v' } } }),
        ).toEqual(invalid('EncryptionContext must not be larger than 8192 bytes.'))
      }
    },
  )
})

describe('A named grant', () => {
  const Constraints = { EncryptionContextSubset: { a: '1', b: '2' } }

  test('is there once, and each answer has a token that works', async () => {
    const { keyId } = await givenKey(kms)
    const named = {
      KeyId: keyId,
      Name: 'nightly/job:1',
      RetiringPrincipal: admin.arn,
      Operations: ['Encrypt', 'Decrypt'] as GrantOperation[],
      Constraints,
    }
    const answers = await Promise.all([
      ...Array.from({ length: 5 }, () => create(named)),
      create({ ...named, Operations: ['Decrypt', 'Encrypt', 'Encrypt'] }),
      create({ ...named, Constraints: { EncryptionContextSubset: { b: '2', a: '1' } } }),
    ])
    expect(new Set(answers.map(({ GrantId }) => GrantId)).size).toBe(1)
    expect(new Set(answers.map(({ GrantToken }) => GrantToken)).size).toBe(7)
    expect(await grantsOn(kms, keyId)).toHaveLength(1)
    for (const { GrantToken = '' } of answers) {
      await encryptAs(ada, keyId, {
        EncryptionContext: { a: '1', b: '2' },
        GrantTokens: [GrantToken],
      })
    }
  })

  test('is another one with anything else in it, or on another key', async () => {
    const { keyId } = await givenKey(kms)
    const named = { KeyId: keyId, Name: 'nightly', Constraints }
    const answers = [
      await create(named),
      await create({ ...named, Name: 'daily' }),
      await create({ ...named, GranteePrincipal: admin.arn }),
      await create({ ...named, RetiringPrincipal: admin.arn }),
      await create({ ...named, Operations: ['Decrypt'] }),
      await create({ KeyId: keyId, Name: 'nightly' }),
      await create({ ...named, Constraints: { EncryptionContextSubset: { a: '1' } } }),
      await create({ ...named, Constraints: { EncryptionContextEquals: { a: '1', b: '2' } } }),
      await create({ ...named, KeyId: (await givenKey(kms)).keyId }),
    ]
    expect(new Set(answers.map(({ GrantId }) => GrantId)).size).toBe(answers.length)
    expect(await grantsOn(kms, keyId)).toHaveLength(answers.length - 1)
  })
})

describe('CreateGrant in each key state', () => {
  test('refuses a key that is disabled, pending deletion or pending import', async () => {
    const disabled = await givenDisabledKey(kms)
    expect(await refusal({ KeyId: disabled.keyId })).toEqual(
      refused('DisabledException', `${disabled.arn} is disabled.`),
    )
    const pending = await givenKeyPendingDeletion(kms)
    expect(await refusal({ KeyId: pending.keyId })).toEqual(
      refused('KMSInvalidStateException', `${pending.arn} is pending deletion.`),
    )
    const external = await givenKey(kms, { Origin: 'EXTERNAL' })
    expect(await refusal({ KeyId: external.keyId })).toEqual(
      refused('KMSInvalidStateException', `${external.arn} is pending import.`),
    )
  })
})

test('A dry run makes no grant, but tells what is wrong', async () => {
  const { keyId } = await givenKey(kms)
  expect(await refusal({ KeyId: keyId, DryRun: true })).toEqual(
    refused(
      'DryRunOperationException',
      'The request would have succeeded, but the DryRun option is set.',
    ),
  )
  expect(await grantsOn(kms, keyId)).toEqual([])
  const arn = `arn:aws:iam::${admin.account}:user/nobody`
  expect(await refusal({ KeyId: keyId, DryRun: true, GranteePrincipal: arn })).toEqual(
    invalidArn(`ARN does not refer to a valid principal: ${arn}`),
  )
})

test('A bad grant token is refused', async () => {
  expect(await refusal({ GrantTokens: ['x'] })).toEqual(refused('InvalidGrantTokenException', null))
})

test('A key that has as many grants as it may gets no more', async () => {
  const { keyId } = await givenKey(kms)
  const { grants } = stack.services.store
  const count = grants.count
  const full = grants as { count: typeof count }
  full.count = async () => 50_000
  try {
    expect((await refusal({ KeyId: keyId })).name).toBe('LimitExceededException')
  } finally {
    full.count = count
  }
})

test('Whoever may not create grants learns nothing of principals', async () => {
  const nobody = kmsClient(await stack.user(admin.account, 'nobody-creates'))
  const known = await refusal({}, nobody)
  expect(known.name).toBe('AccessDeniedException')
  for (const GranteePrincipal of [
    `arn:aws:iam::${admin.account}:user/nobody`,
    'ada',
    '999988887777',
  ]) {
    expect(await refusal({ GranteePrincipal }, nobody)).toEqual(known)
  }
})

describe('Another account', () => {
  test('creates grants where the key policy lets it, by the ARN of the key', async () => {
    const shared = await givenKey(kms)
    const foreign = kmsClient(other)
    const input = { KeyId: shared.arn, GranteePrincipal: other.arn }
    expect((await refusal(input, foreign)).name).toBe('AccessDeniedException')
    const statement = (account: string) => ({
      Effect: 'Allow',
      Principal: { AWS: account },
      Action: 'kms:*',
      Resource: '*',
    })
    const Statement = [statement(admin.account), statement(other.account)]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId: shared.keyId, Policy }))
    await create(input, foreign)
    expect(await grantsOn(kms, shared.keyId)).toMatchObject([
      { GranteePrincipal: other.arn, IssuingAccount: root(other.account) },
    ])
    expect((await refusal({ ...input, KeyId: shared.keyId }, foreign)).name).toBe(
      'NotFoundException',
    )
  })
})

describe('The conditions of a policy on CreateGrant', () => {
  const Constraints = { EncryptionContextEquals: { team: 'payments' } }
  const source = `arn:aws:s3:us-east-1:${admin.account}:bucket/a`
  test.for<[string, object, Partial<CreateGrantCommandInput>, Partial<CreateGrantCommandInput>]>([
    [
      'kms:GrantConstraintType',
      { StringEquals: { 'kms:GrantConstraintType': 'EncryptionContextEquals' } },
      { Constraints },
      { Constraints: { EncryptionContextSubset: { team: 'payments' } } },
    ],
    [
      'kms:EncryptionContext:team',
      { StringEquals: { 'kms:EncryptionContext:team': 'payments' } },
      { Constraints },
      { Constraints: { EncryptionContextEquals: { team: 'ledger' } } },
    ],
    [
      'kms:EncryptionContextKeys',
      { 'ForAnyValue:StringEquals': { 'kms:EncryptionContextKeys': 'team' } },
      { Constraints },
      {},
    ],
    [
      'kms:GrantConstraintSourceArn',
      { ArnEquals: { 'kms:GrantConstraintSourceArn': source } },
      { Constraints: { SourceArn: source } },
      { Constraints: { SourceArn: source.replace('/a', '/b') } },
    ],
    [
      'kms:GrantOperations',
      { 'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'Decrypt'] } },
      { Operations: ['Decrypt', 'Encrypt'] },
      { Operations: ['Decrypt', 'DescribeKey'] },
    ],
    [
      'kms:GrantIsForAWSResource',
      { Bool: { 'kms:GrantIsForAWSResource': false } },
      {},
      { KeyId: '00000000-0000-0000-0000-000000000000' },
    ],
    [
      'kms:GranteePrincipal',
      { StringEquals: { 'kms:GranteePrincipal': ada.arn } },
      {},
      { GranteePrincipal: admin.arn },
    ],
    [
      'kms:RetiringPrincipal',
      { StringEquals: { 'kms:RetiringPrincipal': ada.arn } },
      { RetiringPrincipal: ada.arn },
      { RetiringPrincipal: admin.arn },
    ],
    [
      'kms:RetiringServicePrincipal',
      { StringEquals: { 'kms:RetiringServicePrincipal': 's3.us-east-1.amazonaws.com' } },
      { RetiringServicePrincipal: 's3.us-east-1.amazonaws.com' },
      { RetiringServicePrincipal: 's3.eu-west-1.amazonaws.com' },
    ],
    [
      'kms:GranteeServicePrincipal',
      { StringEquals: { 'kms:GranteeServicePrincipal': 's3.us-east-1.amazonaws.com' } },
      {
        GranteePrincipal: undefined,
        GranteeServicePrincipal: 's3.us-east-1.amazonaws.com',
        RetiringPrincipal: ada.arn,
        Constraints: { SourceArn: source },
      },
      {},
    ],
  ])('%s', async ([name, Condition, fits, fitsNot]) => {
    const user = await stack.user(
      admin.account,
      name.replace(/\W/g, '-'),
      allow('kms:CreateGrant', { Condition }),
    )
    await create(fits, kmsClient(user))
    const { name: error } = await refusal(fitsNot, kmsClient(user))
    expect(error).toBe(fitsNot.KeyId === undefined ? 'AccessDeniedException' : 'NotFoundException')
  })

  test('a principal by its stable id is who its ARN says', async () => {
    const { caller } = await stack.call(ada)
    const Condition = { StringEquals: { 'kms:GranteePrincipal': ada.arn } }
    const user = await stack.user(
      admin.account,
      'not-for-ada',
      allow('kms:CreateGrant'),
      deny('kms:CreateGrant', { Condition }),
    )
    await create({ GranteePrincipal: admin.arn }, kmsClient(user))
    for (const GranteePrincipal of [ada.arn, caller.principalId]) {
      expect((await refusal({ GranteePrincipal }, kmsClient(user))).name).toBe(
        'AccessDeniedException',
      )
    }
  })
})

test('A record of CreateGrant shows the grant, and never the token', async () => {
  const { token } = await givenGrant(kms, key.keyId, ada)
  const input = {
    KeyId: key.keyId,
    GranteePrincipal: ada.arn,
    RetiringPrincipal: admin.arn,
    Operations: ['Encrypt', 'RetireGrant'],
    Constraints: { EncryptionContextSubset: { team: 'payments' } },
    Name: 'shown',
    GrantTokens: [token],
  }
  const { record, answer } = await recorded(stack, admin, 'CreateGrant', input)
  expect(record).toMatchObject({
    eventName: 'CreateGrant',
    readOnly: false,
    resources: [{ accountId: admin.account, type: 'AWS::KMS::Key', ARN: key.arn }],
  })
  expect(record.requestParameters).toEqual({
    keyId: key.keyId,
    granteePrincipal: ada.arn,
    retiringPrincipal: admin.arn,
    operations: ['Encrypt', 'RetireGrant'],
    constraints: { encryptionContextSubset: { team: 'payments' } },
    name: 'shown',
  })
  expect(record.responseElements).toEqual({ grantId: answer?.GrantId, keyId: key.arn })
  expect(JSON.stringify(record)).not.toContain(token.slice(0, 60))
  expect(JSON.stringify(record)).not.toContain(answer?.GrantToken?.slice(20, 60))
})
