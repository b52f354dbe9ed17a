/**
 * The whole system in one process: gateway, embedded DynamoDB, event bus, relay and schedules. One
 * stack per process, since handlers read where things are from the process's environment.
 */
import { join } from 'node:path'
import { isLoopbackAddress, isLoopbackName } from '../../shared/authn/local-request.ts'
import type { AccessKeyId, AccountId, Region } from '../../shared/ids.ts'
import { openClient, openStore } from '../../shared/store/store.ts'
import { createTables } from '../../shared/store/tables.ts'
import { LOCAL_S3_HOSTS } from '../edge/s3-address.ts'
import { parseS3Hosts } from '../edge/s3-hosts.ts'
import { invoke, scheduledEvent, startAudit } from './audit.ts'
import { type LocalDynamoDb, startDynamoDb } from './dynamodb.ts'
import { type FunctionEntry, importHandler, readFunctions } from './functions.ts'
import { type Gateway, startGateway } from './gateway.ts'
import { LocalClock } from './local-clock.ts'
import { type StackOptions, withDefaults } from './options.ts'
import { endReset, interruptedReset, removeFiles } from './reset.ts'
import { openRootKey, requireOwnRootKey, rootKeyPath } from './root-key.ts'
import { type RouteTable, routesOf, routeTable } from './routes.ts'
import { schedulesOf, startSchedules } from './schedules.ts'
import type { Seed } from './seed/seed.ts'
import { StartProblem } from './start-problem.ts'
import type { TestControls } from './test-endpoints.ts'
import { Turnstile } from './turnstile.ts'

export interface Stack {
  /** `http://127.0.0.1:4566` */
  readonly endpoint: string
  readonly account: AccountId
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
  /** The first operator of the operator tenant. */
  readonly operator: Pick<Stack, 'account' | 'accessKeyId' | 'secretAccessKey'>
  /** Lets the calls under way end, and what they left to the audit go out; then everything stops. */
  close(): Promise<void>
}

/** Milliseconds that calls under way get at the end. */
const PATIENCE = 10_000

/**
 * Starts everything and waits until every part serves.
 * @param given - what differs from the defaults; `onCrash` is told when the embedded DynamoDB ends by
 *   itself, which otherwise ends the process
 * @throws StartProblem with one line that says why it cannot start; what was started is stopped
 */
export async function startStack(
  given: Partial<StackOptions> & { readonly onCrash?: (error: Error) => void } = {},
): Promise<Stack> {
  const { onCrash, ...rest } = given
  const parts = new Parts()
  try {
    return await start(withDefaults(rest), onCrash, parts)
  } catch (error) {
    await parts.close()
    throw error
  }
}

async function start(
  options: StackOptions,
  onCrash: ((error: Error) => void) | undefined,
  parts: Parts,
): Promise<Stack> {
  requireOwnMachine(options)
  await requireAttestationRoots()
  const seed = await readSeedOf(options)
  warnOfOtherAccount(options, seed)
  let routes: RouteTable = () => null
  const gateway = await listen(options, parts, (method, path) => routes(method, path))
  setEnvironment(options, gateway.port)
  const { dataDir } = options
  const kept = await interruptedReset(dataDir)
  const [functions, engine, clock] = await Promise.all([
    openFunctions(parts, (table) => {
      routes = table
    }),
    openDatabase(dataDir, { onCrash, empty: kept !== null }, parts),
    openClock(options),
  ])
  if (kept !== null) await Promise.all([removeFiles(dataDir), clock.reset()])
  const { openedStore, openTenants } = await import('./tenants.ts')
  const { administrator, operator } = await openTenants({ options, seed, kept })
  if (kept !== null) await endReset(dataDir)
  parts.serve('tenants')
  const audit = await startAudit(functions, openedStore, options.regions)
  parts.serve('audit', audit)
  const { account, principalId, accessKeyId, secretAccessKey } = administrator
  const credentials = { account, principalId, accessKeyId, secretAccessKey }
  const { turnstile } = parts
  const schedules = schedulesOf(functions)
  const run = ({ handler }: { readonly handler: string }) =>
    turnstile.pass(() => invoke(handler, scheduledEvent()).then(() => {}))
  parts.serve('schedules', startSchedules(schedules, run))
  if (options.testEndpoints ?? isOwnMachineOnly(options)) {
    const operatorSecret = operator.secretAccessKey
    const begin = () => openTenants({ options, seed, kept: credentials, operatorSecret })
    const controlled = { dataDir, clock, turnstile, engine, audit, schedules, credentials, begin }
    const { testControls } = await import('./test-controls.ts')
    parts.tests = testControls(controlled)
  }
  parts.ready = true
  const endpoint = `http://${hostInUrl(options.host)}:${gateway.port}`
  const close = () => parts.close()
  return { endpoint, account, accessKeyId, secretAccessKey, operator, close }
}

/** Whether nobody but programs on this machine is meant to reach the stack. */
const isOwnMachineOnly = ({ host, publicHosts, s3Hosts }: StackOptions): boolean =>
  (isLoopbackAddress(host) || isLoopbackName(host)) &&
  publicHosts.length === 0 &&
  s3Hosts.length === 0

/** @throws StartProblem when others on the network could call without a signature */
function requireOwnMachine(options: StackOptions): void {
  if (options.unsignedAs === undefined || isOwnMachineOnly(options)) return
  throw new StartProblem(
    'Unsigned calls are taken only by a stack that listens on 127.0.0.1 (or another loopback address) and has no further hosts.',
  )
}

/** @throws StartProblem when the file that is to hold them cannot be read or holds none */
async function requireAttestationRoots(): Promise<void> {
  const path = process.env.KEYHOLD_ATTESTATION_ROOT ?? ''
  if (path === '') return
  const { attestationRoots } = await import('../../shared/authn/attestation-roots.ts')
  await attestationRoots().catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === undefined ? 'holds none' : `cannot be read (${error.code})`
    throw new StartProblem(
      `KEYHOLD_ATTESTATION_ROOT must name a file of certificates in PEM, and ${path} ${reason}.`,
    )
  })
}

async function readSeedOf({ seed, regions, account }: StackOptions): Promise<Seed | null> {
  const [first, ...others] = regions
  if (seed === undefined || first === undefined) return null
  const served: readonly [Region, ...Region[]] = [first, ...others]
  const { readSeedFile } = await import('./seed/read-seed.ts')
  return await readSeedFile(seed, { regions: served, account })
}

/** Both are had, but whoever calls with the one set of credentials does not see the other's keys. */
function warnOfOtherAccount({ account }: StackOptions, seed: Seed | null): void {
  const seeded = seed?.tenants.map((tenant) => tenant.account) ?? []
  if (account === undefined || seeded.length === 0 || seeded.includes(account)) return
  console.warn(
    `keyhold: warning: --account-id (KEYHOLD_ACCOUNT_ID) is ${account}, and the seed is about ${seeded.join(', ')}: the credentials are of ${account}, which has none of the seed's keys.`,
  )
}

async function openClock({ dataDir, unsignedAs }: StackOptions): Promise<LocalClock> {
  const clock = await LocalClock.open(dataDir)
  const { setLocalTerms } = await import('../../shared/lambda/environment.ts')
  setLocalTerms({ clock, unsignedAs: unsignedAs ?? null })
  return clock
}

/** The parts that serve so far. */
class Parts {
  ready = false
  readonly serving: Record<string, boolean> = {}
  readonly turnstile = new Turnstile()
  tests: TestControls | null = null
  gateway: Gateway | null = null
  readonly #closers: (() => Promise<void>)[] = []
  #closing: Promise<void> | null = null

  serve(name: string, part?: { close(): Promise<void> }): void {
    this.serving[name] = true
    if (part !== undefined) this.#closers.unshift(() => part.close())
  }

  /** The gateway first, so that nothing calls the others, then the last that was started. */
  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    await this.gateway?.close(PATIENCE)
    for (const close of this.#closers) {
      await close().catch((error: unknown) => console.error('A part did not end well:', error))
    }
  }
}

/** First of all, so that a port in use is known before anything is made. */
async function listen(
  { host, port, s3Hosts: further }: StackOptions,
  parts: Parts,
  routes: RouteTable,
): Promise<Gateway> {
  const health = () => ({ ready: parts.ready, parts: parts.serving })
  const load = ({ handler }: { readonly handler: string }) => importHandler(handler)
  try {
    const { turnstile } = parts
    const tests = () => parts.tests
    const s3Hosts = [...LOCAL_S3_HOSTS, ...parseS3Hosts(further.join())]
    const options = { host, port, routes, load, health, turnstile, tests, s3Hosts }
    const gateway = await startGateway(options)
    parts.gateway = gateway
    parts.serve('gateway')
    return gateway
  } catch (error) {
    throw portProblem(error, host, port)
  }
}

function portProblem(error: unknown, host: string, port: number): unknown {
  const { code } = error as NodeJS.ErrnoException
  switch (code) {
    case 'EADDRINUSE':
      return new StartProblem(
        `Port ${port} of ${host} is in use, perhaps by another Keyhold: choose another with --port.`,
      )
    case 'EACCES':
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new StartProblem(`Cannot listen on port ${port} of ${host} (${code}).`)
    default:
      return error
  }
}

/** Where things are; handlers read it at the first call. */
function setEnvironment(options: StackOptions, port: number): void {
  const { dataDir, host, regions, publicHosts, s3Hosts } = options
  const hosts = new Set(['127.0.0.1', 'localhost', '*.localhost', '[::1]', hostInUrl(host)])
  const further = [...publicHosts, ...s3Hosts.flatMap((name) => [name, `*.${name}`])]
  Object.assign(process.env, {
    KEYHOLD_REGIONS: regions.join(','),
    KEYHOLD_HSM: `software:${rootKeyPath(dataDir)}`,
    KEYHOLD_BLOBS: `file:${join(dataDir, 'blobs')}`,
    KEYHOLD_AUDIT_ARCHIVE: `file:${join(dataDir, 'audit')}`,
    KEYHOLD_AUDIT_BUS: 'keyhold-audit',
    KEYHOLD_PUBLIC_HOSTS: [...[...hosts].map((name) => `${name}:${port}`), ...further].join(),
  })
}

/** An IPv6 address stands in brackets (RFC 3986 section 3.2.2); all addresses are reached by one. */
function hostInUrl(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

/** Reads the description, and loads every handler, so that no first call has to wait for it. */
async function openFunctions(
  parts: Parts,
  setRoutes: (routes: RouteTable) => void,
): Promise<readonly FunctionEntry[]> {
  const functions = await readFunctions()
  setRoutes(routeTable(routesOf(functions)))
  await Promise.all(functions.map(({ handler }) => requireLoaded(handler)))
  parts.serve('functions')
  return functions
}

async function requireLoaded(handler: string): Promise<void> {
  try {
    await importHandler(handler)
  } catch (error) {
    const [reason] = (error as Error).message.split('\n')
    throw new StartProblem(`${handler} cannot be loaded: ${reason}`, { cause: error })
  }
}

interface EngineTerms {
  readonly onCrash: ((error: Error) => void) | undefined
  /** Whether what is in it is to go. */
  readonly empty: boolean
}

async function openDatabase(
  dataDir: string,
  terms: EngineTerms,
  parts: Parts,
): Promise<LocalDynamoDb> {
  const rootKey = await openRootKey(dataDir)
  const engine = await startEngine(dataDir, terms)
  parts.serve('dynamodb', engine)
  process.env.KEYHOLD_DYNAMODB_ENDPOINT = engine.endpoint
  const client = openClient({ endpoint: engine.endpoint })
  await createTables(client)
  client.close()
  const store = openStore({ endpoint: engine.endpoint })
  await requireOwnRootKey(rootKey, store.tenants, dataDir)
  store.close()
  await rootKey.close()
  return engine
}

async function startEngine(
  dataDir: string,
  { onCrash, empty }: EngineTerms,
): Promise<LocalDynamoDb> {
  try {
    return await startDynamoDb({ dataDir, empty, ...(onCrash === undefined ? {} : { onCrash }) })
  } catch (error) {
    throw new StartProblem(
      `The data in ${dataDir} cannot be opened, perhaps because another Keyhold has it open: ${(error as Error).message}`,
      { cause: error },
    )
  }
}
