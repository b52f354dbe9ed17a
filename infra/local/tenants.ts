/** The first tenant with its administrator, and what the seed names: what a stack begins with. */
import type { AccountId } from '../../shared/ids.ts'
import { environment } from '../../shared/lambda/environment.ts'
import type { Store } from '../../shared/store/repositories.ts'
import { AccessKeyTaken } from '../../shared/tenants/access-keys.ts'
import {
  type BootstrapOptions,
  type Bootstrapped,
  bootstrap,
} from '../../shared/tenants/bootstrap.ts'
import { requireOperator } from '../../shared/tenants/operator.ts'
import type { StackOptions } from './options.ts'
import type { KeptCredentials } from './reset.ts'
import { applySeed } from './seed/apply-seed.ts'
import type { Seed, SeedTenant, SeedUser } from './seed/seed.ts'
import { StartProblem } from './start-problem.ts'

type Wishes = Partial<
  Pick<BootstrapOptions, 'account' | 'userName' | 'principalId' | 'accessKeyId' | 'secretAccessKey'>
>

/** What settles who the first tenant and its administrator are. */
export interface Beginning {
  readonly options: StackOptions
  readonly seed: Seed | null
  /** Of a stack that was emptied: these are the same afterwards. */
  readonly kept: KeptCredentials | null
  /** The operator's secret access key, when it is to be the same as before. */
  readonly operatorSecret?: string
}

/** Who can sign in to a stack that begins. */
export interface Opened {
  readonly administrator: Bootstrapped
  readonly operator: Bootstrapped
}

/**
 * Sees to it that all of it is there.
 * @throws StartProblem when what is wanted contradicts what is there
 */
export async function openTenants(beginning: Beginning): Promise<Opened> {
  const { options, seed } = beginning
  const first = seededFirst(beginning)
  // The oldest tenant is the first one, so it has to be made before those of the seed.
  const administrator = first === null ? await administratorOf(givenWishes(beginning)) : null
  if (seed !== null) await applySeed(seed, await environment())
  const settled = administrator ?? (await administratorOf(first ?? {}))
  if (options.unsignedAs !== undefined) await requireUser(options.unsignedAs)
  return { administrator: settled, operator: await operatorOf(beginning.operatorSecret) }
}

async function operatorOf(secretAccessKey: string | undefined): Promise<Bootstrapped> {
  const { services, accessKeys } = await environment()
  const { store, tenantKeys, wallClock: clock } = services
  return requireOperator({ tenants: store.tenants, tenantKeys, accessKeys, clock }, secretAccessKey)
}

/** The store that everything is in. */
export const openedStore = async (): Promise<Store> => (await environment()).services.store

/** @returns the seed's own administrator, unless the options say who it is */
function seededFirst({ options, seed, kept }: Beginning): Wishes | null {
  const { account, accessKeyId, secretAccessKey } = options
  const tenants = seed?.tenants ?? []
  if ((accessKeyId ?? secretAccessKey) !== undefined) return null
  if (account !== undefined && tenants.every((tenant) => tenant.account !== account)) return null
  const own = tenants.filter((tenant) => account === undefined || tenant.account === account)
  const tenant = own.find((each) => administrator(each) !== undefined) ?? own[0]
  if (tenant === undefined) return null
  const user = administrator(tenant)
  if (user?.accessKey) {
    return { account: tenant.account, userName: user.name, accessKeyId: user.accessKey.id }
  }
  const keptKey = kept === null || kept.account !== tenant.account ? {} : kept
  return { ...keptKey, account: tenant.account, ...(user && { userName: user.name }) }
}

const administrator = ({ users }: SeedTenant): SeedUser | undefined =>
  users.find((user) => user.administrator)

function givenWishes({ options, kept }: Beginning): Wishes {
  const { account, accessKeyId, secretAccessKey } = options
  return {
    ...kept,
    ...(account === undefined ? {} : { account }),
    ...(accessKeyId === undefined ? {} : { accessKeyId }),
    ...(secretAccessKey === undefined ? {} : { secretAccessKey }),
  }
}

async function administratorOf(wishes: Wishes): Promise<Bootstrapped> {
  const { services, accessKeys } = await environment()
  const { store, tenantKeys, wallClock: clock } = services
  try {
    return await bootstrap({ tenants: store.tenants, tenantKeys, accessKeys, clock, ...wishes })
  } catch (error) {
    if (!(error instanceof AccessKeyTaken)) throw error
    throw new StartProblem(
      `${wishes.accessKeyId} belongs to another user in the data directory: choose another access key id, or the account that it belongs to.`,
    )
  }
}

async function requireUser({
  account,
  userName,
}: {
  readonly account: AccountId
  readonly userName: string
}): Promise<void> {
  const { services } = await environment()
  if ((await services.store.tenants.principalByName(account, userName)) !== null) return
  throw new StartProblem(
    `Unsigned calls are to act as ${account}/${userName}, and there is no such user.`,
  )
}
