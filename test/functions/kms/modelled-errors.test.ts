/** Every operation, called in many wrong ways: what it answers is an error that clients know of it. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readFunctions } from '../../../infra/local/functions.ts'
import {
  givenAlias,
  givenDisabledKey,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenStack } from '../../support/stack-client.ts'
import { vectors } from '../../support/vectors.ts'

const modelled = vectors<Readonly<Record<string, readonly string[]>>>('kms-operation-errors.json')
/** What AWS answers with everywhere, listed or not (AWS KMS API reference, "Common errors"). */
const COMMON = [
  'AccessDeniedException',
  'NotAuthorizedException',
  'SerializationException',
  'ValidationException',
]
/** Where there is no better name: attestation documents cannot be checked here. */
const BEYOND: Readonly<Record<string, readonly string[]>> = {
  Decrypt: ['UnsupportedOperationException'],
  GenerateDataKey: ['UnsupportedOperationException'],
}

const stack = givenStack()
const kms = kmsClient(stack)
const keys = [
  await givenKey(kms),
  await givenDisabledKey(kms),
  await givenKeyPendingDeletion(kms),
  await givenKey(kms, { Tags: [{ TagKey: 'a', TagValue: 'b' }] }),
]
const alias = await givenAlias(kms, keys[0]?.keyId ?? '')
const Plaintext = 'eA=='
const blobs = await Promise.all(
  [0, 3].map(async (index) => {
    const answer = await callKms(stack, 'Encrypt', { KeyId: keys[index]?.keyId, Plaintext })
    return (JSON.parse(answer.body) as { CiphertextBlob: string }).CiphertextBlob
  }),
)

const oneOf = (...values: unknown[]) => fc.constantFrom<unknown>(...values)
const wrong = oneOf(undefined, null, 1, '', [], {}, 'nonsense', true)
const mostly = (good: fc.Arbitrary<unknown>) =>
  fc.oneof({ weight: 6, arbitrary: good }, { weight: 1, arbitrary: wrong })

const keyName = mostly(
  oneOf(
    ...keys.flatMap(({ keyId, arn }) => [keyId, arn]),
    alias,
    'alias/absent',
    '00000000-0000-0000-0000-000000000000',
    keys[0]?.arn.replace('us-east-1', 'eu-west-1'),
    keys[0]?.arn.replace(/\d{12}/, '999988887777'),
  ),
)
const context = mostly(oneOf(undefined, {}, { a: 'b' }, { a: 'x'.repeat(9000) }))
const algorithm = mostly(oneOf(undefined, 'SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_256', 'SM2PKE'))
const aliasName = mostly(oneOf(alias, 'alias/absent', 'alias/aws/s3', 'alias/a:b', 'none'))
const ciphertext = mostly(oneOf(...blobs, Plaintext, `${blobs[0]?.slice(0, -4)}AAAA`))
const policy = mostly(
  oneOf(
    '{}',
    '{',
    '{"Statement":[]}',
    '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:*","Resource":"*"}]}',
    '{"Statement":[{"Effect":"Allow","Principal":{"AWS":"nobody"},"Action":"kms:*"}]}',
    '{"Statement":[{"Effect":"Allow","Principal":"*","Action":"kms:Encrypt"}]}',
    `{"Id":"${'x'.repeat(33_000)}"}`,
  ),
)
const tags = mostly(
  fc.array(
    fc.record({ TagKey: mostly(oneOf('a', 'b', 'aws:c')), TagValue: mostly(oneOf('', 'v')) }),
    { maxLength: 3 },
  ),
)
const recipient = oneOf(undefined, undefined, undefined, { AttestationDocument: Plaintext }, 1)
const grantTokens = oneOf(undefined, undefined, undefined, ['token'], [''])
const flag = mostly(oneOf(undefined, false, true))

/** By member, what a request may hold there. */
const members: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  KeyId: keyName,
  TargetKeyId: keyName,
  SourceKeyId: fc.oneof(keyName, fc.constant(undefined)),
  DestinationKeyId: keyName,
  AliasName: aliasName,
  BypassPolicyLockoutSafetyCheck: flag,
  CiphertextBlob: ciphertext,
  CustomKeyStoreId: oneOf(undefined, undefined, 'cks-1'),
  CustomerMasterKeySpec: oneOf(undefined, undefined, 'SYMMETRIC_DEFAULT', 'RSA_2048'),
  Description: mostly(oneOf(undefined, 'text')),
  DestinationEncryptionAlgorithm: algorithm,
  DestinationEncryptionContext: context,
  DryRun: flag,
  DryRunModifiers: oneOf(undefined, undefined, ['IGNORE_CIPHERTEXT']),
  EncryptionAlgorithm: algorithm,
  EncryptionContext: context,
  GrantTokens: grantTokens,
  KeySpec: mostly(oneOf(undefined, 'AES_256', 'SYMMETRIC_DEFAULT', 'RSA_2048')),
  KeyUsage: mostly(oneOf(undefined, 'ENCRYPT_DECRYPT', 'SIGN_VERIFY')),
  Limit: mostly(oneOf(undefined, 1, 100, 1001)),
  Marker: mostly(oneOf(undefined, 'marker')),
  MultiRegion: flag,
  NumberOfBytes: mostly(oneOf(undefined, 16, 1025)),
  Origin: oneOf(undefined, 'AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM'),
  PendingWindowInDays: mostly(oneOf(undefined, 5, 30, 366)),
  Plaintext: mostly(oneOf(Plaintext)),
  Policy: policy,
  PolicyName: mostly(oneOf(undefined, 'default', 'other')),
  Recipient: recipient,
  SourceEncryptionAlgorithm: algorithm,
  SourceEncryptionContext: context,
  TagKeys: mostly(oneOf(['a'], ['absent'], [])),
  Tags: tags,
  XksKeyId: oneOf(undefined, undefined, 'a'),
}

/** What each operation here takes. */
const operations: Readonly<Record<string, readonly string[]>> = {
  CancelKeyDeletion: ['KeyId'],
  CreateAlias: ['AliasName', 'TargetKeyId'],
  CreateKey: [
    'Policy',
    'Description',
    'KeyUsage',
    'CustomerMasterKeySpec',
    'KeySpec',
    'Origin',
    'CustomKeyStoreId',
    'BypassPolicyLockoutSafetyCheck',
    'Tags',
    'MultiRegion',
    'XksKeyId',
  ],
  Decrypt: [
    'CiphertextBlob',
    'EncryptionContext',
    'GrantTokens',
    'KeyId',
    'EncryptionAlgorithm',
    'Recipient',
    'DryRun',
    'DryRunModifiers',
  ],
  DeleteAlias: ['AliasName'],
  DescribeKey: ['KeyId', 'GrantTokens'],
  DisableKey: ['KeyId'],
  EnableKey: ['KeyId'],
  Encrypt: [
    'KeyId',
    'Plaintext',
    'EncryptionContext',
    'GrantTokens',
    'EncryptionAlgorithm',
    'DryRun',
  ],
  GenerateDataKey: [
    'KeyId',
    'EncryptionContext',
    'NumberOfBytes',
    'KeySpec',
    'GrantTokens',
    'Recipient',
    'DryRun',
  ],
  GenerateDataKeyWithoutPlaintext: [
    'KeyId',
    'EncryptionContext',
    'NumberOfBytes',
    'KeySpec',
    'GrantTokens',
    'DryRun',
  ],
  GenerateRandom: ['NumberOfBytes', 'CustomKeyStoreId', 'Recipient'],
  GetKeyPolicy: ['KeyId', 'PolicyName'],
  GetKeyRotationStatus: ['KeyId'],
  ListAliases: ['KeyId', 'Limit', 'Marker'],
  ListKeyPolicies: ['KeyId', 'Limit', 'Marker'],
  ListKeys: ['Limit', 'Marker'],
  ListResourceTags: ['KeyId', 'Limit', 'Marker'],
  ReEncrypt: [
    'CiphertextBlob',
    'SourceEncryptionContext',
    'SourceKeyId',
    'DestinationKeyId',
    'DestinationEncryptionContext',
    'SourceEncryptionAlgorithm',
    'DestinationEncryptionAlgorithm',
    'GrantTokens',
    'DryRun',
    'DryRunModifiers',
  ],
  ScheduleKeyDeletion: ['KeyId', 'PendingWindowInDays'],
  TagResource: ['KeyId', 'Tags'],
  UntagResource: ['KeyId', 'TagKeys'],
  UpdateAlias: ['AliasName', 'TargetKeyId'],
  // Last, since it may lock everybody out.
  PutKeyPolicy: ['KeyId', 'PolicyName', 'Policy', 'BypassPolicyLockoutSafetyCheck'],
}

test('No operation is left out', async () => {
  const described = (await readFunctions()).flatMap(({ handler, events }) =>
    handler.startsWith('functions/kms/')
      ? events.flatMap(({ httpApi }) => (typeof httpApi === 'string' ? [httpApi] : []))
      : [],
  )
  const names = described.map((route) => route.replace('POST /kms/', ''))
  expect(Object.keys(operations).toSorted()).toEqual(names.toSorted())
})

describe('However it is called, it succeeds or gives an error that its model lists:', () => {
  test.each(Object.entries(operations))('%s', async (operation, names) => {
    const known = [...COMMON, ...(modelled[operation] ?? []), ...(BEYOND[operation] ?? [])]
    const request = fc.record(
      Object.fromEntries(names.map((name) => [name, members[name] ?? wrong])),
    )
    await fc.assert(
      fc.asyncProperty(request, async (input) => {
        const { status, json } = jsonOf(await callKms(stack, operation, input))
        if (status === 200) return
        expect(status).toBe(400)
        const { __type, ...rest } = json as { __type: string; message?: string }
        expect(known).toContain(__type)
        expect(Object.keys(rest)).toEqual('message' in rest ? ['message'] : [])
      }),
      { numRuns: 80 },
    )
  })
})
