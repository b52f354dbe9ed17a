import { expect, test } from 'vitest'
import { isMaterialMissing, keyState, usedMaterials } from '../../../shared/keys/key-states.ts'
import type { KeyBundle, KeyRecord, MaterialRecord } from '../../../shared/store/records.ts'
import {
  givenAccount,
  givenBundle,
  givenMaterial,
  keyIdOf,
  materialIdOf,
  otherRegion,
  region,
} from '../store/given.ts'

const account = givenAccount()
const NOW = 1_800_000_000_000

const givenKeyOf = (
  key: Partial<KeyRecord>,
  rest: Partial<Omit<KeyBundle, 'key'>> = {},
): KeyBundle => {
  const bundle = givenBundle(account)
  return { ...bundle, ...rest, key: { ...bundle.key, ...key } as KeyRecord }
}

const version = (
  number: number,
  id: string,
  change: Partial<MaterialRecord> = {},
): MaterialRecord => ({
  ...givenMaterial(account, keyIdOf(1), number),
  materialId: materialIdOf(id),
  imported: { description: null, validTo: null },
  ...change,
})

const external = (current: string | null, ...materials: MaterialRecord[]) =>
  givenKeyOf(
    { origin: 'EXTERNAL', current: current === null ? null : materialIdOf(current) } as never,
    { materials },
  )

test('A key is in the state that is stored for it', () => {
  for (const state of ['Enabled', 'Disabled'] as const) {
    expect(keyState(givenKeyOf({ state }), NOW)).toBe(state)
  }
})

test('A replica is being made until its time', () => {
  const replica = givenKeyOf({ createdAt: NOW - 1000, creatingUntil: NOW })
  expect(keyState(replica, NOW - 1)).toBe('Creating')
  expect(keyState(replica, NOW)).toBe('Enabled')
  const awaiting = givenKeyOf({
    createdAt: NOW - 1000,
    creatingUntil: NOW,
    state: 'PendingImport',
    origin: 'EXTERNAL',
  })
  expect(keyState(awaiting, NOW - 1)).toBe('Creating')
  expect(keyState({ ...awaiting, materials: [] }, NOW)).toBe('PendingImport')
})

test('A key that waits for deletion is in no other state', () => {
  for (const change of [
    { state: 'PendingDeletion', deletionDate: NOW - 1 },
    { state: 'PendingReplicaDeletion', windowDays: 7 },
  ] as const) {
    const key = { ...change, creatingUntil: NOW + 1, origin: 'EXTERNAL' } as const
    expect(keyState({ ...givenKeyOf(key), materials: [] }, NOW)).toBe(change.state)
  }
})

test('A change of the primary shows in both keys for a while, when they are enabled', () => {
  const related = {
    account,
    keyId: keyIdOf(1),
    primary: otherRegion,
    replicas: [region],
    updating: { until: NOW, regions: [region, otherRegion] },
    rev: 2,
  }
  expect(keyState(givenKeyOf({}, { related }), NOW - 1)).toBe('Updating')
  expect(keyState(givenKeyOf({}, { related }), NOW)).toBe('Enabled')
  expect(keyState(givenKeyOf({ state: 'Disabled' }, { related }), NOW - 1)).toBe('Disabled')
  const elsewhere = { ...related, updating: { until: NOW, regions: [otherRegion] } }
  expect(keyState(givenKeyOf({}, { related: elsewhere }), NOW - 1)).toBe('Enabled')
})

test('A clock that was set back leaves no key being made or updated until it comes there again', () => {
  const replica = givenKeyOf({ createdAt: NOW - 1000, creatingUntil: NOW })
  expect(keyState(replica, NOW - 1000)).toBe('Creating')
  expect(keyState(replica, NOW - 1001)).toBe('Enabled')
  const related = {
    account,
    keyId: keyIdOf(1),
    primary: region,
    replicas: [],
    updating: { until: NOW, regions: [region] },
    rev: 2,
  }
  expect(keyState(givenKeyOf({}, { related }), NOW - 1000)).toBe('Updating')
  expect(keyState(givenKeyOf({}, { related }), NOW - 1001)).toBe('Enabled')
})

test('Imported material must be there, all of it that was ever used', () => {
  expect(keyState(external('a', version(1, 'a')), NOW)).toBe('Enabled')
  expect(keyState(external(null), NOW)).toBe('PendingImport')
  expect(keyState(external('b', version(1, 'a')), NOW)).toBe('PendingImport')
  const olderGone = external('b', version(1, 'a', { wrapped: null }), version(2, 'b'))
  expect(keyState(olderGone, NOW)).toBe('PendingImport')
  const pendingGone = external('a', version(1, 'a'), version(2, 'b', { wrapped: null }))
  expect(keyState(pendingGone, NOW)).toBe('Enabled')
})

test('Imported material is over at its date, before any schedule ran', () => {
  const imported = { description: null, validTo: NOW }
  const key = external('a', version(1, 'a', { imported }))
  expect(keyState(key, NOW - 1)).toBe('Enabled')
  expect(keyState(key, NOW)).toBe('PendingImport')
  const pending = external('a', version(1, 'a'), version(2, 'b', { imported }))
  expect(keyState(pending, NOW)).toBe('Enabled')
})

test('Generated material is never missing', () => {
  expect(isMaterialMissing(givenKeyOf({}), NOW)).toBe(false)
})

test('The history of a key ends with its current material', () => {
  const history = external('b', version(1, 'a'), version(2, 'b'), version(3, 'c'))
  expect(usedMaterials(history).map(({ number }) => number)).toEqual([1, 2])
  expect(usedMaterials(external(null, version(1, 'a')))).toEqual([])
})
