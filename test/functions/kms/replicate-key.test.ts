import {
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GetKeyPolicyCommand,
  GetKeyRotationStatusCommand,
  GetPublicKeyCommand,
  ListAliasesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  VerifyCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { bytes, givenAlias, givenKey } from '../../support/kms.ts'
import {
  clientOf,
  EAST,
  givenMultiRegionStack,
  IRELAND,
  type MultiRegionKey,
  WEST,
} from '../../support/multi-region.ts'
import { refusalOf, refused } from '../../support/refusal.ts'

const stack = await givenMultiRegionStack()
afterAll(() => stack.close())
const { account, clock, kms } = stack

const replicate = (KeyId: string, ReplicaRegion: string, from = EAST as string) =>
  kms(from).send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }))
const ready = (): void => {
  clock.offset += 1000
}

test('A replica begins as Creating, with what it shares and nothing of what it has of its own', async () => {
  const key = await stack.key({
    Description: 'payments',
    Tags: [{ TagKey: 'team', TagValue: 'payments' }],
  })
  const { $metadata, ReplicaKeyMetadata, ReplicaPolicy, ...rest } = await replicate(key.keyId, WEST)
  expect(ReplicaKeyMetadata).toEqual({
    AWSAccountId: account,
    KeyId: key.keyId,
    Arn: key.arn(WEST),
    CreationDate: expect.any(Date),
    Enabled: false,
    Description: '',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Creating',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: 'REPLICA',
      PrimaryKey: { Arn: key.arn(EAST), Region: EAST },
      ReplicaKeys: [{ Arn: key.arn(WEST), Region: WEST }],
    },
  })
  expect(rest).toEqual({}) // no ReplicaTags
  const { Policy } = await kms(WEST).send(new GetKeyPolicyCommand({ KeyId: key.keyId }))
  expect(ReplicaPolicy).toBe(Policy)
  expect(JSON.parse(Policy ?? '')).toMatchObject({ Id: 'key-default-1' })
})

test('A replica is Enabled after a moment, with the material of the primary', async () => {
  const key = await stack.key()
  await replicate(key.keyId, WEST)
  const use = () => kms(WEST).send(new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }))
  expect(await refusalOf(use())).toEqual(
    refused('KMSInvalidStateException', `${key.arn(WEST)} is creating.`),
  )
  const status = await kms(WEST).send(new GetKeyRotationStatusCommand({ KeyId: key.keyId }))
  expect(status.KeyRotationEnabled).toBe(false)
  ready()
  await use()
  const [primary, replica] = [await stack.describe(key, EAST), await stack.describe(key, WEST)]
  expect(replica).toMatchObject({ KeyState: 'Enabled', Enabled: true })
  expect(replica.CurrentKeyMaterialId).toBe(primary.CurrentKeyMaterialId)
})

test('Description, policy and tags of a replica are its own', async () => {
  const key = await stack.key()
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Id: 'own',
    Statement: [{ Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' }],
  })
  const Tags = [{ TagKey: 'site', TagValue: 'west' }]
  const answer = await kms(EAST).send(
    new ReplicateKeyCommand({
      KeyId: key.arn(EAST),
      ReplicaRegion: WEST,
      Description: 'the western half',
      Policy,
      Tags,
    }),
  )
  expect(answer.ReplicaTags).toEqual(Tags)
  expect(JSON.parse(answer.ReplicaPolicy ?? '')).toEqual(JSON.parse(Policy))
  expect(answer.ReplicaKeyMetadata?.Description).toBe('the western half')
  const shown = await kms(WEST).send(new GetKeyPolicyCommand({ KeyId: key.keyId }))
  expect(shown.Policy).toBe(answer.ReplicaPolicy)
  const listed = await kms(WEST).send(new ListResourceTagsCommand({ KeyId: key.keyId }))
  expect(listed.Tags).toEqual(Tags)
  expect((await stack.describe(key, EAST)).Description).toBe('')
})

test('Aliases stay where they are', async () => {
  const key = await stack.keyWithReplicas(WEST)
  const alias = await givenAlias(kms(EAST), key.keyId)
  const { Aliases } = await kms(WEST).send(new ListAliasesCommand({ KeyId: key.keyId }))
  expect(Aliases).toEqual([])
  const found = kms(WEST).send(new DescribeKeyCommand({ KeyId: alias }))
  expect((await refusalOf(found)).name).toBe('NotFoundException')
})

test('Both keys tell of the set, with its replicas by Region', async () => {
  const key = await stack.keyWithReplicas(WEST, IRELAND)
  const configuration = {
    PrimaryKey: { Arn: key.arn(EAST), Region: EAST },
    ReplicaKeys: [IRELAND, WEST].map((Region) => ({ Arn: key.arn(Region), Region })),
  }
  for (const [region, MultiRegionKeyType] of [
    [EAST, 'PRIMARY'],
    [WEST, 'REPLICA'],
    [IRELAND, 'REPLICA'],
  ] as const) {
    const { MultiRegionConfiguration } = await stack.describe(key, region)
    expect(MultiRegionConfiguration).toEqual({ ...configuration, MultiRegionKeyType })
    const { Keys = [] } = await kms(region).send(new ListKeysCommand({ Limit: 1000 }))
    expect(Keys.filter(({ KeyId }) => KeyId === key.keyId)).toHaveLength(1)
  }
})

test('A replica of an asymmetric key has the same public key and verifies for the primary', async () => {
  const key = await stack.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
  expect(await stack.replicate(key, WEST)).not.toHaveProperty('CurrentKeyMaterialId')
  ready()
  const [one, other] = await Promise.all(
    [EAST, WEST].map((region) => kms(region).send(new GetPublicKeyCommand({ KeyId: key.keyId }))),
  )
  expect(other?.PublicKey).toEqual(one?.PublicKey)
  const signing = {
    KeyId: key.keyId,
    Message: bytes('m'),
    SigningAlgorithm: 'ECDSA_SHA_256',
  } as const
  const { Signature } = await kms(EAST).send(new SignCommand(signing))
  const verified = await kms(WEST).send(new VerifyCommand({ ...signing, Signature }))
  expect(verified.SignatureValid).toBe(true)
})

test('A replica of a key to be imported waits for its material', async () => {
  const key = await stack.key({ Origin: 'EXTERNAL' })
  expect(await refusalOf(replicate(key.keyId, WEST))).toEqual(
    refused('KMSInvalidStateException', `${key.arn(EAST)} is pending import.`),
  )
})

describe('Decrypt in another Region', () => {
  test('opens what a related key encrypted, under the local ARN', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const EncryptionContext = { a: 'b' }
    const made = await kms(EAST).send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('hello'), EncryptionContext }),
    )
    const { CiphertextBlob } = made
    for (const KeyId of [undefined, key.keyId, key.arn(WEST)]) {
      const opened = await kms(WEST).send(
        new DecryptCommand({ CiphertextBlob, EncryptionContext, KeyId }),
      )
      expect(Buffer.from(opened.Plaintext ?? []).toString()).toBe('hello')
      expect(opened.KeyId).toBe(key.arn(WEST))
    }
  })

  test('refuses the ARN that a related key has elsewhere', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const { CiphertextBlob } = await kms(EAST).send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }),
    )
    const attempt = kms(WEST).send(new DecryptCommand({ CiphertextBlob, KeyId: key.arn(EAST) }))
    expect(await refusalOf(attempt)).toEqual(
      refused(
        'IncorrectKeyException',
        'The key ID in the request does not identify a CMK that can perform this operation.',
      ),
    )
  })

  test('does not know the Region of a key that is not related', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const other = await stack.keyWithReplicas(WEST)
    const { CiphertextBlob } = await kms(EAST).send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }),
    )
    const attempt = kms(WEST).send(new DecryptCommand({ CiphertextBlob, KeyId: other.arn(EAST) }))
    expect(await refusalOf(attempt)).toEqual(refused('NotFoundException', `Invalid arn ${EAST}`))
  })

  test('finds no key where there is no replica', async () => {
    const key = await stack.key()
    const { CiphertextBlob } = await kms(EAST).send(
      new EncryptCommand({ KeyId: key.keyId, Plaintext: bytes('x') }),
    )
    const attempt = kms(IRELAND).send(new DecryptCommand({ CiphertextBlob }))
    expect((await refusalOf(attempt)).name).toBe('AccessDeniedException')
  })
})

describe('ReplicateKey refuses', () => {
  test.for<[string, (arn: string) => string]>([
    [EAST, () => `${EAST} cannot have a replica because it contains the primary.`],
    ...['cn-north-1', 'us-gov-west-1', 'us-iso-east-1', 'us-isob-east-1', 'eusc-de-east-1'].map(
      (region): [string, () => string] => [
        region,
        () => 'The replica key Region must be in the same AWS partition as the primary key Region.',
      ],
    ),
    ...['us-invalid-1', 'ap-south-1'].map((region): [string, () => string] => [
      region,
      () =>
        `Region ${region} is not a valid Region or multi-Region keys are not supported in Region ${region}.`,
    ]),
  ])('a replica in %s', async ([region, text]) => {
    const key = await stack.key()
    expect(await refusalOf(replicate(key.keyId, region))).toEqual(
      refused('ValidationException', text(key.arn(EAST))),
    )
  })

  test('a second replica in a Region, also while the first waits for its deletion', async () => {
    const key = await stack.keyWithReplicas(WEST)
    const exists = refused(
      'AlreadyExistsException',
      'You can create only one replica of each primary key in each AWS Region.',
    )
    expect(await refusalOf(replicate(key.keyId, WEST))).toEqual(exists)
    await kms(WEST).send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    expect(await refusalOf(replicate(key.keyId, WEST))).toEqual(exists)
  })

  test('a replica and a single-Region key', async () => {
    const key = await stack.keyWithReplicas(WEST)
    expect(await refusalOf(replicate(key.keyId, IRELAND, WEST))).toEqual(
      refused(
        'UnsupportedOperationException',
        `${key.arn(WEST)} is not a multi-region primary key.`,
      ),
    )
    const single = await givenKey(kms(EAST))
    expect(await refusalOf(replicate(single.keyId, WEST))).toEqual(
      refused('UnsupportedOperationException', `${single.arn} is not a multi-region primary key.`),
    )
  })

  test('a primary that is disabled, pending deletion or updating', async () => {
    const key = await stack.keyWithReplicas(WEST)
    await kms(EAST).send(new DisableKeyCommand({ KeyId: key.keyId }))
    expect(await refusalOf(replicate(key.keyId, IRELAND))).toEqual(
      refused('DisabledException', `${key.arn(EAST)} is disabled.`),
    )
    await kms(EAST).send(new ScheduleKeyDeletionCommand({ KeyId: key.keyId }))
    expect(await refusalOf(replicate(key.keyId, IRELAND))).toEqual(
      refused('KMSInvalidStateException', `${key.arn(EAST)} is pending replica deletion.`),
    )
    const lonely = await stack.key()
    await kms(EAST).send(new ScheduleKeyDeletionCommand({ KeyId: lonely.keyId }))
    expect(await refusalOf(replicate(lonely.keyId, IRELAND))).toEqual(
      refused('KMSInvalidStateException', `${lonely.arn(EAST)} is pending deletion.`),
    )
  })

  test('an alias, a key that is not there, and a name that is none', async () => {
    const key = await stack.key()
    const alias = await givenAlias(kms(EAST), key.keyId)
    expect(await refusalOf(replicate(alias, WEST))).toEqual(
      refused('InvalidArnException', 'Key Aliases are not supported for this operation.'),
    )
    const absent = `mrk-${'0'.repeat(32)}`
    expect(await refusalOf(replicate(absent, WEST))).toEqual(
      refused(
        'NotFoundException',
        `Key 'arn:aws:kms:${EAST}:${account}:key/${absent}' does not exist`,
      ),
    )
    expect(await refusalOf(replicate('none', WEST))).toEqual(
      refused('NotFoundException', "Invalid keyId 'none'"),
    )
  })

  test('tags and policies that no key can have, and makes nothing', async () => {
    const key = await stack.key()
    const send = (more: object) =>
      kms(EAST).send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST, ...more }))
    const twice = [1, 2].map(() => ({ TagKey: 'a', TagValue: '' }))
    expect(await refusalOf(send({ Tags: twice }))).toEqual(
      refused('TagException', 'Duplicate tag keys'),
    )
    expect(await refusalOf(send({ Policy: 'no JSON' }))).toEqual(
      refused('MalformedPolicyDocumentException', null),
    )
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:Encrypt', Resource: '*' },
      ],
    })
    expect(await refusalOf(send({ Policy }))).toEqual(
      refused(
        'MalformedPolicyDocumentException',
        'The new key policy will not allow you to update the key policy in the future.',
      ),
    )
    expect((await stack.describe(key, EAST)).MultiRegionConfiguration?.ReplicaKeys).toEqual([])
    await send({ Policy, BypassPolicyLockoutSafetyCheck: true })
  })

  test('a Region that is not the name of one', async () => {
    const attempt = replicate('any', 'EU')
    expect(await refusalOf(attempt)).toEqual(
      refused(
        'ValidationException',
        "1 validation error detected: Value 'EU' at 'replicaRegion' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([a-z]+-){2,3}\\d+$",
      ),
    )
  })
})

describe('Who may replicate:', () => {
  const allow = (Action: string | string[], Resource = '*', Condition = {}) => ({
    Effect: 'Allow',
    Action,
    Resource,
    Condition,
  })
  const attempt = async (key: MultiRegionKey, statements: readonly object[], more: object = {}) => {
    const user = await stack.user(statements)
    const command = new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST, ...more })
    return refusalOf(clientOf(user, EAST).send(command))
  }

  test('whoever has kms:ReplicateKey on the primary and kms:CreateKey in the other Region', async () => {
    const key = await stack.key()
    const inWest = { StringEquals: { 'aws:RequestedRegion': WEST } }
    const user = await stack.user([
      allow('kms:ReplicateKey', key.arn(EAST)),
      allow('kms:CreateKey', '*', inWest),
    ])
    await clientOf(user, EAST).send(
      new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST }),
    )
  })

  test('nobody without one of the two', async () => {
    const key = await stack.key()
    const first = await attempt(key, [allow('kms:CreateKey')])
    expect(first.message).toMatch(
      `not authorized to perform: kms:ReplicateKey on resource: ${key.arn(EAST)}`,
    )
    const second = await attempt(key, [allow('kms:ReplicateKey')])
    expect(second.name).toBe('AccessDeniedException')
    expect(second.message).toMatch('not authorized to perform: kms:CreateKey')
    const elsewhere = { StringEquals: { 'aws:RequestedRegion': EAST } }
    const third = await attempt(key, [
      allow('kms:ReplicateKey'),
      allow('kms:CreateKey', '*', elsewhere),
    ])
    expect(third.message).toMatch('not authorized to perform: kms:CreateKey')
  })

  test('nobody with tags who may not tag', async () => {
    const key = await stack.key()
    const Tags = [{ TagKey: 'a', TagValue: 'b' }]
    const refusal = await attempt(key, [allow(['kms:ReplicateKey', 'kms:CreateKey'])], { Tags })
    expect(refusal.message).toMatch('not authorized to perform: kms:TagResource')
  })

  test('only into the Regions that kms:ReplicaRegion allows', async () => {
    const key = await stack.key()
    const only = { StringEquals: { 'kms:ReplicaRegion': IRELAND } }
    const refusal = await attempt(key, [
      allow('kms:ReplicateKey', '*', only),
      allow('kms:CreateKey'),
    ])
    expect(refusal.message).toMatch('not authorized to perform: kms:ReplicateKey')
  })
})

test('The trails of both Regions tell of a new replica', async () => {
  const key = await stack.key()
  await stack.replicate(key, WEST, { Description: 'told' })
  const named = async (region: string, name: string) =>
    (await stack.records(region)).filter(
      ({ eventName, resources }) =>
        eventName === name && resources?.some(({ ARN }) => ARN === key.arn(region)) === true,
    )
  const [replicated] = await named(EAST, 'ReplicateKey')
  expect(replicated).toMatchObject({
    awsRegion: EAST,
    readOnly: false,
    requestParameters: { keyId: key.keyId, replicaRegion: WEST, description: 'told' },
    responseElements: {
      replicaKeyMetadata: { arn: key.arn(WEST), keyState: 'Creating' },
      replicaPolicy: expect.stringContaining('key-default-1'),
    },
  })
  const [created] = await named(WEST, 'CreateKey')
  expect(created).toMatchObject({
    awsRegion: WEST,
    userIdentity: replicated?.userIdentity,
    requestParameters: { multiRegion: true, keySpec: 'SYMMETRIC_DEFAULT' },
    responseElements: { keyMetadata: { arn: key.arn(WEST) } },
  })
  expect(await named(WEST, 'SynchronizeMultiRegionKey')).toMatchObject([
    { eventType: 'AwsServiceEvent', userIdentity: { invokedBy: 'AWS Internal' } },
  ])
})

test('A refusal is recorded where it was given', async () => {
  const key = await stack.key()
  const user = await stack.user([{ Effect: 'Allow', Action: 'kms:ReplicateKey', Resource: '*' }])
  await refusalOf(
    clientOf(user, EAST).send(new ReplicateKeyCommand({ KeyId: key.keyId, ReplicaRegion: WEST })),
  )
  const refusals = async (region: string) =>
    (await stack.records(region)).filter(
      ({ errorCode, resources }) =>
        errorCode === 'AccessDenied' && resources?.some(({ ARN }) => ARN === key.arn(region)),
    )
  expect((await refusals(EAST)).map(({ eventName }) => eventName)).toEqual(['ReplicateKey'])
  expect((await refusals(WEST)).map(({ eventName }) => eventName)).toEqual(['CreateKey'])
})

test('A key that is not multi-Region is made under an id of its own in every Region', async () => {
  const { KeyMetadata } = await kms(WEST).send(new CreateKeyCommand({}))
  const elsewhere = kms(EAST).send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  expect((await refusalOf(elsewhere)).name).toBe('NotFoundException')
})
