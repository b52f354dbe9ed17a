/** Tenants, their wrapping keys, principals and access keys. */
import {
  type AccessKeyId,
  type AccountId,
  type PrincipalId,
  parseAccessKeyId,
  parseAccountId,
  principalIdOf,
} from '../ids.ts'
import {
  bytes,
  type Codec,
  type Item,
  integer,
  isListOf,
  isRecord,
  json,
  nullable,
  oneOf,
  parsed,
  record,
  since,
  text,
} from './attribute-values.ts'
import type {
  AccessKeyRecord,
  PolicyDocument,
  PrincipalRecord,
  RoleRecord,
  Tag,
  TenantKeyRecord,
  TenantRecord,
  UserRecord,
} from './records.ts'
import { ConditionFailed, type TenantRepository } from './repositories.ts'
import { type ItemKey, keyOf, nothingIsThere, requirePlace, sortable, type Table } from './table.ts'
import { TABLES } from './tables.ts'

const account: Codec<AccountId> = parsed(parseAccountId)
const principalId: Codec<PrincipalId> = parsed(principalIdOf)

const isQuotas = (value: unknown): value is TenantRecord['quotas'] =>
  isRecord(value) && Object.values(value).every((limit) => typeof limit === 'number')

const tenantRow = record<TenantRecord>({
  account,
  name: text,
  kind: since(oneOf('team', 'operator'), 'team'),
  createdAt: integer,
  status: oneOf('Active', 'Suspended', 'PendingDeletion', 'Deleted'),
  deletionDate: nullable(integer),
  quotas: since(json(isQuotas), {}),
  destruction: nullable(text),
  rev: integer,
})

const tenantKeyRow = record<TenantKeyRecord>({
  account,
  version: integer,
  rootKeyId: text,
  sealed: bytes,
  createdAt: integer,
})

const isPolicyDocument = (value: unknown): value is PolicyDocument =>
  isRecord(value) && typeof value.name === 'string' && typeof value.document === 'string'

const isTag = (value: unknown): value is Tag =>
  isRecord(value) && typeof value.TagKey === 'string' && typeof value.TagValue === 'string'
const isText = (value: unknown): value is string => typeof value === 'string'

const commonFields = {
  account,
  principalId,
  name: text,
  path: text,
  policies: json(isListOf(isPolicyDocument)),
  attached: since(json(isListOf(isText)), []),
  boundary: nullable(text),
  tags: since(json(isListOf(isTag)), []),
  sessionsValidFrom: since(integer, 0),
  createdAt: integer,
  rev: integer,
}
const userRow = record<UserRecord>({ ...commonFields, kind: oneOf('User') })
const roleRow = record<RoleRecord>({
  ...commonFields,
  kind: oneOf('Role'),
  description: text,
  trustPolicy: text,
  maxSessionSeconds: integer,
})

const encodePrincipal = (principal: PrincipalRecord): Item =>
  principal.kind === 'User' ? userRow.encode(principal) : roleRow.encode(principal)

interface NameRecord {
  readonly account: AccountId
  readonly name: string
  readonly principalId: PrincipalId
}
const nameRow = record<NameRecord>({ account, name: text, principalId })

const accessKeyRow = record<AccessKeyRecord>({
  accessKeyId: parsed(parseAccessKeyId),
  account,
  principalId,
  status: oneOf('Active', 'Inactive'),
  wrappedSecret: bytes,
  tenantKeyVersion: integer,
  createdAt: integer,
  rev: integer,
})

const tenantPartition = (id: AccountId): string => `${id}#tenant`
const tenantPlace = (id: AccountId): ItemKey => ({ pk: tenantPartition(id), sk: 'tenant' })
const tenantKeyPlace = ({ account: id, version }: TenantKeyRecord): ItemKey => ({
  pk: tenantPartition(id),
  sk: `tenant-key#${sortable(version)}`,
})
const principalPlace = (id: AccountId, principal: PrincipalId): ItemKey => ({
  pk: `${id}#principal#${principal}`,
  sk: 'principal',
})
const namePlace = (id: AccountId, name: string): ItemKey => ({
  pk: `${id}#principal-name#${name}`,
  sk: 'principal-name',
})
const accessKeyPlace = (id: AccessKeyId): ItemKey => ({ pk: `access-key#${id}`, sk: 'access-key' })

const TENANTS = 'tenants'
const [byOwner] = TABLES.tenants.indexes

/** @param table - `tenants` */
export function openTenants(table: Table): TenantRepository {
  const tenant = async (id: AccountId): Promise<TenantRecord | null> => {
    const item = await table.get(tenantPlace(id))
    return item && parseTenant(item)
  }
  const principal = async (id: AccountId, of: PrincipalId): Promise<PrincipalRecord | null> => {
    const item = await table.get(principalPlace(id, of))
    return item && parsePrincipal(item)
  }
  return {
    get: tenant,
    async create(next) {
      const listing = { ownerKey: TENANTS, ownerSort: next.account }
      const item = { ...tenantRow.encode(next), ...listing }
      await table.put(tenantPlace(next.account), item, nothingIsThere)
    },
    async list() {
      const { items } = await table.query({ index: byOwner, partition: TENANTS })
      const found = await Promise.all(items.map((item) => table.get(keyOf(item))))
      return found.filter((item) => item !== null).map(parseTenant)
    },
    async keys(id) {
      const { items } = await table.query({
        partition: tenantPartition(id),
        range: {
          expression: 'begins_with(#range, :kind)',
          values: { ':kind': 'tenant-key#' },
        },
      })
      return items.map(parseTenantKey)
    },
    async addKey(key) {
      await table.put(tenantKeyPlace(key), tenantKeyRow.encode(key), nothingIsThere)
    },
    principal,
    async principalByName(id, name) {
      const item = await table.get(namePlace(id, name))
      const found = item && (await principal(id, parseName(item).principalId))
      return found?.name === name ? found : null
    },
    createPrincipal: (next) => createPrincipal(table, next),
    async accessKey(id) {
      const item = await table.get(accessKeyPlace(id))
      return item && parseAccessKey(item)
    },
    async putAccessKey(key) {
      const owner = `${key.account}#principal#${key.principalId}`
      const listing = { ownerKey: owner, ownerSort: key.accessKeyId }
      const item = { ...accessKeyRow.encode(key), ...listing }
      await table.put(accessKeyPlace(key.accessKeyId), item)
    },
  }
}

/**
 * The principal first, then its name: a crash in between leaves a principal that nobody can find by
 * name and that has no access keys, never a name that is taken by nobody.
 */
async function createPrincipal(table: Table, next: PrincipalRecord): Promise<void> {
  const place = principalPlace(next.account, next.principalId)
  await table.put(place, encodePrincipal(next), nothingIsThere)
  try {
    await table.put(namePlace(next.account, next.name), nameRow.encode(next), nothingIsThere)
  } catch (error) {
    if (error instanceof ConditionFailed) await table.delete(place)
    throw error
  }
}

function parseTenant(item: Item): TenantRecord {
  const found = tenantRow.parse(item)
  requirePlace(item, tenantPlace(found.account))
  return found
}

function parseTenantKey(item: Item): TenantKeyRecord {
  const found = tenantKeyRow.parse(item)
  requirePlace(item, tenantKeyPlace(found))
  return found
}

function parsePrincipal(item: Item): PrincipalRecord {
  const found = item.kind === 'Role' ? roleRow.parse(item) : userRow.parse(item)
  requirePlace(item, principalPlace(found.account, found.principalId))
  return found
}

function parseName(item: Item): NameRecord {
  const found = nameRow.parse(item)
  requirePlace(item, namePlace(found.account, found.name))
  return found
}

function parseAccessKey(item: Item): AccessKeyRecord {
  const found = accessKeyRow.parse(item)
  requirePlace(item, accessKeyPlace(found.accessKeyId))
  return found
}
