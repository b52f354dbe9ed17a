/**
 * Custom key stores: making, changing, connecting and removing them (AWS KMS Developer Guide, "Custom
 * key stores"; the connection states that each change needs are those of the API reference).
 */
import { randomBytes } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { seal } from '../crypto/sealed-box.ts'
import { JsonError } from '../errors.ts'
import { type AccountId, PARTITION, type Region } from '../ids.ts'
import type {
  CustomKeyStore,
  CustomKeyStoresRecord,
  StoreConnection,
  WrappedSecret,
} from '../store/records.ts'
import { ConditionFailed, type CustomKeyStoreRepository } from '../store/repositories.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import type { KeyStoreBackend } from './key-store-backend.ts'
import {
  type KeyStoreMembers,
  requireDefinition,
  requireUnique,
  updatedDefinition,
} from './key-store-definition.ts'

/** Whose custom key stores, where, and what they are kept and reached with. */
export interface KeyStoreScope {
  readonly account: AccountId
  readonly region: Region
  readonly stores: CustomKeyStoreRepository
  readonly tenantKeys: TenantKeys
  readonly clock: Clock
  readonly backend: KeyStoreBackend
}

const MAX_STORES = 10
const MAX_ATTEMPTS = 8
/** How long connecting and disconnecting show. */
const CONNECTING_MS = 1000
const ID_BYTES = 9
const ID_DIGITS = 17
const LABEL = 'keyhold wrapped key store secret v1'

/** @returns all of them, by id, each as it is at this moment */
export async function listStores(scope: KeyStoreScope): Promise<readonly CustomKeyStore[]> {
  const record = await scope.stores.get(scope.account, scope.region)
  const now = scope.clock.now()
  return (record?.stores ?? []).map((store) => ({
    ...store,
    connection: connectionAt(store.connection, now),
  }))
}

/** @throws JsonError CustomKeyStoreNotFoundException */
export async function requireStore(scope: KeyStoreScope, id: string): Promise<CustomKeyStore> {
  return storeOf(await listStores(scope), id)
}

/** @throws JsonError CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException */
export async function requireConnectedStore(
  scope: KeyStoreScope,
  id: string,
): Promise<CustomKeyStore> {
  const store = await requireStore(scope, id)
  requireConnection(store, ['CONNECTED'])
  return store
}

/**
 * @returns the id of the new store, which is disconnected
 * @throws JsonError ValidationException, LimitExceededException, what `requireUnique` throws, and what
 *   the backend throws
 */
export async function createStore(
  scope: KeyStoreScope,
  name: string,
  members: KeyStoreMembers,
): Promise<string> {
  const { definition, secret } = requireDefinition(members)
  requireRoom(await listStores(scope))
  requireUnique(name, definition, await listStores(scope))
  await scope.backend.inspect(definition)
  const id = `cks-${randomBytes(ID_BYTES).toString('hex').slice(0, ID_DIGITS)}`
  const store: CustomKeyStore = {
    id,
    name,
    createdAt: scope.clock.now(),
    definition,
    secret: await wrapSecret(scope, id, secret),
    connection: { state: 'DISCONNECTED' },
  }
  await changeStores(scope, (stores) => {
    requireRoom(stores)
    requireUnique(name, definition, stores)
    return [...stores, store].sort((one, other) => (one.id < other.id ? -1 : 1))
  })
  return id
}

/**
 * A connected store can get another name and nothing else; all else needs it to be disconnected.
 * @throws JsonError as `createStore`, CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException
 */
export async function updateStore(
  scope: KeyStoreScope,
  id: string,
  newName: string | undefined,
  members: KeyStoreMembers,
): Promise<void> {
  const before = await requireStore(scope, id)
  const definition = updatedDefinition(before.definition, members)
  const changesMore = Object.values(members).some((member) => member !== undefined)
  const allowed: readonly StoreConnection['state'][] = changesMore
    ? ['DISCONNECTED']
    : ['DISCONNECTED', 'CONNECTED']
  const others = (stores: readonly CustomKeyStore[]) => stores.filter((store) => store.id !== id)
  requireConnection(before, allowed)
  requireUnique(newName ?? before.name, definition, others(await listStores(scope)))
  if (movesElsewhere(members)) await scope.backend.inspect(definition)
  const given =
    members.KeyStorePassword ?? members.XksProxyAuthenticationCredential?.RawSecretAccessKey
  const secret = given === undefined ? null : await wrapSecret(scope, id, given)
  await changeStores(scope, (stores) => {
    const present = storeOf(stores, id)
    requireConnection(present, allowed)
    const next = {
      ...present,
      name: newName ?? present.name,
      definition: updatedDefinition(present.definition, members),
      secret: secret ?? present.secret,
    }
    requireUnique(next.name, next.definition, others(stores))
    return stores.map((store) => (store.id === id ? next : store))
  })
}

/** Whether there is something to look at: a password alone is tried when the store is connected. */
const movesElsewhere = ({ KeyStorePassword: _, ...members }: KeyStoreMembers): boolean =>
  Object.values(members).some((member) => member !== undefined)

/**
 * No store holds keys, as none can be made in one (`KeyStoreBackend.createKey`).
 * @throws JsonError CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException
 */
export async function deleteStore(scope: KeyStoreScope, id: string): Promise<void> {
  await changeStores(scope, (stores) => {
    requireConnection(storeOf(stores, id), ['DISCONNECTED'])
    return stores.filter((store) => store.id !== id)
  })
}

/**
 * Begins to connect a store; whether it succeeds shows after a while. One that is connected, or about
 * to be, stays so.
 * @throws JsonError CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException
 */
export async function connectStore(scope: KeyStoreScope, id: string): Promise<void> {
  const store = await requireStore(scope, id)
  requireConnection(store, ['CONNECTED', 'CONNECTING', 'DISCONNECTED'])
  if (store.connection.state !== 'DISCONNECTED') return
  const errorCode = await scope.backend.connect(store.definition)
  const until = scope.clock.now() + CONNECTING_MS
  await changeConnection(scope, id, ['DISCONNECTED'], { state: 'CONNECTING', until, errorCode })
}

/**
 * Begins to disconnect a store, also one that could not be connected.
 * @throws JsonError CustomKeyStoreNotFoundException, CustomKeyStoreInvalidStateException
 */
export async function disconnectStore(scope: KeyStoreScope, id: string): Promise<void> {
  const until = scope.clock.now() + CONNECTING_MS
  const connection = { state: 'DISCONNECTING', until } as const
  await changeConnection(scope, id, ['CONNECTED', 'CONNECTING', 'FAILED'], connection)
}

const changeConnection = (
  scope: KeyStoreScope,
  id: string,
  allowed: readonly StoreConnection['state'][],
  connection: StoreConnection,
): Promise<void> =>
  changeStores(scope, (stores) => {
    requireConnection(storeOf(stores, id), allowed)
    return stores.map((store) => (store.id === id ? { ...store, connection } : store))
  })

/**
 * How a connection is at a moment: what was begun has ended by its time.
 * @param now - milliseconds since the epoch
 */
export function connectionAt(connection: StoreConnection, now: number): StoreConnection {
  if (connection.state === 'CONNECTING' && now >= connection.until) {
    const { errorCode } = connection
    return errorCode === null ? { state: 'CONNECTED' } : { state: 'FAILED', errorCode }
  }
  if (connection.state === 'DISCONNECTING' && now >= connection.until) {
    return { state: 'DISCONNECTED' }
  }
  return connection
}

/** One conditional write, tried again from a fresh read when somebody else was faster. */
async function changeStores(
  { account, region, stores, clock }: KeyStoreScope,
  change: (present: readonly CustomKeyStore[]) => readonly CustomKeyStore[],
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before: CustomKeyStoresRecord | null = await stores.get(account, region)
    const now = clock.now()
    const present = (before?.stores ?? []).map((store) => ({
      ...store,
      connection: connectionAt(store.connection, now),
    }))
    const next = { account, region, stores: change(present), rev: (before?.rev ?? 0) + 1 }
    try {
      return await stores.put(next, before?.rev ?? null)
    } catch (error) {
      if (!(error instanceof ConditionFailed) || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

function storeOf(stores: readonly CustomKeyStore[], id: string): CustomKeyStore {
  const store = stores.find((each) => each.id === id)
  if (store === undefined) throw new JsonError('CustomKeyStoreNotFoundException')
  return store
}

function requireConnection(
  { connection }: CustomKeyStore,
  allowed: readonly StoreConnection['state'][],
): void {
  if (!allowed.includes(connection.state))
    throw new JsonError('CustomKeyStoreInvalidStateException')
}

function requireRoom(stores: readonly CustomKeyStore[]): void {
  if (stores.length >= MAX_STORES) throw new JsonError('LimitExceededException')
}

/** Bound to the store: it opens as the secret of no other. */
async function wrapSecret(
  { account, region, tenantKeys }: KeyStoreScope,
  id: string,
  secret: string,
): Promise<WrappedSecret> {
  const tenantKey = await tenantKeys.current(account)
  const tenantKeyVersion = tenantKey.version
  const bytes = Buffer.from(secret)
  const aad = encodeFields(LABEL, PARTITION, region, account, id, tenantKeyVersion)
  const wrapped = seal(tenantKey.purpose('key-store'), LABEL, bytes, aad)
  bytes.fill(0)
  return { wrapped, tenantKeyVersion }
}
