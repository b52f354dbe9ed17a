/**
 * The first tenant and its administrator: what has to be there before anyone can call. Every step
 * may have been done already, by an earlier start that ended half-way or by one running beside this
 * one, so each looks first and takes what it finds.
 */
import { randomInt } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type AccessKeyId, type AccountId, parseAccountId } from '../ids.ts'
import type { AccessKeyRecord, PrincipalRecord, TenantRecord } from '../store/records.ts'
import { ConditionFailed, type TenantRepository } from '../store/repositories.ts'
import { firstAccessKeyIdOf, newPrincipalId } from './access-key-id.ts'
import type { AccessKeys } from './access-keys.ts'
import { principalArn } from './principal.ts'
import type { TenantKeys } from './tenant-keys.ts'

const ADMINISTRATOR = 'admin'
const TENANT_NAME = 'default'

/** Source: AWS managed policies, "AdministratorAccess". */
const ADMINISTRATOR_ACCESS = {
  name: 'AdministratorAccess',
  document: JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }],
  }),
}

export interface BootstrapOptions {
  readonly tenants: TenantRepository
  readonly tenantKeys: TenantKeys
  readonly accessKeys: AccessKeys
  readonly clock: Clock
  /** The tenant to set up; without it the oldest there is, or a new one with a random account id. */
  readonly account?: AccountId
  /** The administrator's access key; without it one whose id follows from the administrator's. */
  readonly accessKeyId?: AccessKeyId
  /** Replaces the secret of that access key; without it the stored secret, or a new one. */
  readonly secretAccessKey?: string
}

export interface Bootstrapped {
  readonly account: AccountId
  readonly userArn: string
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
  /** Whether the access key was made or its secret replaced. */
  readonly created: boolean
}

/**
 * Sees to it that there is a tenant with its key, a user `admin` who may do everything in it, and
 * an access key of that user. Other access keys are left alone.
 *
 * @throws Error when `accessKeyId` is an access key of somebody else
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  const account = await requireTenant(options)
  await requireTenantKey(options, account)
  const administrator = await requireAdministrator(options, account)
  const accessKey = await requireAccessKey(options, administrator)
  return { account, userArn: principalArn(administrator), ...accessKey }
}

async function requireTenant(options: BootstrapOptions): Promise<AccountId> {
  const account = options.account ?? (await oldestTenant(options)) ?? randomAccountId()
  if ((await options.tenants.get(account)) === null) {
    const createdAt = options.clock.now()
    const tenant: TenantRecord = {
      account,
      name: TENANT_NAME,
      createdAt,
      status: 'Active',
      rev: 1,
    }
    await unlessThere(options.tenants.create(tenant))
    options.accessKeys.forgetTenant(account)
  }
  return account
}

async function requireTenantKey(
  { tenants, tenantKeys }: BootstrapOptions,
  account: AccountId,
): Promise<void> {
  const versions = await tenants.keys(account)
  if (versions.length === 0) await unlessThere(tenantKeys.create(account))
}

async function oldestTenant({ tenants }: BootstrapOptions): Promise<AccountId | null> {
  const known = await tenants.list()
  const byAge = known.toSorted(
    (a, b) => a.createdAt - b.createdAt || (a.account < b.account ? -1 : 1),
  )
  return byAge[0]?.account ?? null
}

async function requireAdministrator(
  options: BootstrapOptions,
  account: AccountId,
): Promise<PrincipalRecord> {
  const known = await options.tenants.principalByName(account, ADMINISTRATOR)
  if (known !== null) return known
  const administrator: PrincipalRecord = {
    account,
    principalId: newPrincipalId(),
    kind: 'User',
    name: ADMINISTRATOR,
    path: '/',
    policies: [ADMINISTRATOR_ACCESS],
    createdAt: options.clock.now(),
    rev: 1,
  }
  await unlessThere(options.tenants.createPrincipal(administrator))
  // Whoever came first has made it, perhaps somebody else.
  const made = await options.tenants.principalByName(account, ADMINISTRATOR)
  if (made === null) throw new Error(`The user ${ADMINISTRATOR} of ${account} cannot be made.`)
  return made
}

async function requireAccessKey(
  options: BootstrapOptions,
  { account, principalId }: PrincipalRecord,
): Promise<Pick<Bootstrapped, 'accessKeyId' | 'secretAccessKey' | 'created'>> {
  const { accessKeys, tenants, secretAccessKey: wanted } = options
  const accessKeyId = options.accessKeyId ?? firstAccessKeyIdOf(principalId)
  const known = await tenants.accessKey(accessKeyId)
  if (known !== null && known.account === account && known.principalId === principalId) {
    const stored = await storedSecret(accessKeys, known)
    if (wanted === undefined || (wanted === stored && known.status === 'Active')) {
      return { accessKeyId, secretAccessKey: stored, created: false }
    }
  }
  const given = wanted === undefined ? { accessKeyId } : { accessKeyId, secret: wanted }
  return { ...(await accessKeys.issue(account, principalId, given)), created: true }
}

async function storedSecret(accessKeys: AccessKeys, known: AccessKeyRecord): Promise<string> {
  const secret = await accessKeys.reveal(known)
  const text = secret.toString()
  secret.fill(0)
  return text
}

/** @throws whatever is thrown, except that the thing is there already */
async function unlessThere(write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
}

/** Twelve digits, the first not 0, which some tools would drop. */
function randomAccountId(): AccountId {
  const account = parseAccountId(String(randomInt(100_000_000_000, 1_000_000_000_000)))
  if (account === null) throw new TypeError('Not the form of an account id.')
  return account
}
