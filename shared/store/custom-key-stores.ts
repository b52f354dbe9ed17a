/** Custom key stores: one item for each account and Region. */
import { type AccountId, parseAccountId, parseRegion, type Region } from '../ids.ts'
import {
  encodeBase64,
  type Item,
  integer,
  isListOf,
  isRecord,
  json,
  parsed,
  record,
} from './attribute-values.ts'
import {
  CONNECTION_ERROR_CODES,
  type CustomKeyStore,
  type CustomKeyStoresRecord,
  type KeyStoreDefinition,
  type StoreConnection,
} from './records.ts'
import type { CustomKeyStoreRepository } from './repositories.ts'
import {
  type ItemKey,
  nobodyChangedSince,
  nothingIsThere,
  requireNextRev,
  requirePlace,
  type Table,
} from './table.ts'

const SORT_KEY = 'custom-key-stores'

const placeOf = (account: AccountId, region: Region): ItemKey => ({
  pk: `${account}#${region}#custom-key-stores`,
  sk: SORT_KEY,
})

/** @param table - `keys` */
export const openCustomKeyStores = (table: Table): CustomKeyStoreRepository => ({
  async get(account, region) {
    const item = await table.get(placeOf(account, region))
    return item && parseStores(item)
  },
  async put(next, rev) {
    if (rev !== null) requireNextRev(next, rev)
    const condition = rev === null ? nothingIsThere : nobodyChangedSince(rev)
    const stores = next.stores.map(storedForm)
    await table.put(placeOf(next.account, next.region), row.encode({ ...next, stores }), condition)
  },
})

/** As JSON has it: the wrapped secret in base64. */
type StoredForm = Omit<CustomKeyStore, 'secret'> & {
  readonly secret: { readonly wrapped: string; readonly tenantKeyVersion: number }
}

const storedForm = (store: CustomKeyStore): StoredForm => ({
  ...store,
  secret: { ...store.secret, wrapped: encodeBase64(store.secret.wrapped) },
})

const isText = (value: unknown): value is string => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
const isWhole = (value: unknown): boolean => Number.isSafeInteger(value)
const isErrorCode = (value: unknown): boolean =>
  CONNECTION_ERROR_CODES.some((code) => code === value)

const isDefinition = (value: unknown): value is KeyStoreDefinition => {
  if (!isRecord(value)) return false
  if (value.type === 'AWS_CLOUDHSM') {
    return isText(value.clusterId) && isText(value.trustAnchorCertificate)
  }
  return (
    value.type === 'EXTERNAL_KEY_STORE' &&
    (value.connectivity === 'PUBLIC_ENDPOINT' || value.connectivity === 'VPC_ENDPOINT_SERVICE') &&
    [value.uriEndpoint, value.uriPath, value.accessKeyId].every(isText) &&
    [value.vpcEndpointServiceName, value.vpcEndpointServiceOwner].every(isTextOrNull)
  )
}

const isConnection = (value: unknown): value is StoreConnection => {
  if (!isRecord(value)) return false
  const { state, until, errorCode } = value
  if (state === 'CONNECTED' || state === 'DISCONNECTED') return true
  if (state === 'FAILED') return isErrorCode(errorCode)
  if (state === 'DISCONNECTING') return isWhole(until)
  return state === 'CONNECTING' && isWhole(until) && (errorCode === null || isErrorCode(errorCode))
}

const isStored = (value: unknown): value is StoredForm =>
  isRecord(value) &&
  isText(value.id) &&
  isText(value.name) &&
  isWhole(value.createdAt) &&
  isDefinition(value.definition) &&
  isRecord(value.secret) &&
  isText(value.secret.wrapped) &&
  isWhole(value.secret.tenantKeyVersion) &&
  isConnection(value.connection)

const row = record<
  Omit<CustomKeyStoresRecord, 'stores'> & { readonly stores: readonly StoredForm[] }
>({
  account: parsed(parseAccountId),
  region: parsed(parseRegion),
  stores: json(isListOf(isStored)),
  rev: integer,
})

/** @throws RowMalformed, RowMisplaced */
function parseStores(item: Item): CustomKeyStoresRecord {
  const found = row.parse(item)
  requirePlace(item, placeOf(found.account, found.region))
  return {
    ...found,
    stores: found.stores.map((store) => ({
      ...store,
      secret: { ...store.secret, wrapped: Buffer.from(store.secret.wrapped, 'base64') },
    })),
  }
}
