/** How a key, its policy and its material lie in the table: places, attributes and back. */
import {
  type AccountId,
  type KeyId,
  type MaterialId,
  parseAccountId,
  parseKeyId,
  parseMaterialId,
  parseRegion,
  type Region,
} from '../ids.ts'
import {
  bytes,
  type Codec,
  flag,
  type Item,
  integer,
  isListOf,
  isRecord,
  json,
  nullable,
  oneOf,
  parsed,
  record,
  text,
} from './attribute-values.ts'
import {
  type ImportedMaterial,
  KEY_SPECS,
  type KeyPolicyRecord,
  type KeyRecord,
  type MaterialRecord,
  type MaterialRotation,
  type Tag,
  type WrappedSecret,
} from './records.ts'
import { RowMalformed } from './repositories.ts'
import { type ItemKey, requirePlace, sortable } from './table.ts'

/** What names a key, on every row of its partition. */
export interface KeyIdentity {
  readonly account: AccountId
  readonly region: Region
  readonly keyId: KeyId
}

const identity = {
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  keyId: parsed(parseKeyId),
}
const materialId: Codec<MaterialId> = parsed(parseMaterialId)

const isTag = (value: unknown): value is Tag =>
  isRecord(value) && typeof value.TagKey === 'string' && typeof value.TagValue === 'string'

/** Version, then the wrapped bytes: one attribute. */
const wrappedSecret: Codec<WrappedSecret> = {
  encode({ wrapped, tenantKeyVersion }) {
    const version = Buffer.alloc(4)
    version.writeUInt32BE(tenantKeyVersion)
    return Buffer.concat([version, wrapped])
  },
  parse(attribute, name) {
    const value = Buffer.from(bytes.parse(attribute, name))
    if (value.length < 4) throw new RowMalformed(`The attribute ${name} is malformed.`)
    return { tenantKeyVersion: value.readUInt32BE(), wrapped: value.subarray(4) }
  },
}

type StatelessKey = Omit<KeyRecord, 'state' | 'current'>

const keyFields = record<StatelessKey>({
  ...identity,
  createdAt: integer,
  description: text,
  keySpec: oneOf(...KEY_SPECS),
  keyUsage: oneOf(
    'ENCRYPT_DECRYPT',
    'SIGN_VERIFY',
    'GENERATE_VERIFY_MAC',
    'KEY_AGREEMENT',
    'ENCAPSULATE_DECAPSULATE',
  ),
  origin: oneOf('AWS_KMS', 'EXTERNAL'),
  manager: oneOf('CUSTOMER', 'AWS'),
  multiRegion: flag,
  creatingUntil: nullable(integer),
  identityKey: nullable(wrappedSecret),
  tags: json(isListOf(isTag)),
  stateEpoch: integer,
  rev: integer,
})
const stateField = oneOf(
  'Enabled',
  'Disabled',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'PendingImport',
)
const laterMaterial = nullable(materialId)

const policyRow = record<KeyIdentity & KeyPolicyRecord>({
  ...identity,
  document: text,
  rev: integer,
})

const isDate = (value: unknown): value is number => Number.isSafeInteger(value)

const isRotation = (value: unknown): value is MaterialRotation =>
  isRecord(value) && isDate(value.date) && ['AUTOMATIC', 'ON_DEMAND'].includes(String(value.type))

const isImported = (value: unknown): value is ImportedMaterial =>
  isRecord(value) &&
  (value.description === null || typeof value.description === 'string') &&
  (value.validTo === null || isDate(value.validTo))

/** Rows that were never changed may have no revision. */
const sinceFirst: Codec<number> = {
  encode: integer.encode,
  parse: (attribute, name) => (attribute === undefined ? 1 : integer.parse(attribute, name)),
}

const materialRow = record<MaterialRecord>({
  ...identity,
  number: integer,
  materialId,
  wrapped: nullable(bytes),
  tenantKeyVersion: integer,
  createdAt: integer,
  rotation: nullable(json(isRotation)),
  imported: nullable(json(isImported)),
  rev: sinceFirst,
})

export const keyPartition = (of: KeyIdentity): string =>
  `${of.account}#${of.region}#key#${of.keyId}`

// The order of the sort keys is what lets one query from `key` on leave out the grants.
export const keyPlace = (of: KeyIdentity): ItemKey => ({ pk: keyPartition(of), sk: 'key' })
export const policyPlace = (of: KeyIdentity): ItemKey => ({ pk: keyPartition(of), sk: 'policy' })
export const materialPlace = (of: MaterialRecord): ItemKey => ({
  pk: keyPartition(of),
  sk: `material#${sortable(of.number)}`,
})

/** The value of `ownerKey` for the keys of an account in a Region. */
export const keysOwner = (account: AccountId, region: Region): string => `${account}#${region}#keys`

export const DUE_FOR_DELETION = 'key-deletion'
export const DUE_FOR_EXPIRY = 'material-expiry'

/** The attributes of a key's item, those of the indexes included. */
export function encodeKey(key: KeyRecord): Item {
  const item = {
    ...keyFields.encode(key),
    state: key.state,
    ownerKey: keysOwner(key.account, key.region),
    ownerSort: key.keyId,
    ...(key.current === null ? {} : { current: key.current }),
  }
  if (key.state === 'PendingReplicaDeletion') return { ...item, windowDays: key.windowDays }
  if (key.state !== 'PendingDeletion') return item
  const due = { dueKind: DUE_FOR_DELETION, dueAt: key.deletionDate }
  return { ...item, ...due, deletionDate: key.deletionDate }
}

/**
 * The item of a key whose removal has begun: no longer listed, found only as due work until the rest
 * of its partition is gone.
 */
export function encodeRemoval(key: KeyRecord): Item {
  const { ownerKey: _, ownerSort: __, ...item } = encodeKey({ ...key, rev: key.rev + 1 })
  const due = { dueKind: DUE_FOR_DELETION, dueAt: 0 }
  return { ...item, ...due, removing: true }
}

/** Whether the removal of the item's key has begun. */
export const isBeingRemoved = (item: Item): boolean => item.removing !== undefined

/**
 * The item of a key that is not finished: not listed, and found as due work at a time when nobody is
 * making it any more. Any later change of the key makes it one like all others.
 * @param abandonedAt - milliseconds since the epoch
 */
export function encodeDraft(key: KeyRecord, abandonedAt: number): Item {
  const { ownerKey: _, ownerSort: __, ...item } = encodeKey(key)
  return { ...item, dueKind: DUE_FOR_DELETION, dueAt: abandonedAt, draft: true }
}

export const isDraft = (item: Item): boolean => item.draft !== undefined

/** @throws RowMalformed, RowMisplaced */
export function parseKey(item: Item): KeyRecord {
  const fields = keyFields.parse(item)
  requirePlace(item, keyPlace(fields))
  const state = stateField.parse(item.state, 'state')
  switch (state) {
    case 'Enabled':
    case 'Disabled':
      return { ...fields, state, current: materialId.parse(item.current, 'current') }
    case 'PendingImport':
      return { ...fields, state, current: laterMaterial.parse(item.current, 'current') }
    case 'PendingDeletion': {
      const current = laterMaterial.parse(item.current, 'current')
      const deletionDate = integer.parse(item.deletionDate, 'deletionDate')
      return { ...fields, state, current, deletionDate }
    }
    case 'PendingReplicaDeletion': {
      const current = laterMaterial.parse(item.current, 'current')
      const windowDays = integer.parse(item.windowDays, 'windowDays')
      return { ...fields, state, current, windowDays }
    }
    default:
      return state satisfies never
  }
}

export const encodePolicy = (of: KeyIdentity, policy: KeyPolicyRecord): Item =>
  policyRow.encode({
    account: of.account,
    region: of.region,
    keyId: of.keyId,
    document: policy.document,
    rev: policy.rev,
  })

/** @throws RowMalformed, RowMisplaced */
export function parsePolicy(item: Item): KeyPolicyRecord {
  const found = policyRow.parse(item)
  requirePlace(item, policyPlace(found))
  return { document: found.document, rev: found.rev }
}

/** Material that is in use and expires is due then; what waits for rotation does not expire. */
export function encodeMaterial(material: MaterialRecord): Item {
  const item = materialRow.encode(material)
  const { wrapped, imported, number, rotation } = material
  const validTo = imported?.validTo ?? null
  const isUsed = number === 1 || rotation !== null
  return wrapped === null || validTo === null || !isUsed
    ? item
    : { ...item, dueKind: DUE_FOR_EXPIRY, dueAt: validTo }
}

/** @throws RowMalformed, RowMisplaced */
export function parseMaterial(item: Item): MaterialRecord {
  const found = materialRow.parse(item)
  requirePlace(item, materialPlace(found))
  return found
}
