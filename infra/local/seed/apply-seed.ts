/**
 * Brings a stack to what a seed says. What is there already is left as it is, so applying a seed
 * twice changes nothing; only what contradicts the seed stops it.
 */
import { JsonError } from '../../../shared/errors.ts'
import { findPrincipal } from '../../../shared/keys/grant-principals.ts'
import { type NewGrant, namedGrantId } from '../../../shared/keys/key-grants.ts'
import type { Environment } from '../../../shared/lambda/environment.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import { seededPrincipalId } from '../../../shared/tenants/access-key-id.ts'
import {
  ADMINISTRATOR_ACCESS,
  requireTenant,
  requireUser,
  type SetupServices,
  storedSecret,
} from '../../../shared/tenants/setup.ts'
import { applyKey } from './apply-key.ts'
import type { Seed, SeedAlias, SeedBucket, SeedGrant, SeedTenant, SeedUser } from './seed.ts'

type Applied = Pick<Environment, 'services' | 'accessKeys'>

/** @throws StartProblem at the line that contradicts what is there */
export async function applySeed({ tenants }: Seed, environment: Applied): Promise<void> {
  // First, as policies and grants may name whoever the seed makes.
  for (const tenant of tenants) await applyPrincipals(tenant, environment)
  for (const tenant of tenants) await applyResources(tenant, environment.services)
  for (const tenant of tenants) {
    await Promise.all(tenant.grants.map((grant) => applyGrant(tenant, grant, environment.services)))
  }
}

async function applyPrincipals(
  tenant: SeedTenant,
  { services, accessKeys }: Applied,
): Promise<void> {
  const { store, tenantKeys, wallClock: clock } = services
  const setup = { tenants: store.tenants, tenantKeys, accessKeys, clock }
  await requireTenant(setup, tenant.account, tenant.name)
  await Promise.all(tenant.users.map((user) => applyUser(tenant, user, setup)))
}

async function applyResources(tenant: SeedTenant, services: Applied['services']): Promise<void> {
  await Promise.all(tenant.keys.map((key) => applyKey(tenant, key, services)))
  await Promise.all(tenant.aliases.map((alias) => applyAlias(tenant, alias, services)))
  await Promise.all(tenant.buckets.map((bucket) => applyBucket(tenant, bucket, services)))
}

async function applyUser(
  { account }: SeedTenant,
  { at, name, administrator, policies, accessKey }: SeedUser,
  setup: SetupServices,
): Promise<void> {
  const { principalId } = await requireUser(setup, {
    account,
    name,
    policies: administrator ? [ADMINISTRATOR_ACCESS] : policies,
    principalId: seededPrincipalId(account, name),
  })
  if (accessKey === null) return
  const { id: accessKeyId, secret } = accessKey
  const known = await setup.tenants.accessKey(accessKeyId)
  if (known === null) {
    await setup.accessKeys.issue(account, principalId, { accessKeyId, secret })
  } else if (known.account !== account || known.principalId !== principalId) {
    at.fail(`${accessKeyId} is the access key of another user.`)
  } else if ((await storedSecret(setup.accessKeys, known)) !== secret) {
    at.fail(`${accessKeyId} has another secret in the data directory.`)
  }
}

async function applyAlias(
  { account }: SeedTenant,
  { region, name: aliasName, keyId: targetKeyId }: SeedAlias,
  { store, clock, keys }: Applied['services'],
): Promise<void> {
  const now = clock.now()
  const identity = { account, region, aliasName, targetKeyId }
  const alias = { ...identity, createdAt: now, updatedAt: now, rev: 1 }
  await unlessThere(store.aliases.create(alias))
  keys.forgetAlias(alias)
}

/**
 * The same grant under the same name is there once. One that the seed said otherwise before would go
 * on allowing what it did, beside the new one.
 */
async function applyGrant(
  { account }: SeedTenant,
  { at, key, name, grantee, retiring, operations, constraints }: SeedGrant,
  { store, grants }: Applied['services'],
): Promise<void> {
  const storedPrincipal = async (text: string): Promise<string> => {
    const unknown = new JsonError('InvalidArnException', `There is no principal ${text}.`)
    const found = await findPrincipal(text, account, store.tenants, unknown)
    return found instanceof JsonError ? at.fail(found.text ?? '') : found.stored
  }
  const plan: NewGrant = {
    account,
    region: key.region,
    keyId: key.keyId,
    name,
    issuingAccount: account,
    grantee: await storedPrincipal(grantee),
    retiring: retiring === null ? null : await storedPrincipal(retiring),
    operations,
    constraints,
  }
  const present = (await store.grants.ofGrantee(plan, plan.grantee)).filter(
    (grant) => grant.name === name,
  )
  if (present.some(({ grantId }) => grantId === namedGrantId(plan))) return
  if (present.length > 0) {
    at.fail(`The grant ${name} of ${key.keyId} in the data directory is another one.`)
  }
  await grants.create(plan)
}

async function applyBucket(
  { account }: SeedTenant,
  { name: bucket, region }: SeedBucket,
  { store, clock }: Applied['services'],
): Promise<void> {
  const createdAt = Math.floor(clock.now() / 1000) * 1000 // S3 dates in whole seconds
  await unlessThere(
    store.buckets.create({
      account,
      bucket,
      region,
      policy: null,
      settings: {},
      createdAt,
      rev: 1,
    }),
  )
}

async function unlessThere(write: Promise<void>): Promise<void> {
  try {
    await write
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error
  }
}
