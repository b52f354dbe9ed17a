/**
 * What the handlers of one process share, made from the environment's variables at the first call
 * that needs it. Handlers do not know where they run: on a laptop the same variables point to the
 * engines of the local stack.
 */
import { Ledger } from '../audit/ledger.ts'
import { Authenticator } from '../authn/authenticate.ts'
import { systemClock } from '../clock.ts'
import type { Hsm } from '../hsm/hsm.ts'
import { parseRegion, type Region } from '../ids.ts'
import { Keys } from '../keys/keys.ts'
import { MaterialCache } from '../keys/material.ts'
import type { Services } from '../pipeline/operation.ts'
import { openStore } from '../store/store.ts'
import { AccessKeys } from '../tenants/access-keys.ts'
import { Markers } from '../tenants/markers.ts'
import { TenantKeys } from '../tenants/tenant-keys.ts'

export interface Environment {
  readonly services: Services
  readonly accessKeys: AccessKeys
  readonly authenticator: Authenticator
}

let shared: Promise<Environment> | undefined

/** The environment of this process; a failure to make it is not remembered. */
export function environment(): Promise<Environment> {
  shared ??= open(process.env).catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}

async function open(variables: NodeJS.ProcessEnv): Promise<Environment> {
  const clock = systemClock
  const cacheMs = Number(variables.KEYHOLD_CACHE_SECONDS ?? 5) * 1000
  const regions = parseRegions(variables.KEYHOLD_REGIONS ?? variables.AWS_REGION ?? 'us-east-1')
  const store = openStore()
  const hsm = await openHsm(variables.KEYHOLD_HSM ?? '')
  const tenantKeys = new TenantKeys({ tenants: store.tenants, hsm, clock })
  const accessKeys = new AccessKeys({ tenants: store.tenants, tenantKeys, clock, cacheMs })
  const hosts = parseList(variables.KEYHOLD_PUBLIC_HOSTS ?? '')
  return {
    accessKeys,
    authenticator: new Authenticator({ accessKeys, clock, regions, hosts }),
    services: {
      clock,
      regions,
      store,
      tenantKeys,
      keys: new Keys({ keys: store.keys, aliases: store.aliases, clock, cacheMs }),
      material: new MaterialCache({ tenantKeys, clock }),
      markers: new Markers(tenantKeys),
      ledger: new Ledger({ blocks: store.ledger, clock }),
    },
  }
}

/** @throws Error naming the text that is not a Region */
export function parseRegions(text: string): readonly Region[] {
  const regions = parseList(text).map((name) => {
    const region = parseRegion(name)
    if (region === null) throw new Error(`'${name}' is not the name of a Region.`)
    return region
  })
  if (regions.length === 0) throw new Error('At least one Region is needed.')
  return regions
}

const parseList = (text: string): readonly string[] =>
  text
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

/** @param address - `software:<path>` or `aws-kms:<key id>`; the provider is loaded on demand */
async function openHsm(address: string): Promise<Hsm> {
  const [provider, ...rest] = address.split(':')
  const where = rest.join(':')
  switch (provider) {
    case 'software':
      return (await import('../hsm/software.ts')).openSoftwareHsm(where)
    case 'aws-kms':
      return (await import('../hsm/aws-kms.ts')).openAwsKmsHsm({ keyId: where })
    default:
      throw new Error("KEYHOLD_HSM must be 'software:<path>' or 'aws-kms:<key id>'.")
  }
}
