/** How the rotation, the last use and the relatives of a key lie in the table. */
import { type AccountId, type KeyId, parseAccountId, parseKeyId, parseRegion } from '../ids.ts'
import {
  type Item,
  integer,
  isListOf,
  isRecord,
  json,
  nullable,
  parsed,
  record,
  text,
} from './attribute-values.ts'
import { type KeyIdentity, keyPartition } from './key-rows.ts'
import type { LastUsageRecord, RelatedKeysRecord, ReplicaClaim, RotationRecord } from './records.ts'
import { type ItemKey, requirePlace } from './table.ts'

export const DUE_FOR_ROTATION = 'key-rotation'

/** What the multi-Region keys of one set have in common. */
export const relatedPartition = (account: AccountId, keyId: KeyId): string =>
  `${account}#mrk#${keyId}`

export const relatedPlace = (of: Pick<RelatedKeysRecord, 'account' | 'keyId'>): ItemKey => ({
  pk: relatedPartition(of.account, of.keyId),
  sk: 'related',
})

/** A multi-Region key's rotation belongs to the set, not to the Region. */
export const rotationPlace = (of: KeyIdentity & { readonly multiRegion: boolean }): ItemKey => ({
  pk: of.multiRegion ? relatedPartition(of.account, of.keyId) : keyPartition(of),
  sk: 'rotation',
})

export const usagePlace = (of: KeyIdentity): ItemKey => ({ pk: keyPartition(of), sk: 'usage' })

const isAutomatic = (value: unknown): value is NonNullable<RotationRecord['automatic']> =>
  isRecord(value) && Number.isSafeInteger(value.periodDays) && Number.isSafeInteger(value.nextDate)

const rotationRow = record<Omit<RotationRecord, 'dueAt'>>({
  automatic: nullable(json(isAutomatic)),
  onDemandSince: nullable(integer),
  onDemandCount: integer,
  rev: integer,
})

/** The Region is that of the key that the work is to be looked at from. */
const identity = {
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  keyId: parsed(parseKeyId),
}
const ownerOfRotation = record<KeyIdentity>(identity)

export const encodeRotation = (of: KeyIdentity, rotation: RotationRecord): Item => ({
  ...ownerOfRotation.encode(of),
  ...rotationRow.encode(rotation),
  ...(rotation.dueAt === null ? {} : { dueKind: DUE_FOR_ROTATION, dueAt: rotation.dueAt }),
})

/** @throws RowMalformed, RowMisplaced */
export function parseRotation(item: Item): RotationRecord & { readonly of: KeyIdentity } {
  const of = ownerOfRotation.parse(item)
  const multiRegion = of.keyId.startsWith('mrk-')
  requirePlace(item, rotationPlace({ ...of, multiRegion }))
  return { ...rotationRow.parse(item), dueAt: nullable(integer).parse(item.dueAt, 'dueAt'), of }
}

const isRegionName = (value: unknown): value is string =>
  typeof value === 'string' && parseRegion(value) !== null
const isRegions = isListOf(isRegionName) as (
  value: unknown,
) => value is RelatedKeysRecord['replicas']
const isUpdating = (value: unknown): value is NonNullable<RelatedKeysRecord['updating']> =>
  isRecord(value) && Number.isSafeInteger(value.until) && isRegions(value.regions)

const isClaim = (value: unknown): value is ReplicaClaim =>
  isRecord(value) && isRegionName(value.region) && typeof value.claim === 'string'
const claims = nullable(json(isListOf(isClaim)))

const relatedRow = record<Omit<RelatedKeysRecord, 'replicating'>>({
  account: identity.account,
  keyId: identity.keyId,
  primary: identity.region,
  replicas: json(isRegions),
  updating: nullable(json(isUpdating)),
  rev: integer,
})

export function encodeRelated(related: RelatedKeysRecord): Item {
  const { replicating = [] } = related
  const item = relatedRow.encode(related)
  return replicating.length === 0 ? item : { ...item, replicating: JSON.stringify(replicating) }
}

/** @throws RowMalformed, RowMisplaced */
export function parseRelated(item: Item): RelatedKeysRecord {
  const found = relatedRow.parse(item)
  requirePlace(item, relatedPlace(found))
  const replicating = claims.parse(item.replicating, 'replicating')
  return replicating === null ? found : { ...found, replicating }
}

const usageRow = record<KeyIdentity & LastUsageRecord>({
  ...identity,
  operation: text,
  at: integer,
  eventId: text,
  requestId: text,
})

export const encodeUsage = (of: KeyIdentity, usage: LastUsageRecord): Item =>
  usageRow.encode({ account: of.account, region: of.region, keyId: of.keyId, ...usage })

/** @throws RowMalformed, RowMisplaced */
export function parseUsage(item: Item): LastUsageRecord {
  const { account, region, keyId, ...usage } = usageRow.parse(item)
  requirePlace(item, usagePlace({ account, region, keyId }))
  return usage
}
