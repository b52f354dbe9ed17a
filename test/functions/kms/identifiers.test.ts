/** How every operation that takes a key answers to each way of naming one. */
import { describe, expect, test } from 'vitest'
import { givenAlias, givenKey, kmsClient, newAliasName } from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)
const alias = await givenAlias(kms, key.keyId)
const ABSENT = '00000000-0000-0000-0000-00000000000A'
const base = `arn:aws:kms:us-east-1:${stack.account}`
const Plaintext = Buffer.from('x').toString('base64')
const { json: sealed } = jsonOf(await callKms(stack, 'Encrypt', { KeyId: key.keyId, Plaintext }))
const { CiphertextBlob } = sealed as { CiphertextBlob: string }

/** Operation, the member that names the key, what else the operation needs. */
type Case = readonly [operation: string, member: string, more: object]

const takingAliases: readonly Case[] = [
  ['DescribeKey', 'KeyId', {}],
  ['Encrypt', 'KeyId', { Plaintext }],
  ['Decrypt', 'KeyId', { CiphertextBlob }],
  ['GenerateDataKey', 'KeyId', { KeySpec: 'AES_256' }],
  ['GenerateDataKeyWithoutPlaintext', 'KeyId', { KeySpec: 'AES_256' }],
  ['ReEncrypt', 'SourceKeyId', { CiphertextBlob, DestinationKeyId: key.keyId }],
  ['ReEncrypt', 'DestinationKeyId', { CiphertextBlob }],
]

const takingKeysOnly: readonly Case[] = [
  ['EnableKey', 'KeyId', {}],
  ['DisableKey', 'KeyId', {}],
  ['ScheduleKeyDeletion', 'KeyId', {}],
  ['CancelKeyDeletion', 'KeyId', {}],
  ['GetKeyPolicy', 'KeyId', {}],
  ['PutKeyPolicy', 'KeyId', { Policy: '{}' }],
  ['ListKeyPolicies', 'KeyId', {}],
  ['GetKeyRotationStatus', 'KeyId', {}],
  ['ListResourceTags', 'KeyId', {}],
  ['TagResource', 'KeyId', { Tags: [] }],
  ['UntagResource', 'KeyId', { TagKeys: [] }],
  ['ListAliases', 'KeyId', {}],
]

const takingTargets: readonly Case[] = [
  ['CreateAlias', 'TargetKeyId', { AliasName: newAliasName() }],
  ['UpdateAlias', 'TargetKeyId', { AliasName: alias }],
]

const answer = async ([operation, member, more]: Case, name: unknown) =>
  jsonOf(await callKms(stack, operation, { ...more, [member]: name }))

const notFound = (message: string) => ({
  status: 400,
  json: { __type: 'NotFoundException', message },
})

describe.each([...takingAliases, ...takingKeysOnly, ...takingTargets])('%s by %s', (...each) => {
  test.for([
    ['a key that does not exist', ABSENT, `Key '${base}:key/${ABSENT}' does not exist`],
    ['its ARN', `${base}:key/${ABSENT}`, `Key '${base}:key/${ABSENT}' does not exist`],
    [
      'a multi-Region key that does not exist',
      'mrk-00000000000000000000000000000000',
      `Key '${base}:key/mrk-00000000000000000000000000000000' does not exist`,
    ],
    ['no form of a key id', 'nonsense', "Invalid keyId 'nonsense'"],
    ['half a key id', key.keyId.slice(0, 8), `Invalid keyId '${key.keyId.slice(0, 8)}'`],
    ['no form of a key id in an ARN', `${base}:key/nonsense`, 'Invalid keyId nonsense'],
    [
      'the ARN of another Region',
      key.arn.replace('us-east-1', 'eu-west-1'),
      'Invalid arn eu-west-1',
    ],
    [
      'the ARN of something else',
      'arn:aws:s3:us-east-1:111122223333:key/x',
      'Invalid arn arn:aws:s3:us-east-1:111122223333:key/x',
    ],
  ] as const)('answers to %s', async ([, name, message]) => {
    expect(await answer(each, name)).toEqual(notFound(message))
  })

  test('wants text', async () => {
    expect(await answer(each, 1)).toEqual({
      status: 400,
      json: {
        __type: 'SerializationException',
        message: 'NUMBER_VALUE can not be converted to a String',
      },
    })
  })

  test('wants 1 to 2048 characters of ASCII', async () => {
    for (const name of ['', 'x'.repeat(2049), 'ü']) {
      const { json } = await answer(each, name)
      expect(json).toMatchObject({ __type: 'ValidationException' })
    }
  })
})

describe.each(takingAliases)('%s by %s takes aliases', (...each) => {
  test('and tells those that do not exist', async () => {
    const message = `Alias ${base}:alias/absent is not found.`
    expect(await answer(each, 'alias/absent')).toEqual(notFound(message))
    expect(await answer(each, `${base}:alias/absent`)).toEqual(notFound(message))
  })

  test('of its own Region', async () => {
    const abroad = `${base.replace('us-east-1', 'eu-west-1')}:${alias}`
    expect(await answer(each, abroad)).toEqual(notFound('Invalid arn eu-west-1'))
  })

  test('and finds the key by them', async () => {
    for (const name of [alias, `${base}:${alias}`, key.arn, key.keyId.toUpperCase()]) {
      expect((await answer(each, name)).status).toBe(200)
    }
  })
})

test.each(takingKeysOnly)('%s by %s refuses aliases before looking them up', async (...each) => {
  for (const name of [alias, `${base}:${alias}`, 'alias/absent', `${base}:alias/absent`]) {
    expect(await answer(each, name)).toEqual({
      status: 400,
      json: {
        __type: 'InvalidArnException',
        message: 'Key Aliases are not supported for this operation.',
      },
    })
  }
})
