import { PutCommand } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import { type AccountId, parseKeyId } from '../../../shared/ids.ts'
import type {
  KeyRecord,
  LastUsageRecord,
  MaterialRecord,
  RelatedKeysRecord,
  RotationRecord,
} from '../../../shared/store/records.ts'
import { ConditionFailed, RowMisplaced } from '../../../shared/store/repositories.ts'
import { type Given, winners } from './contract.ts'
import {
  givenAccount,
  givenBundle,
  givenKey,
  givenMaterial,
  keyIdOf,
  must,
  otherRegion,
  region,
} from './given.ts'

const MRK = must(parseKeyId(`mrk-${'a1'.repeat(16)}`))

const rotation: RotationRecord = {
  automatic: { periodDays: 365, nextDate: 5000 },
  onDemandSince: null,
  onDemandCount: 3,
  dueAt: 5000,
  rev: 1,
}

const usage = (at: number, operation = 'Encrypt'): LastUsageRecord => ({
  operation,
  at,
  eventId: `event-${at}`,
  requestId: `request-${at}`,
})

const relatedOf = (account: AccountId): RelatedKeysRecord => ({
  account,
  keyId: MRK,
  primary: region,
  replicas: [],
  updating: null,
  rev: 1,
})

/** Material, rotation, last use and relatives of keys. */
export function rotationContract(given: Given): void {
  const store = () => given.store()
  const bundle = (account: AccountId, keyId = keyIdOf(1)) =>
    store().keys.get(account, region, keyId)

  async function givenStored(change: Partial<KeyRecord> = {}): Promise<KeyRecord> {
    const account = givenAccount()
    const key = { ...givenKey(account), ...change } as KeyRecord
    const materials = [givenMaterial(account, key.keyId)]
    await store().keys.create({ ...givenBundle(account, key.keyId), key, materials })
    return key
  }

  test('imported material is read back, also when its bytes are gone', async () => {
    const { account } = await givenStored()
    const imported = { description: 'from the safe', validTo: 7000 }
    const one = { ...givenMaterial(account, keyIdOf(1), 2), imported }
    await store().keys.putMaterial(one, null)
    expect((await bundle(account))?.materials[1]).toEqual(one)
    const emptied: MaterialRecord = {
      ...one,
      wrapped: null,
      imported: { description: null, validTo: null },
      rotation: { date: 9000, type: 'ON_DEMAND' },
      rev: 2,
    }
    await store().keys.putMaterial(emptied, 1)
    expect((await bundle(account))?.materials[1]).toEqual(emptied)
    await store().keys.deleteMaterial(emptied)
    expect((await bundle(account))?.materials).toHaveLength(1)
  })

  test('of racing versions of material one is written, and none over another revision', async () => {
    const { account } = await givenStored()
    const versions = [1, 2, 3].map((createdAt) => ({
      ...givenMaterial(account, keyIdOf(1), 2),
      createdAt,
    }))
    const attempts = versions.map((version) => store().keys.putMaterial(version, null))
    expect(await winners(attempts, ConditionFailed)).toBe(1)
    const stale = store().keys.putMaterial({ ...givenMaterial(account), rev: 8 }, 7)
    await expect(stale).rejects.toThrow(ConditionFailed)
    const deletion = store().keys.deleteMaterial({ ...givenMaterial(account), rev: 7 })
    await expect(deletion).rejects.toThrow(ConditionFailed)
  })

  test('material whose time is over is found, what waits for its rotation is not', async () => {
    const { account } = await givenStored()
    const expiring = (number: number, change: Partial<MaterialRecord> = {}) => ({
      ...givenMaterial(account, keyIdOf(1), number),
      imported: { description: null, validTo: 1000 },
      rotation: { date: 1, type: 'ON_DEMAND' } as const,
      ...change,
    })
    const versions = [
      expiring(2),
      expiring(3, { rotation: null }),
      expiring(4, { wrapped: null }),
      expiring(5, { imported: { description: null, validTo: 3000 } }),
      expiring(6, { imported: { description: null, validTo: null } }),
    ]
    for (const version of versions) await store().keys.putMaterial(version, null)
    const due = await store().keys.dueForExpiry(2000, 1000)
    const own = due.filter((material) => material.account === account)
    expect(own.map(({ number }) => number)).toEqual([2])
    expect(await store().keys.nextDue()).toBeLessThanOrEqual(1000)
  })

  test('a rotation is read with its key, and found when it is due', async () => {
    const key = await givenStored()
    expect((await bundle(key.account))?.rotation).toBeNull()
    await store().rotations.put(key, rotation, null)
    expect((await bundle(key.account))?.rotation).toEqual(rotation)
    const isOwn = ({ account }: { account: AccountId }) => account === key.account
    expect((await store().rotations.due(4999, 1000)).filter(isOwn)).toEqual([])
    const { account, keyId } = key
    expect((await store().rotations.due(5000, 1000)).filter(isOwn)).toEqual([
      { account, region, keyId },
    ])
    const ended = { ...rotation, automatic: null, onDemandSince: 7, dueAt: null, rev: 2 }
    await store().rotations.put(key, ended, 1)
    expect((await bundle(key.account))?.rotation).toEqual(ended)
    expect((await store().rotations.due(9e12, 1000)).filter(isOwn)).toEqual([])
    await expect(store().rotations.put(key, { ...rotation, rev: 2 }, 1)).rejects.toThrow(
      ConditionFailed,
    )
  })

  test('of the uses of a key the newest is kept', async () => {
    const key = await givenStored()
    for (const at of [20, 30, 10, 30]) await store().keyUsage.put(key, usage(at, `Sign${at}`))
    expect((await bundle(key.account))?.lastUsage).toEqual(usage(30, 'Sign30'))
  })

  test('multi-Region keys share their set and their rotation', async () => {
    const key = await givenStored({ keyId: MRK, multiRegion: true })
    const { account } = key
    const related = relatedOf(account)
    await store().relatedKeys.put(related, null)
    await expect(store().relatedKeys.put(related, null)).rejects.toThrow(ConditionFailed)
    await store().rotations.put(key, rotation, null)
    const replica = { ...key, region: otherRegion }
    const materials = [{ ...givenMaterial(account, MRK), region: otherRegion }]
    await store().keys.create({ ...givenBundle(account, MRK), key: replica, materials })
    const next = {
      ...related,
      primary: otherRegion,
      replicas: [region],
      updating: { until: 5, regions: [region, otherRegion] },
      rev: 2,
    }
    await store().relatedKeys.put(next, 1)
    for (const where of [region, otherRegion]) {
      const found = await store().keys.get(account, where, MRK)
      expect(found?.related).toEqual(next)
      expect(found?.rotation).toEqual(rotation)
    }
    expect(await store().relatedKeys.get(account, MRK)).toEqual(next)
    await store().relatedKeys.delete(next)
    expect(await store().relatedKeys.get(account, MRK)).toBeNull()
    expect((await bundle(account, MRK))?.rotation).toBeNull()
  })

  test('the rotation of another key is refused', async () => {
    const [one, other] = [await givenStored(), await givenStored()]
    await store().rotations.put(other, rotation, null)
    const copied = {
      ...rotation,
      pk: `${one.account}#${region}#key#${one.keyId}`,
      sk: 'rotation',
      account: other.account,
      region,
      keyId: other.keyId,
      automatic: JSON.stringify(rotation.automatic),
    }
    const put = new PutCommand({ TableName: 'keyhold-keys', Item: { ...copied, dueAt: undefined } })
    await given.client().send(put)
    await expect(bundle(one.account)).rejects.toThrow(RowMisplaced)
  })
}
