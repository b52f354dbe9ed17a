/** The store: all repositories over one client. */
import { openAliases } from './aliases.ts'
import { openBuckets } from './buckets.ts'
import { type ClientLimits, StoreClient } from './client.ts'
import { openCustomKeyStores } from './custom-key-stores.ts'
import { openGrants } from './grants.ts'
import { openKeys } from './keys.ts'
import { openLedger } from './ledger.ts'
import { openObjects } from './objects.ts'
import type { Store } from './repositories.ts'
import { openKeyUsage, openRelatedKeys, openRotations } from './rotations.ts'
import { Table } from './table.ts'
import { DEFAULT_TABLE_PREFIX, type TableName } from './tables.ts'
import { openTenants } from './tenants.ts'
import { openUploads } from './uploads.ts'

export interface StoreOptions {
  /** Of an embedded engine; without one (and without `KEYHOLD_DYNAMODB_ENDPOINT`) it is AWS's. */
  readonly endpoint?: string
  /** Default: `KEYHOLD_TABLE_PREFIX`, otherwise `keyhold-`. */
  readonly tablePrefix?: string
  /** Default: `AWS_REGION`. */
  readonly region?: string
  readonly limits?: Partial<ClientLimits>
}

/**
 * Opens the store; nothing is sent before the first call of a repository.
 * @throws Error when there is neither an endpoint nor a Region
 */
export function openStore(options: StoreOptions = {}): Store & { close(): void } {
  const client = openClient(options)
  const prefix = options.tablePrefix ?? process.env.KEYHOLD_TABLE_PREFIX ?? DEFAULT_TABLE_PREFIX
  const table = (name: TableName): Table => new Table(client, prefix + name)
  const keys = table('keys')
  const objects = table('objects')
  return {
    tenants: openTenants(table('tenants')),
    keys: openKeys(keys),
    relatedKeys: openRelatedKeys(keys),
    rotations: openRotations(keys),
    keyUsage: openKeyUsage(keys),
    customKeyStores: openCustomKeyStores(keys),
    aliases: openAliases(keys),
    grants: openGrants(keys),
    ledger: openLedger(table('ledger')),
    buckets: openBuckets(objects),
    objects: openObjects(objects),
    uploads: openUploads(objects),
    close: () => client.close(),
  }
}

/**
 * The client alone, for whoever makes tables.
 * @throws Error when there is neither an endpoint nor a Region
 */
export function openClient(options: Omit<StoreOptions, 'tablePrefix'> = {}): StoreClient {
  const { AWS_REGION, AWS_DEFAULT_REGION, KEYHOLD_DYNAMODB_ENDPOINT } = process.env
  const endpoint = (options.endpoint ?? KEYHOLD_DYNAMODB_ENDPOINT) || undefined
  const named = options.region ?? (AWS_REGION || AWS_DEFAULT_REGION)
  const region = named || (endpoint === undefined ? undefined : 'local')
  if (!region) throw new Error('AWS_REGION names the Region of the tables; it is not set.')
  return new StoreClient({ endpoint, region, limits: options.limits })
}
