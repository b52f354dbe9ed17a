/** The first tenant and its administrator: what has to be there before anyone can call. */
import { randomInt } from 'node:crypto'
import { type AccessKeyId, type AccountId, type PrincipalId, parseAccountId } from '../ids.ts'
import type { PrincipalRecord } from '../store/records.ts'
import type { TenantRepository } from '../store/repositories.ts'
import { firstAccessKeyIdOf, newPrincipalId } from './access-key-id.ts'
import { principalArn } from './principal.ts'
import {
  ADMINISTRATOR_ACCESS,
  requireTenant,
  requireUser,
  type SetupServices,
  storedSecret,
} from './setup.ts'

const ADMINISTRATOR = 'admin'
const TENANT_NAME = 'default'

export interface BootstrapOptions extends SetupServices {
  /** The tenant to set up; without it the oldest there is, or a new one with a random account id. */
  readonly account?: AccountId
  /** The administrator's name; without it `admin`. */
  readonly userName?: string
  /** The administrator's stable id when it has to be made; without it a new one. */
  readonly principalId?: PrincipalId
  /** The administrator's access key; without it one whose id follows from the administrator's. */
  readonly accessKeyId?: AccessKeyId
  /** Replaces the secret of that access key; without it the stored secret, or a new one. */
  readonly secretAccessKey?: string
}

export interface Bootstrapped {
  readonly account: AccountId
  readonly userArn: string
  readonly principalId: PrincipalId
  readonly accessKeyId: AccessKeyId
  readonly secretAccessKey: string
  /** Whether the access key was made or its secret replaced. */
  readonly created: boolean
}

/**
 * Sees to it that there is a tenant with its key, a user who may do everything in it, and an access
 * key of that user. Other access keys are left alone.
 *
 * @throws AccessKeyTaken when `accessKeyId` is an access key of somebody else
 */
export async function bootstrap(options: BootstrapOptions): Promise<Bootstrapped> {
  const account = options.account ?? (await oldestTenant(options.tenants)) ?? randomAccountId()
  await requireTenant(options, account, TENANT_NAME)
  const name = options.userName ?? ADMINISTRATOR
  const principalId = options.principalId ?? newPrincipalId()
  const wanted = { account, name, policies: [ADMINISTRATOR_ACCESS], principalId }
  const administrator = await requireUser(options, wanted)
  const accessKey = await requireAccessKey(options, administrator)
  const userArn = principalArn(administrator)
  return { account, userArn, principalId: administrator.principalId, ...accessKey }
}

async function oldestTenant(tenants: TenantRepository): Promise<AccountId | null> {
  const known = (await tenants.list()).filter(({ kind }) => kind === 'team')
  const byAge = known.toSorted(
    (a, b) => a.createdAt - b.createdAt || (a.account < b.account ? -1 : 1),
  )
  return byAge[0]?.account ?? null
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

/** Twelve digits, the first not 0, which some tools would drop. */
function randomAccountId(): AccountId {
  const account = parseAccountId(String(randomInt(100_000_000_000, 1_000_000_000_000)))
  if (account === null) throw new TypeError('Not the form of an account id.')
  return account
}
