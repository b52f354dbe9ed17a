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
import { startingAfter } from './pages.ts'
import type {
  AccessKeyRecord,
  ManagedPolicyRecord,
  ManagedPolicyVersion,
  Page,
  PolicyDocument,
  PrincipalRecord,
  RoleRecord,
  Tag,
  TenantKeyRecord,
  TenantRecord,
  UserRecord,
} from './records.ts'
import { ConditionFailed, type TenantRepository } from './repositories.ts'
import {
  type ItemKey,
  keyOf,
  nobodyChangedSince,
  nothingIsThere,
  type Rows,
  requirePlace,
  sortable,
  type Table,
} from './table.ts'
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

const principalItem = (principal: PrincipalRecord): Item => ({
  ...(principal.kind === 'User' ? userRow.encode(principal) : roleRow.encode(principal)),
  ...listOf(principal.account, principal.kind, principal.name),
})

const isVersion = (value: unknown): value is ManagedPolicyVersion =>
  isRecord(value) &&
  typeof value.versionId === 'string' &&
  typeof value.document === 'string' &&
  typeof value.createdAt === 'number'

const managedPolicyRow = record<ManagedPolicyRecord>({
  account,
  policyId: text,
  name: text,
  path: text,
  description: text,
  versions: json(isListOf(isVersion)),
  defaultVersionId: text,
  tags: json(isListOf(isTag)),
  createdAt: integer,
  rev: integer,
})

const managedPolicyItem = (policy: ManagedPolicyRecord): Item => ({
  ...managedPolicyRow.encode(policy),
  ...listOf(policy.account, 'Policy', policy.name),
})

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
type Kind = PrincipalRecord['kind']

const namePlace = (id: AccountId, kind: Kind, name: string): ItemKey => ({
  pk: `${id}#${kind === 'User' ? 'principal' : 'role'}-name#${name}`,
  sk: 'principal-name',
})
const managedPolicyPlace = (id: AccountId, name: string): ItemKey => ({
  pk: `${id}#managed-policy#${name.toLowerCase()}`,
  sk: 'managed-policy',
})
/** What lists of an account's principals and policies go by, in the index. */
const listOf = (id: AccountId, what: Kind | 'Policy', name: string) => ({
  ownerKey: `${id}#${what}`,
  ownerSort: name.toLowerCase(),
})
const accessKeyOwner = (id: AccountId, principal: PrincipalId): string =>
  `${id}#principal#${principal}`
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
  const byName = async (
    id: AccountId,
    kind: Kind,
    name: string,
  ): Promise<PrincipalRecord | null> => {
    // The names of users were written in their own case before.
    for (const spelling of new Set([name.toLowerCase(), name])) {
      const item = await table.get(namePlace(id, kind, spelling))
      const found = item && (await principal(id, parseName(item, kind).principalId))
      if (found?.name === name) return found
    }
    return null
  }
  /** An index may lag behind: what is listed is read again, and left out when it is gone. */
  const listed = async <Listed>(
    rows: Rows,
    parse: (item: Item) => Listed,
  ): Promise<Page<Listed>> => {
    const found = await Promise.all(rows.items.map((item) => table.get(keyOf(item))))
    const items = found.filter((item) => item !== null).map(parse)
    const last = rows.items.at(-1)?.ownerSort
    return { items, next: rows.more && typeof last === 'string' ? last : null }
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
    async destroyKey(key) {
      await table.delete(tenantKeyPlace(key))
    },
    principal,
    async update(next, rev) {
      const listing = { ownerKey: TENANTS, ownerSort: next.account }
      const item = { ...tenantRow.encode(next), ...listing }
      await table.put(tenantPlace(next.account), item, nobodyChangedSince(rev))
    },
    principalByName: (id, name) => byName(id, 'User', name),
    async roleByName(id, name) {
      const found = await byName(id, 'Role', name)
      return found?.kind === 'Role' ? found : null
    },
    createPrincipal: (next) => createPrincipal(table, next),
    async updatePrincipal(next, rev) {
      const place = principalPlace(next.account, next.principalId)
      await table.put(place, principalItem(next), nobodyChangedSince(rev))
    },
    async deletePrincipal({ account: id, principalId: of, kind, name, rev }) {
      await table.delete(principalPlace(id, of), nobodyChangedSince(rev))
      await table.delete(namePlace(id, kind, name.toLowerCase()))
    },
    async principals(id, kind, limit, after) {
      const rows = await table.query({
        index: byOwner,
        partition: `${id}#${kind}`,
        ...startingAfter(after),
        limit,
      })
      return await listed(rows, parsePrincipal)
    },
    async managedPolicy(id, name) {
      const item = await table.get(managedPolicyPlace(id, name))
      const found = item && parseManagedPolicy(item)
      return found?.name === name ? found : null
    },
    async createManagedPolicy(next) {
      const place = managedPolicyPlace(next.account, next.name)
      await table.put(place, managedPolicyItem(next), nothingIsThere)
    },
    async updateManagedPolicy(next, rev) {
      const place = managedPolicyPlace(next.account, next.name)
      await table.put(place, managedPolicyItem(next), nobodyChangedSince(rev))
    },
    async deleteManagedPolicy({ account: id, name, rev }) {
      await table.delete(managedPolicyPlace(id, name), nobodyChangedSince(rev))
    },
    async managedPolicies(id, limit, after) {
      const rows = await table.query({
        index: byOwner,
        partition: `${id}#Policy`,
        ...startingAfter(after),
        limit,
      })
      return await listed(rows, parseManagedPolicy)
    },
    async accessKeys(id, of) {
      const partition = accessKeyOwner(id, of)
      const { items } = await table.query({ index: byOwner, partition })
      const found = await Promise.all(items.map((item) => table.get(keyOf(item))))
      return found.filter((item) => item !== null).map(parseAccessKey)
    },
    async deleteAccessKey({ accessKeyId }) {
      await table.delete(accessKeyPlace(accessKeyId))
    },
    async accessKey(id) {
      const item = await table.get(accessKeyPlace(id))
      return item && parseAccessKey(item)
    },
    async putAccessKey(key) {
      const owner = accessKeyOwner(key.account, key.principalId)
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
  await table.put(place, principalItem(next), nothingIsThere)
  try {
    const { account: id, kind, name } = next
    await table.put(namePlace(id, kind, name.toLowerCase()), nameRow.encode(next), nothingIsThere)
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

function parseName(item: Item, kind: Kind): NameRecord {
  const found = nameRow.parse(item)
  const inLowerCase = namePlace(found.account, kind, found.name.toLowerCase())
  const isThere = keyOf(item).pk === inLowerCase.pk
  requirePlace(item, isThere ? inLowerCase : namePlace(found.account, kind, found.name))
  return found
}

function parseManagedPolicy(item: Item): ManagedPolicyRecord {
  const found = managedPolicyRow.parse(item)
  requirePlace(item, managedPolicyPlace(found.account, found.name))
  return found
}

function parseAccessKey(item: Item): AccessKeyRecord {
  const found = accessKeyRow.parse(item)
  requirePlace(item, accessKeyPlace(found.accessKeyId))
  return found
}
