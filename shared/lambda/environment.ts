/**
 * What the handlers of one process share, made from the environment's variables at the first call
 * that needs it. Handlers do not know where they run: on a laptop the same variables point to the
 * engines of the local stack.
 */
import { Ledger } from '../audit/ledger.ts'
import { Authenticator } from '../authn/authenticate.ts'
import { parseIssuers } from '../authn/oidc-issuers.ts'
import { Sessions } from '../authn/sessions.ts'
import { acceptingUnsigned } from '../authn/unsigned.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Hsm } from '../hsm/hsm.ts'
import { type AccountId, parseRegion, type Region } from '../ids.ts'
import { KeyGrants } from '../keys/key-grants.ts'
import { Keys } from '../keys/keys.ts'
import { MaterialCache } from '../keys/material.ts'
import type { Services } from '../pipeline/operation.ts'
import { parseRateDefaults, RequestRates } from '../pipeline/request-rates.ts'
import { openStore } from '../store/store.ts'
import { AccessKeys } from '../tenants/access-keys.ts'
import { GrantTokens } from '../tenants/grant-tokens.ts'
import { Markers } from '../tenants/markers.ts'
import { SessionTokens } from '../tenants/session-tokens.ts'
import { TenantKeys } from '../tenants/tenant-keys.ts'
import { Bearers } from './bearers.ts'
import { readSeconds } from './seconds.ts'

export interface Environment {
  readonly services: Services
  readonly accessKeys: AccessKeys
  readonly authenticator: Pick<Authenticator, 'authenticate' | 'authenticateForm'>
  /** Who comes with a token of an identity provider in the place of a signature. */
  readonly bearers: Bearers
}

/** What only a stack on one's own machine has. No variable brings it about, so no deployment has it. */
export interface LocalTerms {
  readonly clock: Clock
  /** Who those are who do not sign. */
  readonly unsignedAs: { readonly account: AccountId; readonly userName: string } | null
}

interface Engines {
  readonly store: ReturnType<typeof openStore>
  readonly hsm: Hsm
}

const NO_IDENTITY_TOKENS: Services['identityTokens'] = {
  isConfigured: false,
  verify: async () => ({ ok: false, fault: { kind: 'unknown-issuer', issuer: null } }),
}

const DEPLOYED: LocalTerms = { clock: systemClock, unsignedAs: null }

let shared: Promise<Environment> | undefined
let engines: Engines | undefined
let terms = DEPLOYED

/** The environment of this process; a failure to make it is not remembered. */
export function environment(): Promise<Environment> {
  shared ??= open(process.env).catch((error: unknown) => {
    shared = undefined
    throw error
  })
  return shared
}

/** To be called before the first call of `environment`. */
export function setLocalTerms(local: LocalTerms): void {
  terms = local
}

/**
 * Forgets all that was read and made so far: every cache is empty, the store knows of nothing that it
 * wrote, and the ledger begins new chains. Nobody may be calling.
 */
export function renewEnvironment(): Promise<Environment> {
  shared = undefined
  engines?.store.close()
  if (engines !== undefined) engines = { ...engines, store: openStore() }
  return environment()
}

async function open(variables: NodeJS.ProcessEnv): Promise<Environment> {
  const { clock, unsignedAs } = terms
  const wallClock = systemClock
  const cacheMs = readSeconds(variables, 'KEYHOLD_CACHE_SECONDS', 5)
  const rateDefaults = parseRateDefaults(variables.KEYHOLD_REQUEST_RATES)
  const regions = parseRegions(variables.KEYHOLD_REGIONS ?? variables.AWS_REGION ?? 'us-east-1')
  engines ??= { hsm: await openHsm(variables.KEYHOLD_HSM ?? ''), store: openStore() }
  const { store, hsm } = engines
  const tenantKeys = new TenantKeys({ tenants: store.tenants, hsm, clock: wallClock })
  const { tenants } = store
  const accessKeys = new AccessKeys({ tenants, tenantKeys, clock: wallClock, cacheMs })
  const tokens = new SessionTokens(tenantKeys)
  const managedPolicies = async (account: AccountId, arns: readonly string[]) => {
    const found = await Promise.all(arns.map((arn) => accessKeys.policy(account, arn)))
    return found.filter((policy) => policy !== null)
  }
  const sessions = new Sessions({ tokens, accessKeys, managedPolicies, clock, cacheMs })
  const hosts = parseList(variables.KEYHOLD_PUBLIC_HOSTS ?? '')
  const signed = new Authenticator({ accessKeys, sessions, clock: wallClock, regions, hosts })
  const services: Services = {
    clock,
    wallClock,
    regions,
    store,
    tenantKeys,
    accessKeys,
    keys: new Keys({ keys: store.keys, aliases: store.aliases, clock, cacheMs }),
    grants: new KeyGrants({ grants: store.grants, clock, cacheMs }),
    grantTokens: new GrantTokens(tenantKeys),
    material: new MaterialCache({ tenantKeys, clock }),
    markers: new Markers(tenantKeys),
    requestRates: new RequestRates({ clock: wallClock, defaults: rateDefaults }),
    sessions,
    identityTokens: await openIdentityTokens(variables.KEYHOLD_OIDC_ISSUERS ?? '', cacheMs),
    ledger: new Ledger({ blocks: store.ledger, clock: wallClock }),
  }
  return {
    accessKeys,
    authenticator:
      unsignedAs === null ? signed : acceptingUnsigned(signed, { ...unsignedAs, tenants, regions }),
    bearers: new Bearers(services, cacheMs),
    services,
  }
}

/** What verifies tokens is loaded only where an issuer is configured. */
async function openIdentityTokens(
  setting: string,
  cacheMs: number,
): Promise<Services['identityTokens']> {
  const issuers = parseIssuers(setting)
  if (issuers.length === 0) return NO_IDENTITY_TOKENS
  const { IdentityTokens } = await import('../authn/identity-tokens.ts')
  return new IdentityTokens({ issuers, clock: systemClock, cacheMs })
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
