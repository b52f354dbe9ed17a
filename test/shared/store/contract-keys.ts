import { PutCommand, QueryCommand } from '@aws-sdk/lib-dynamodb'
import { expect, test } from 'vitest'
import type { AccountId } from '../../../shared/ids.ts'
import type { KeyRecord } from '../../../shared/store/records.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { type Given, walk, winners } from './contract.ts'
import {
  givenAccount,
  givenBundle,
  givenKey,
  givenMaterial,
  keyIdOf,
  otherRegion,
  region,
} from './given.ts'

const states: readonly Partial<KeyRecord>[] = [
  { state: 'Disabled' },
  { state: 'PendingDeletion', deletionDate: 1_796_000_000_000 },
  { state: 'PendingDeletion', deletionDate: 1_796_000_000_000, current: null },
  { state: 'PendingImport', current: null },
]

export function keyContract(given: Given): void {
  const keys = () => given.store().keys
  const bundle = (account: AccountId, number = 1) => keys().get(account, region, keyIdOf(number))
  const table = 'keyhold-keys'

  test('a key is read back with its policy and all its material, oldest first', async () => {
    const account = givenAccount()
    const materials = [1, 2, 10].map((number) => givenMaterial(account, keyIdOf(1), number))
    await keys().create({ ...givenBundle(account), materials })
    expect(await bundle(account)).toEqual({ ...givenBundle(account), materials })
  })

  test('a key is not found under another account, Region or id', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    expect(await bundle(givenAccount())).toBeNull()
    expect(await keys().get(account, otherRegion, keyIdOf(1))).toBeNull()
    expect(await bundle(account, 2)).toBeNull()
  })

  test('of fifty racing creations of a key one wins, and all that is stored is its own', async () => {
    const account = givenAccount()
    const attempts = Array.from({ length: 50 }, (_, at) => {
      const made = givenBundle(account)
      const key = { ...made.key, description: String(at) }
      const policy = { document: String(at), rev: 1 }
      const materials = [{ ...givenMaterial(account), createdAt: at }]
      return keys().create({ key, policy, materials })
    })
    expect(await winners(attempts, ConditionFailed)).toBe(1)
    const stored = await bundle(account)
    expect(stored?.policy.document).toBe(stored?.key.description)
    expect(String(stored?.materials[0]?.createdAt)).toBe(stored?.key.description)
  })

  test.each(states)('a key in state %o is read back', async (state) => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    const next = { ...givenKey(account), ...state, rev: 2 } as KeyRecord
    await keys().update(next, 1)
    expect((await bundle(account))?.key).toEqual(next)
  })

  test('a change against another revision is refused and changes nothing', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    const stale = { ...givenKey(account), description: 'stale', rev: 3 }
    await expect(keys().update(stale, 2)).rejects.toThrow(ConditionFailed)
    expect((await bundle(account))?.key.description).toBe('')
  })

  test('a change of a key that does not exist is refused', async () => {
    const attempt = keys().update({ ...givenKey(givenAccount()), rev: 2 }, 1)
    await expect(attempt).rejects.toThrow(ConditionFailed)
  })

  test('a change that does not count its revision up by one is refused', async () => {
    await expect(keys().update(givenKey(givenAccount()), 1)).rejects.toThrow(RangeError)
  })

  test('of racing changes of one revision one wins', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    const attempts = Array.from({ length: 20 }, (_, at) =>
      keys().update({ ...givenKey(account), description: String(at), rev: 2 }, 1),
    )
    expect(await winners(attempts, ConditionFailed)).toBe(1)
  })

  test('a policy is replaced against its own revision', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    await keys().putPolicy(givenKey(account), { document: '{}', rev: 2 }, 1)
    expect((await bundle(account))?.policy).toEqual({ document: '{}', rev: 2 })
    const stale = keys().putPolicy(givenKey(account), { document: 'x', rev: 2 }, 1)
    await expect(stale).rejects.toThrow(ConditionFailed)
  })

  test.each([1, 3, 7, 1000])('keys are listed to the end in pages of %i', async (limit) => {
    const account = givenAccount()
    const numbers = [6, 1, 4, 3, 2, 5]
    await Promise.all(numbers.map((of) => keys().create(givenBundle(account, keyIdOf(of)))))
    await keys().create(givenBundle(givenAccount(), keyIdOf(7)))
    const listed = await walk(limit, (after) => keys().list(account, region, limit, after))
    expect(listed).toEqual([1, 2, 3, 4, 5, 6].map(keyIdOf))
    expect(await keys().list(account, otherRegion, limit, null)).toEqual({ items: [], next: null })
  })

  test('keys whose deletion date has come are found, and no others', async () => {
    const account = givenAccount()
    const deletion = async (number: number, deletionDate: number): Promise<void> => {
      await keys().create(givenBundle(account, keyIdOf(number)))
      const key = givenKey(account, keyIdOf(number))
      await keys().update({ ...key, state: 'PendingDeletion', deletionDate, rev: 2 }, 1)
    }
    await deletion(1, 1000)
    await deletion(2, 2000)
    await deletion(3, 3000)
    const cancelled = { ...givenKey(account, keyIdOf(1)), state: 'Disabled', rev: 3 } as const
    await keys().update(cancelled, 2)
    const due = (await keys().dueForDeletion(2000, 100)).filter((key) => key.account === account)
    expect(due.map(({ keyId }) => keyId)).toEqual([keyIdOf(2)])
  })

  test('a deleted key is gone with its policy, material and grants', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    const pk = `${account}#${region}#key#${keyIdOf(1)}`
    const grant = { pk, sk: 'grant#someone#1' }
    await given.client().send(new PutCommand({ TableName: table, Item: grant }))
    await keys().delete(givenKey(account))
    expect(await bundle(account)).toBeNull()
    expect((await keys().list(account, region, 10, null)).items).toEqual([])
    expect(await rowsOf(pk)).toEqual([])
  })

  test('a key that was changed since it was read is not deleted', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    await keys().update({ ...givenKey(account), rev: 2 }, 1)
    await expect(keys().delete(givenKey(account))).rejects.toThrow(ConditionFailed)
    expect((await bundle(account))?.materials).toHaveLength(1)
  })

  test('a deletion that was cut short is finished when due keys are asked for', async () => {
    const account = givenAccount()
    await keys().create(givenBundle(account))
    const pk = `${account}#${region}#key#${keyIdOf(1)}`
    const marked = (await rowsOf(pk)).find((item) => item.sk === 'key')
    const mark = { removing: true, dueKind: 'key-deletion', dueAt: 0 }
    const Item = { ...marked, ...mark }
    await given.client().send(new PutCommand({ TableName: table, Item }))
    expect(await bundle(account)).toBeNull()
    const due = await keys().dueForDeletion(Date.now(), 100)
    expect(due.filter((key) => key.account === account)).toEqual([])
    expect(await rowsOf(pk)).toEqual([])
  })

  async function rowsOf(pk: string) {
    const query = new QueryCommand({
      TableName: table,
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': pk },
      ConsistentRead: true,
    })
    return (await given.client().send(query)).Items ?? []
  }
}
