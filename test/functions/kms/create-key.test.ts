import {
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  ListResourceTagsCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import { kmsClient } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const create = (input: object = {}) =>
  kms.send(new CreateKeyCommand(input as CreateKeyCommandInput))
const attempt = (input: object) => refusalOf(create(input))

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

test('CreateKey without anything makes an enabled symmetric key, described in full', async () => {
  const before = Date.now()
  const { KeyMetadata } = await create()
  const { KeyId, CreationDate, ...rest } = KeyMetadata ?? {}
  expect(KeyId).toMatch(UUID)
  expect(CreationDate?.getTime()).toBeGreaterThanOrEqual(before - 1)
  expect(CreationDate?.getTime()).toBeLessThanOrEqual(Date.now())
  expect(rest).toEqual({
    AWSAccountId: stack.account,
    Arn: `arn:aws:kms:us-east-1:${stack.account}:key/${KeyId}`,
    Enabled: true,
    Description: '',
    KeyUsage: 'ENCRYPT_DECRYPT',
    KeyState: 'Enabled',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    KeySpec: 'SYMMETRIC_DEFAULT',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    MultiRegion: false,
    CurrentKeyMaterialId: expect.stringMatching(/^[0-9a-f]{64}$/),
  })
})

test('CreateKey writes times as seconds with a fraction, and leaves out what does not apply', async () => {
  const { json } = jsonOf(await callKms(stack, 'CreateKey', {}))
  const { KeyMetadata } = json as { KeyMetadata: Record<string, unknown> }
  expect(KeyMetadata.CreationDate).toBeTypeOf('number')
  expect(Object.values(KeyMetadata)).not.toContain(null)
  expect(KeyMetadata).not.toHaveProperty('DeletionDate')
  expect(KeyMetadata).not.toHaveProperty('MultiRegionConfiguration')
})

test('DescribeKey shows what CreateKey showed', async () => {
  const { KeyMetadata } = await create({ Description: 'Überweisungen' })
  const described = await kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  expect(described.KeyMetadata).toEqual(KeyMetadata)
  expect(described.KeyMetadata?.Description).toBe('Überweisungen')
})

test('Each call makes another key with other material', async () => {
  const [one, other] = [await create(), await create()]
  expect(one.KeyMetadata?.KeyId).not.toBe(other.KeyMetadata?.KeyId)
  expect(one.KeyMetadata?.CurrentKeyMaterialId).not.toBe(other.KeyMetadata?.CurrentKeyMaterialId)
})

/** Specs with their usages and algorithms (AWS KMS Developer Guide, "Key spec reference"). */
const RSA = ['RSA_2048', 'RSA_3072'] as const
const RSA_SIGNING = [
  'RSASSA_PKCS1_V1_5_SHA_256',
  'RSASSA_PKCS1_V1_5_SHA_384',
  'RSASSA_PKCS1_V1_5_SHA_512',
  'RSASSA_PSS_SHA_256',
  'RSASSA_PSS_SHA_384',
  'RSASSA_PSS_SHA_512',
]
const kinds: readonly (readonly [string, string, Readonly<Record<string, readonly string[]>>])[] = [
  ...RSA.flatMap((spec) => [
    [
      spec,
      'ENCRYPT_DECRYPT',
      { EncryptionAlgorithms: ['RSAES_OAEP_SHA_1', 'RSAES_OAEP_SHA_256'] },
    ] as const,
    [spec, 'SIGN_VERIFY', { SigningAlgorithms: RSA_SIGNING }] as const,
  ]),
  ['ECC_NIST_P256', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_256'] }],
  ['ECC_NIST_P384', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_384'] }],
  ['ECC_NIST_P521', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_512'] }],
  ['ECC_NIST_P256', 'KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
  ['ECC_NIST_P384', 'KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
  ['ECC_NIST_P521', 'KEY_AGREEMENT', { KeyAgreementAlgorithms: ['ECDH'] }],
  ['ECC_SECG_P256K1', 'SIGN_VERIFY', { SigningAlgorithms: ['ECDSA_SHA_256'] }],
  [
    'ECC_NIST_EDWARDS25519',
    'SIGN_VERIFY',
    { SigningAlgorithms: ['ED25519_PH_SHA_512', 'ED25519_SHA_512'] },
  ],
  ...[224, 256, 384, 512].map(
    (bits) =>
      [`HMAC_${bits}`, 'GENERATE_VERIFY_MAC', { MacAlgorithms: [`HMAC_SHA_${bits}`] }] as const,
  ),
  ...[44, 65, 87].map(
    (level) =>
      [`ML_DSA_${level}`, 'SIGN_VERIFY', { SigningAlgorithms: ['ML_DSA_SHAKE_256'] }] as const,
  ),
  ...[512, 768, 1024].map(
    (level) =>
      [
        `ML_KEM_${level}`,
        'ENCAPSULATE_DECAPSULATE',
        { EncapsulationAlgorithms: ['ML_KEM'] },
      ] as const,
  ),
]

test.for(kinds)('A key can be %s for %s', async ([KeySpec, KeyUsage, algorithms]) => {
  const { KeyMetadata } = await create({ KeySpec, KeyUsage } as CreateKeyCommandInput)
  expect(KeyMetadata).toEqual({
    AWSAccountId: stack.account,
    KeyId: KeyMetadata?.KeyId,
    Arn: `arn:aws:kms:us-east-1:${stack.account}:key/${KeyMetadata?.KeyId}`,
    CreationDate: expect.any(Date),
    Enabled: true,
    Description: '',
    KeyUsage,
    KeyState: 'Enabled',
    Origin: 'AWS_KMS',
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: KeySpec,
    KeySpec,
    ...algorithms,
    MultiRegion: false,
  })
  const described = await kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  expect(described.KeyMetadata).toEqual(KeyMetadata)
})

test('The deprecated name of the spec says the same', async () => {
  const { KeyMetadata } = await create({
    CustomerMasterKeySpec: 'ECC_NIST_P256',
    KeyUsage: 'SIGN_VERIFY',
  })
  expect(KeyMetadata).toMatchObject({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
})

test.for([
  ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ['RSA_4096', 'SIGN_VERIFY'],
  ['HMAC_512', 'GENERATE_VERIFY_MAC'],
  ['ECC_NIST_EDWARDS25519', 'SIGN_VERIFY'],
] as const)('A key of %s whose material is to be imported waits for it', async (kind) => {
  const [KeySpec, KeyUsage] = kind
  const { KeyMetadata } = await create({ KeySpec, KeyUsage, Origin: 'EXTERNAL' })
  expect(KeyMetadata).toMatchObject({ KeyState: 'PendingImport', Enabled: false })
  expect(KeyMetadata).not.toHaveProperty('CurrentKeyMaterialId')
  expect(KeyMetadata).not.toHaveProperty('ExpirationModel')
})

test('A multi-Region key has an id of its own form, and is its own primary', async () => {
  const { KeyMetadata } = await create({ MultiRegion: true })
  const { KeyId, Arn } = KeyMetadata ?? {}
  expect(KeyId).toMatch(/^mrk-[0-9a-f]{32}$/)
  expect(KeyMetadata).toMatchObject({
    MultiRegion: true,
    MultiRegionConfiguration: {
      MultiRegionKeyType: 'PRIMARY',
      PrimaryKey: { Arn, Region: 'us-east-1' },
      ReplicaKeys: [],
    },
  })
})

test('A key without a policy gets the default one, letter for letter', async () => {
  const { KeyMetadata } = await create()
  const { Policy, PolicyName } = await kms.send(
    new GetKeyPolicyCommand({ KeyId: KeyMetadata?.KeyId }),
  )
  expect(PolicyName).toBe('default')
  expect(Policy).toBe(`{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "arn:aws:iam::${stack.account}:root"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`)
})

test('A key is made in the Region of the signature, and nowhere else', async () => {
  const abroad = kmsClient({ ...stack, region: 'eu-west-1' })
  const { KeyMetadata } = await abroad.send(new CreateKeyCommand({}))
  expect(KeyMetadata?.Arn).toMatch(/^arn:aws:kms:eu-west-1:/)
  const here = kms.send(new DescribeKeyCommand({ KeyId: KeyMetadata?.KeyId }))
  expect(await refusalOf(here)).toEqual(
    refused(
      'NotFoundException',
      `Key 'arn:aws:kms:us-east-1:${stack.account}:key/${KeyMetadata?.KeyId}' does not exist`,
    ),
  )
})

describe('Tags at creation', () => {
  const tag = (TagKey: string, TagValue = '') => ({ TagKey, TagValue })

  test('are set in their order', async () => {
    const Tags = [tag('b', '2'), tag('a', '1'), tag('B', ''), tag('Größe', 'ä +-=._:/@')]
    const { KeyMetadata } = await create({ Tags })
    const listed = await kms.send(new ListResourceTagsCommand({ KeyId: KeyMetadata?.KeyId }))
    expect(listed.Tags).toEqual(Tags)
  })

  test('may be fifty, not more', async () => {
    const fifty = Array.from({ length: 50 }, (_, index) => tag(`tag${index}`))
    await create({ Tags: fifty })
    expect(await attempt({ Tags: [...fifty, tag('more')] })).toEqual(
      refused('TagException', 'Too many tags'),
    )
  })

  test.for(['aws:x', 'AWS:x', 'aWs:'])('must not begin with aws: in any case: %s', async (name) => {
    expect(await attempt({ Tags: [tag(name)] })).toEqual(
      refused('TagException', 'Tags beginning with aws: are reserved'),
    )
  })

  test('must have different names', async () => {
    expect(await attempt({ Tags: [tag('a', '1'), tag('a', '2')] })).toEqual(
      refused('TagException', 'Duplicate tag keys'),
    )
  })

  test.for([tag('a\nb'), tag('a', '<b>'), tag('a,b')])('must not hold %j', async (wrong) => {
    expect((await attempt({ Tags: [wrong] })).name).toBe('TagException')
  })

  test('have names of 1 to 128 and values of up to 256', async () => {
    await create({ Tags: [tag('n'.repeat(128), 'v'.repeat(256))] })
    const long = 'n'.repeat(129)
    const { json } = jsonOf(await callKms(stack, 'CreateKey', { Tags: [tag(long), {}] }))
    expect(json).toEqual({
      __type: 'ValidationException',
      message:
        `3 validation errors detected: Value '${long}' at 'tags.1.member.tagKey' failed to satisfy constraint: Member must have length less than or equal to 128; ` +
        "Value null at 'tags.2.member.tagKey' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member must not be null",
    })
  })
})

describe('CreateKey refuses', () => {
  test('both names of the key spec', async () => {
    expect(
      await attempt({ KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' }),
    ).toEqual(
      refused(
        'ValidationException',
        'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
      ),
    )
  })

  test('other specs without a usage', async () => {
    expect(await attempt({ KeySpec: 'RSA_2048' })).toEqual(
      refused(
        'ValidationException',
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      ),
    )
  })

  test.for([
    ['SYMMETRIC_DEFAULT', 'SIGN_VERIFY'],
    ['RSA_2048', 'GENERATE_VERIFY_MAC'],
    ['HMAC_256', 'ENCRYPT_DECRYPT'],
    ['ECC_SECG_P256K1', 'KEY_AGREEMENT'],
    ['ML_KEM_768', 'SIGN_VERIFY'],
  ])('a usage that does not fit the spec: %s, %s', async ([KeySpec, KeyUsage]) => {
    expect(await attempt({ KeySpec, KeyUsage })).toEqual(
      refused(
        'ValidationException',
        `KeyUsage ${KeyUsage} is not compatible with KeySpec ${KeySpec}`,
      ),
    )
  })

  test.for([
    { KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' },
    { Origin: 'AWS_CLOUDHSM' },
    { XksKeyId: 'a' },
  ])('what it cannot make here: %j', async (input) => {
    expect(await attempt(input)).toEqual(refused('UnsupportedOperationException', null))
  })

  test.for(['ML_DSA_44', 'ML_DSA_65', 'ML_DSA_87'])('import into %s', async (KeySpec) => {
    expect(await attempt({ KeySpec, KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' })).toEqual(
      refused('ValidationException', `KeySpec ${KeySpec} is not supported for Origin EXTERNAL`),
    )
  })

  test('custom key stores, of which there are none', async () => {
    expect(await attempt({ CustomKeyStoreId: 'cks-1', Origin: 'AWS_CLOUDHSM' })).toEqual(
      refused('CustomKeyStoreNotFoundException', null),
    )
  })

  test('specs that came after the deprecated member', async () => {
    const input = { CustomerMasterKeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY' }
    expect((await attempt(input)).name).toBe('ValidationException')
  })

  test('a description of more than 8192 characters', async () => {
    await create({ Description: 'd'.repeat(8192) })
    const { message } = await attempt({ Description: 'd'.repeat(8193) })
    expect(message).toMatch(
      /^1 validation error detected: Value 'd+' at 'description' failed to satisfy constraint: Member must have length less than or equal to 8192$/,
    )
  })
})
