/** Conditions on what a key is at the moment: its place in its set, its aliases, its last use. */
import {
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  PutKeyPolicyCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { afterAll, describe, expect, test } from 'vitest'
import { parseKeyId } from '../../../shared/ids.ts'
import { allow, deny, encryptAs } from '../../support/grants.ts'
import { givenAlias, givenKey, kmsClient } from '../../support/kms.ts'
import { refusalOf } from '../../support/refusal.ts'
import { givenTenantsStack, type User } from '../../support/tenants-stack.ts'

const stack = await givenTenantsStack()
afterAll(() => stack.close())

const { admin } = stack
const kms = kmsClient(admin)
let users = 0
const givenUser = (...policies: object[]) => stack.user(admin.account, `c${++users}`, ...policies)
const denied = async (attempt: Promise<unknown>) =>
  expect((await refusalOf(attempt)).name).toBe('AccessDeniedException')
const describeAs = (user: User, KeyId: string) =>
  kmsClient(user).send(new DescribeKeyCommand({ KeyId }))

test('kms:MultiRegionKeyType tells primary keys from replicas, and neither from single-Region keys', async () => {
  const of = (type: string) =>
    givenUser(allow('kms:*', { Condition: { StringEquals: { 'kms:MultiRegionKeyType': type } } }))
  const [primaries, replicas] = [await of('PRIMARY'), await of('REPLICA')]
  const { keyId } = await givenKey(kms, { MultiRegion: true })
  await kms.send(new ReplicateKeyCommand({ KeyId: keyId, ReplicaRegion: 'eu-west-1' }))
  await kmsClient(primaries).send(new CreateKeyCommand({ MultiRegion: true }))
  await denied(kmsClient(primaries).send(new CreateKeyCommand({})))
  await denied(kmsClient(replicas).send(new CreateKeyCommand({ MultiRegion: true })))
  await describeAs(primaries, keyId)
  await denied(describeAs(replicas, keyId))
  const there = (user: User) => describeAs({ ...user, region: 'eu-west-1' }, keyId)
  await there(replicas)
  await denied(there(primaries))
  const single = await givenKey(kms)
  for (const user of [primaries, replicas]) await denied(describeAs(user, single.keyId))
})

describe('kms:ResourceAliases', () => {
  const named = (alias: string) => ({
    Condition: { 'ForAnyValue:StringLike': { 'kms:ResourceAliases': alias } },
  })

  test('lets by any alias of the key, whatever the request calls it', async () => {
    const [key, another] = [await givenKey(kms), await givenKey(kms)]
    const [first, second] = [await givenAlias(kms, key.keyId), await givenAlias(kms, key.keyId)]
    for (const alias of [first, second]) {
      const user = await givenUser(allow('kms:*', named(alias)))
      for (const name of [key.keyId, key.arn, first, second]) await encryptAs(user, name)
      await denied(encryptAs(user, another.keyId))
    }
  })

  test('counts what the aliases are now', async () => {
    const [key, another] = [await givenKey(kms), await givenKey(kms)]
    const alias = await givenAlias(kms, key.keyId)
    const user = await givenUser(allow('kms:*', named(alias)))
    await encryptAs(user, key.keyId)
    await kms.send(new UpdateAliasCommand({ AliasName: alias, TargetKeyId: another.keyId }))
    await denied(encryptAs(user, key.keyId))
    await encryptAs(user, another.keyId)
    await kms.send(new DeleteAliasCommand({ AliasName: alias }))
    await denied(encryptAs(user, another.keyId))
  })

  test('can deny', async () => {
    const key = await givenKey(kms)
    const user = await givenUser(allow('kms:*'), deny('kms:*', named('alias/test/*')))
    await encryptAs(user, key.keyId)
    await givenAlias(kms, key.keyId)
    await denied(encryptAs(user, key.keyId))
  })

  test('is refused in a key policy', async () => {
    const { keyId } = await givenKey(kms)
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal: { AWS: admin.account }, Action: 'kms:*', Resource: '*' },
        {
          Effect: 'Allow',
          Principal: { AWS: admin.account },
          Action: 'kms:Encrypt',
          Resource: '*',
          ...named('alias/a'),
        },
      ],
    })
    const attempt = kms.send(new PutKeyPolicyCommand({ KeyId: keyId, Policy }))
    expect((await refusalOf(attempt)).name).toBe('MalformedPolicyDocumentException')
    const creation = kms.send(new CreateKeyCommand({ Policy }))
    expect((await refusalOf(creation)).name).toBe('MalformedPolicyDocumentException')
  })

  test('costs nothing those whose policies do not ask for it', async () => {
    const key = await givenKey(kms)
    const { aliases } = stack.services.store
    const list = aliases.listOfKey
    let reads = 0
    const counting = aliases as { listOfKey: typeof list }
    counting.listOfKey = (...of) => {
      reads += 1
      return list(...of)
    }
    try {
      await encryptAs(admin, key.keyId)
      expect(reads).toBe(0)
      await denied(encryptAs(await givenUser(allow('kms:*', named('alias/a'))), key.keyId))
      expect(reads).toBe(1)
    } finally {
      counting.listOfKey = list
    }
  })
})

describe('kms:TrailingDaysWithoutKeyUsage', () => {
  const idle = (days: number) =>
    givenUser(
      allow('kms:*', {
        Condition: { NumericGreaterThanEquals: { 'kms:TrailingDaysWithoutKeyUsage': days } },
      }),
    )
  const DAY_MS = 86_400_000

  async function givenUsedKey(daysAgo: number) {
    const key = await givenKey(kms)
    const { services, region } = await stack.call(admin)
    const keyId = parseKeyId(key.keyId)
    if (keyId === null) throw new Error('Not a key id.')
    await services.store.keyUsage.put(
      { account: admin.account, region, keyId },
      {
        operation: 'Encrypt',
        at: services.clock.now() - daysAgo * DAY_MS - 1000,
        eventId: 'event-1',
        requestId: 'request-1',
      },
    )
    return key
  }

  test('lets keys be put out of use that were not used for so long', async () => {
    const [used, now] = [await givenUsedKey(30), await givenUsedKey(29)]
    const client = kmsClient(await idle(30))
    await denied(client.send(new DisableKeyCommand({ KeyId: now.keyId })))
    await denied(client.send(new ScheduleKeyDeletionCommand({ KeyId: now.keyId })))
    await client.send(new DisableKeyCommand({ KeyId: used.keyId }))
    await client.send(new ScheduleKeyDeletionCommand({ KeyId: used.keyId }))
  })

  test('of a key that was never used counts from its creation', async () => {
    const { keyId } = await givenKey(kms)
    await denied(kmsClient(await idle(1)).send(new DisableKeyCommand({ KeyId: keyId })))
    await kmsClient(await idle(0)).send(new DisableKeyCommand({ KeyId: keyId }))
  })

  test('is there for nothing else', async () => {
    const used = await givenUsedKey(30)
    await denied(describeAs(await idle(0), used.keyId))
  })
})
