import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  ListAliasesCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { describe, expect, test } from 'vitest'
import {
  givenAlias,
  givenKey,
  givenKeyPendingDeletion,
  kmsClient,
  newAliasName,
} from '../../support/kms.ts'
import { callKms, jsonOf } from '../../support/raw-call.ts'
import { refusalOf, refused } from '../../support/refusal.ts'
import { givenStack } from '../../support/stack-client.ts'

const stack = givenStack()
const kms = kmsClient(stack)
const key = await givenKey(kms)

const create = (AliasName: string, TargetKeyId = key.keyId) =>
  kms.send(new CreateAliasCommand({ AliasName, TargetKeyId }))
const update = (AliasName: string, TargetKeyId: string) =>
  kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId }))
const remove = (AliasName: string) => kms.send(new DeleteAliasCommand({ AliasName }))
const targetOf = async (alias: string) =>
  (await kms.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId
const aliasesOf = async (KeyId: string) =>
  (await kms.send(new ListAliasesCommand({ KeyId }))).Aliases ?? []

const arnOf = (alias: string) => `arn:aws:kms:us-east-1:${stack.account}:${alias}`
const missing = (alias: string) =>
  refused('NotFoundException', `Alias ${arnOf(alias)} is not found.`)

test('An alias names its key by id or ARN, until it is deleted', async () => {
  for (const target of [key.keyId, key.arn, key.keyId.toUpperCase()]) {
    const alias = newAliasName()
    await create(alias, target)
    expect(await targetOf(alias)).toBe(key.keyId)
    await remove(alias)
    expect(await refusalOf(targetOf(alias))).toEqual(missing(alias))
  }
})

test('The three answer with an empty body', async () => {
  const alias = newAliasName()
  for (const [operation, input] of [
    ['CreateAlias', { AliasName: alias, TargetKeyId: key.keyId }],
    ['UpdateAlias', { AliasName: alias, TargetKeyId: key.keyId }],
    ['DeleteAlias', { AliasName: alias }],
  ] as const) {
    const { status, body } = await callKms(stack, operation, input)
    expect([operation, status, body]).toEqual([operation, 200, ''])
  }
})

test('An alias that moves belongs to the new key alone', async () => {
  const [one, other] = [await givenKey(kms), await givenKey(kms)]
  const alias = await givenAlias(kms, one.keyId)
  const [before] = await aliasesOf(one.keyId)
  await update(alias, other.arn)
  expect(await targetOf(alias)).toBe(other.keyId)
  expect(await aliasesOf(one.keyId)).toEqual([])
  const [after] = await aliasesOf(other.keyId)
  expect(after).toEqual({
    AliasName: alias,
    AliasArn: arnOf(alias),
    TargetKeyId: other.keyId,
    CreationDate: before?.CreationDate,
    LastUpdatedDate: expect.any(Date),
  })
  expect(Number(after?.LastUpdatedDate)).toBeGreaterThan(Number(before?.LastUpdatedDate))
})

test('An alias does not move between symmetric and asymmetric keys, though both encrypt', async () => {
  const { keyId } = await givenKey(kms, { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  for (const [from, to, words] of [
    [key.keyId, keyId, 'from a key with spec SYMMETRIC_DEFAULT to a key with spec RSA_2048'],
    [keyId, key.keyId, 'from a key with spec RSA_2048 to a key with spec SYMMETRIC_DEFAULT'],
  ] as const) {
    const alias = await givenAlias(kms, from)
    expect(await refusalOf(update(alias, to))).toEqual(
      refused('ValidationException', `Alias can not be changed ${words}`),
    )
    expect(await targetOf(alias)).toBe(from)
  }
})

test('Names that differ in case are different aliases', async () => {
  const alias = newAliasName()
  await create(`${alias}A`)
  await create(`${alias}a`)
})

test('The same name can be used in every Region', async () => {
  const alias = await givenAlias(kms, key.keyId)
  const abroad = kmsClient({ ...stack, region: 'eu-west-1' })
  const { keyId } = await givenKey(abroad)
  await abroad.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: keyId }))
  const described = await abroad.send(new DescribeKeyCommand({ KeyId: alias }))
  expect(described.KeyMetadata?.KeyId).toBe(keyId)
  expect(await targetOf(alias)).toBe(key.keyId)
})

test('A name that is taken is not given again', async () => {
  const alias = await givenAlias(kms, key.keyId)
  const other = await givenKey(kms)
  for (const target of [key.keyId, other.keyId]) {
    expect(await refusalOf(create(alias, target))).toEqual(
      refused('AlreadyExistsException', `An alias with the name ${arnOf(alias)} already exists`),
    )
  }
  expect(await targetOf(alias)).toBe(key.keyId)
})

test('Of many who ask for one name, one gets it', async () => {
  const alias = newAliasName()
  const answers = await Promise.allSettled(Array.from({ length: 8 }, () => create(alias)))
  expect(answers.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
})

test('A key has fifty aliases, not more', async () => {
  const { keyId } = await givenKey(kms)
  const names = Array.from({ length: 50 }, newAliasName)
  for (const name of names) await create(name, keyId)
  const full = refused(
    'LimitExceededException',
    'Aliases per key quota for this account in this region is 50, current usage is 50.',
  )
  expect(await refusalOf(create(newAliasName(), keyId))).toEqual(full)
  const other = await givenAlias(kms, (await givenKey(kms)).keyId)
  expect(await refusalOf(update(other, keyId))).toEqual(full)
  await update(names[0] ?? '', keyId) // it is there already
  await remove(names[0] ?? '')
  await create(newAliasName(), keyId)
}, 60_000)

describe('A name is refused:', () => {
  const noPrefix = refused(
    'ValidationException',
    'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  )
  const reserved = refused('NotAuthorizedException', null)
  const attempts = [
    ['CreateAlias', (name: string) => create(name)],
    ['UpdateAlias', (name: string) => update(name, key.keyId)],
    ['DeleteAlias', (name: string) => remove(name)],
  ] as const

  describe.each(attempts)('%s', (_, attempt) => {
    test.for(['payments', 'Alias/payments', 'alias/', 'alias'])(
      'without prefix: %s',
      async (name) => {
        expect(await refusalOf(attempt(name))).toEqual(noPrefix)
      },
    )

    test('one that belongs to AWS services', async () => {
      expect(await refusalOf(attempt('alias/aws/s3'))).toEqual(reserved)
    })

    test('one with a colon', async () => {
      expect(await refusalOf(attempt('alias/a:b'))).toEqual(
        refused('ValidationException', 'alias/a:b contains invalid characters for an alias'),
      )
    })
  })

  test('one with other characters, or too long', async () => {
    const long = `alias/${'x'.repeat(251)}`
    const failed = (name: string, constraint: string) => ({
      __type: 'ValidationException',
      message: `1 validation error detected: Value '${name}' at 'aliasName' failed to satisfy constraint: ${constraint}`,
    })
    const answer = async (AliasName: string) =>
      jsonOf(await callKms(stack, 'CreateAlias', { AliasName, TargetKeyId: key.keyId })).json
    expect(await answer('alias/a b')).toEqual(
      failed('alias/a b', 'Member must satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$'),
    )
    expect(await answer(long)).toEqual(
      failed(long, 'Member must have length less than or equal to 256'),
    )
  })
})

describe('A target is refused:', () => {
  const attempts = [
    ['CreateAlias', (target: string) => create(newAliasName(), target)],
    ['UpdateAlias', async (target: string) => update(await givenAlias(kms, key.keyId), target)],
  ] as const

  describe.each(attempts)('%s', (_, attempt) => {
    test('an alias', async () => {
      const alias = await givenAlias(kms, key.keyId)
      for (const target of [alias, arnOf(alias), 'alias/absent']) {
        expect(await refusalOf(attempt(target))).toEqual(
          refused('ValidationException', 'Aliases must refer to keys. Not aliases'),
        )
      }
    })

    test('a key that does not exist', async () => {
      const absent = '00000000-0000-0000-0000-000000000000'
      expect(await refusalOf(attempt(absent))).toEqual(
        refused(
          'NotFoundException',
          `Key 'arn:aws:kms:us-east-1:${stack.account}:key/${absent}' does not exist`,
        ),
      )
    })

    test('a key of another Region', async () => {
      const arn = key.arn.replace('us-east-1', 'eu-west-1')
      expect(await refusalOf(attempt(arn))).toEqual(
        refused('NotFoundException', 'Invalid arn eu-west-1'),
      )
    })

    test('a key pending deletion', async () => {
      const pending = await givenKeyPendingDeletion(kms)
      expect(await refusalOf(attempt(pending.keyId))).toEqual(
        refused('KMSInvalidStateException', `${pending.arn} is pending deletion.`),
      )
    })
  })
})

test('What is not there cannot be moved or deleted', async () => {
  const alias = newAliasName()
  expect(await refusalOf(update(alias, key.keyId))).toEqual(missing(alias))
  expect(await refusalOf(remove(alias))).toEqual(missing(alias))
})

test('An alias can be taken from a key pending deletion', async () => {
  const one = await givenKey(kms)
  const [first, second] = [await givenAlias(kms, one.keyId), await givenAlias(kms, one.keyId)]
  await callKms(stack, 'ScheduleKeyDeletion', { KeyId: one.keyId })
  await update(first, key.keyId)
  expect(await targetOf(first)).toBe(key.keyId)
  await remove(second)
})
