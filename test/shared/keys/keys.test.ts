import { expect, test } from 'vitest'
import { JsonError } from '../../../shared/errors.ts'
import { type KeyId, parseAccountId, parseKeyId, parseRegion } from '../../../shared/ids.ts'
import { changeable } from '../../../shared/keys/key-states.ts'
import { type FoundKey, Keys } from '../../../shared/keys/keys.ts'
import type { AliasRecord, KeyBundle, KeyRecord } from '../../../shared/store/records.ts'
import {
  type AliasRepository,
  ConditionFailed,
  type KeyRepository,
} from '../../../shared/store/repositories.ts'
import { givenClock } from '../../support/audit-records.ts'

const known = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('Not a valid identifier.')
  return value
}
const account = known(parseAccountId('111122223333'))
const region = known(parseRegion('eu-west-1'))
const keyId = known(parseKeyId('1234abcd-12ab-34cd-56ef-1234567890ab'))
const ARN = `arn:aws:kms:${region}:${account}:key/${keyId}`

const record = {
  account,
  region,
  keyId,
  createdAt: 0,
  description: '',
  keySpec: 'SYMMETRIC_DEFAULT',
  keyUsage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  manager: 'CUSTOMER',
  multiRegion: false,
  creatingUntil: null,
  identityKey: null,
  tags: [],
  stateEpoch: 1,
  rev: 1,
  state: 'Enabled',
  current: 'a'.repeat(64),
} as unknown as KeyRecord

/** Keys over a store in memory that holds one key; `reads` counts how often it is asked. */
function givenKeys({ cacheMs = 5000 } = {}) {
  const stored = {
    bundle: {
      key: record,
      policy: { document: '{}', rev: 1 },
      materials: [],
      rotation: null,
      lastUsage: null,
      related: null,
    } as KeyBundle | null,
    alias: null as AliasRecord | null,
    reads: 0,
    beforeUpdate: () => {},
  }
  const clock = givenClock()
  const keys = new Keys({
    keys: {
      async get(_account: string, _region: string, id: KeyId) {
        stored.reads += 1
        return id === keyId ? stored.bundle : null
      },
      async update(next: KeyRecord, rev: number) {
        stored.beforeUpdate()
        if (stored.bundle?.key.rev !== rev) throw new ConditionFailed()
        stored.bundle = { ...stored.bundle, key: next }
      },
      async putPolicy(_key: KeyRecord, next: KeyBundle['policy'], rev: number) {
        if (stored.bundle?.policy.rev !== rev) throw new ConditionFailed()
        stored.bundle = { ...stored.bundle, policy: next }
      },
    } as unknown as KeyRepository,
    aliases: { get: async () => stored.alias } as unknown as AliasRepository,
    clock,
    cacheMs,
  })
  const find = async (fresh = false) => {
    const found = await keys.find({ by: 'id', account, keyId, given: keyId }, region, fresh)
    return found as FoundKey
  }
  return { keys, stored, clock, find }
}

const describedAs =
  (description: string) =>
  (key: KeyRecord): KeyRecord => ({ ...key, description })

/** Somebody else's change, made to the store directly. */
const overtake = (stored: ReturnType<typeof givenKeys>['stored'], more: Partial<KeyRecord>) => {
  if (stored.bundle === null) return
  const { key } = stored.bundle
  stored.bundle = { ...stored.bundle, key: { ...key, ...more, rev: key.rev + 1 } as KeyRecord }
}

test('A key that was read is not read again for as long as the cache may keep it', async () => {
  const { stored, clock, find } = givenKeys()
  await find()
  await find()
  expect(stored.reads).toBe(1)
  clock.time += 5000
  await find()
  expect(stored.reads).toBe(2)
})

test('A fresh read asks the store', async () => {
  const { stored, find } = givenKeys()
  await find()
  await find(true)
  expect(stored.reads).toBe(2)
})

test('A change is seen at once', async () => {
  const { keys, find } = givenKeys()
  const found = await find()
  await keys.change(found, changeable, describedAs('new'))
  expect((await find()).key.description).toBe('new')
})

test('A change that changes nothing writes nothing', async () => {
  const { keys, stored, find } = givenKeys()
  await keys.change(await find(), changeable, () => null)
  expect(stored.bundle?.key.rev).toBe(1)
})

test('A change is tried again from what somebody else has made of the key', async () => {
  const { keys, stored, find } = givenKeys()
  const found = await find()
  overtake(stored, { description: 'theirs', tags: [{ TagKey: 'a', TagValue: '' }] })
  const changed = await keys.change(found, changeable, describedAs('ours'))
  expect(changed).toMatchObject({ description: 'ours', tags: [{ TagKey: 'a' }], rev: 3 })
})

test('A change is refused when somebody else has brought the key into a state that forbids it', async () => {
  const { keys, stored, find } = givenKeys()
  const found = await find()
  overtake(stored, { state: 'PendingDeletion' })
  await expect(keys.change(found, changeable, describedAs('ours'))).rejects.toMatchObject({
    code: 'KMSInvalidStateException',
    text: `${ARN} is pending deletion.`,
  })
  expect(stored.bundle?.key.description).toBe('')
})

test('A change of a key that is gone by now says so', async () => {
  const { keys, stored, find } = givenKeys()
  const found = await find()
  stored.bundle = null
  const attempt = keys.change(found, changeable, describedAs('ours'))
  await expect(attempt).rejects.toBeInstanceOf(JsonError)
  await expect(attempt).rejects.toMatchObject({ text: `Key '${ARN}' does not exist` })
})

test('A change that others overtake for ever is given up', async () => {
  const { keys, stored, find } = givenKeys()
  const found = await find()
  let attempts = 0
  stored.beforeUpdate = () => {
    attempts += 1
    overtake(stored, {})
  }
  const attempt = keys.change(found, changeable, describedAs('ours'))
  await expect(attempt).rejects.toBeInstanceOf(ConditionFailed)
  expect(attempts).toBe(8)
})

test('A policy replaces the one that was read, and is seen at once', async () => {
  const { keys, find } = givenKeys()
  await keys.putPolicy(await find(), '{"new":1}')
  expect((await find()).bundle.policy).toEqual({ document: '{"new":1}', rev: 2 })
})

test('A policy does not replace one that came in between', async () => {
  const { keys, stored, find } = givenKeys()
  const found = await find()
  await keys.putPolicy(await find(), '{"theirs":1}')
  await expect(keys.putPolicy(found, '{"ours":1}')).rejects.toBeInstanceOf(ConditionFailed)
  expect(stored.bundle?.policy.document).toBe('{"theirs":1}')
})

test('A key is found by an alias, and tells which', async () => {
  const { keys, stored } = givenKeys()
  const reference = { by: 'alias', account, aliasName: 'alias/a' as never } as const
  expect(await keys.find(reference, region, false)).toBeNull()
  const alias = { account, region, aliasName: 'alias/a', targetKeyId: keyId } as AliasRecord
  stored.alias = alias
  expect(await keys.find(reference, region, false)).toBeNull() // cached
  keys.forgetAlias(alias)
  expect(await keys.find(reference, region, false)).toMatchObject({
    arn: ARN,
    requestAlias: 'alias/a',
  })
})
