/** Reading a seed file: our own form, or that of local-kms. */
import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import {
  type BucketName,
  bucketNameOf,
  isMultiRegionKeyId,
  parseAccountId,
} from '../../../shared/ids.ts'
import { MAX_ALIASES_PER_KEY } from '../../../shared/keys/aliases.ts'
import { requireBucketName } from '../../../shared/lambda/s3-bucket-name.ts'
import { parseLongTermAccessKeyId } from '../../../shared/tenants/access-key-id.ts'
import { StartProblem } from '../start-problem.ts'
import { readLocalKmsSeed } from './local-kms.ts'
import type { Seed, SeedBucket, SeedTenant, SeedTerms, SeedUser } from './seed.ts'
import { readKey, readRegion } from './seed-keys.ts'
import { readPolicies } from './seed-policies.ts'
import { readSource, type SourceValue } from './source.ts'

/**
 * @param path - absolute
 * @throws StartProblem naming file, line and reason, when the file cannot be read or has a mistake
 */
export async function readSeedFile(path: string, terms: SeedTerms): Promise<Seed> {
  const near = relative(process.cwd(), path)
  const name = near.startsWith('..') ? path : near
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new StartProblem(`The seed file ${name} cannot be read (${error.code ?? error.message}).`)
  })
  return readSeed(name, text, terms)
}

/** @throws StartProblem */
export function readSeed(file: string, text: string, terms: SeedTerms): Seed {
  const whole = readSource(file, text)
  const isForeign = whole.isMapping() && whole.members().has('Keys')
  const seed = isForeign ? readLocalKmsSeed(whole, terms) : readOwnSeed(whole, terms)
  requireNoDoubles(seed)
  return seed
}

function readOwnSeed(whole: SourceValue, terms: SeedTerms): Seed {
  const { tenants } = whole.only('tenants')
  return { tenants: (tenants?.items() ?? []).map((tenant) => readTenant(tenant, terms)) }
}

function readTenant(value: SourceValue, terms: SeedTerms): SeedTenant {
  const members = value.only('accountId', 'name', 'users', 'keys', 'buckets')
  const keys = (members.keys?.items() ?? []).map((key) => readKey(key, terms))
  return {
    at: value,
    account: (members.accountId ?? value.fail('A tenant needs an accountId.')).parsed(
      parseAccountId,
      'twelve digits',
    ),
    name: members.name?.parsed(tenantName, 'a name of 1 to 128 characters') ?? 'default',
    users: (members.users?.items() ?? []).map(readUser),
    keys: keys.map(({ key }) => key),
    aliases: keys.flatMap(({ aliases }) => aliases),
    grants: keys.flatMap(({ grants }) => grants),
    buckets: (members.buckets?.items() ?? []).map((bucket) => readBucket(bucket, terms)),
  }
}

function readUser(value: SourceValue): SeedUser {
  const members = value.only('name', 'accessKeyId', 'secretAccessKey', 'administrator', 'policies')
  const administrator = members.administrator?.flag() ?? false
  if (administrator) members.policies?.fail('An administrator needs no policies.')
  return {
    at: value,
    name: (members.name ?? value.fail('A user needs a name.')).parsed(
      userName,
      'the name of a user: 1 to 64 letters, digits or _+=,.@-',
    ),
    administrator,
    policies: members.policies === undefined ? [] : readPolicies(members.policies),
    accessKey: readAccessKey(members.accessKeyId, members.secretAccessKey),
  }
}

function readAccessKey(
  id: SourceValue | undefined,
  secret: SourceValue | undefined,
): SeedUser['accessKey'] {
  if (id === undefined) {
    return secret?.fail('A secretAccessKey needs an accessKeyId beside it.') ?? null
  }
  const text = (secret ?? id.fail('An accessKeyId needs a secretAccessKey beside it.')).text()
  if (!/^[\x21-\x7e]{16,128}$/.test(text)) {
    secret?.fail('This must be 16 to 128 characters of ASCII without spaces.')
  }
  return {
    id: id.parsed(
      parseLongTermAccessKeyId,
      '16 to 128 capital letters and digits, not beginning with ASIA',
    ),
    secret: text,
  }
}

function readBucket(value: SourceValue, terms: SeedTerms): SeedBucket {
  const { name, region, encryption, policy } = value.only('name', 'region', 'encryption', 'policy')
  encryption?.fail('The default encryption of a bucket cannot be seeded yet.')
  policy?.fail('The policy of a bucket cannot be seeded yet.')
  return {
    at: value,
    name: (name ?? value.fail('A bucket needs a name.')).parsed(bucketName, 'the name of a bucket'),
    region: readRegion(region, terms),
  }
}

const tenantName = (text: string): string | null => (/^.{1,128}$/u.test(text) ? text : null)
const userName = (text: string): string | null => (/^[\w+=,.@-]{1,64}$/.test(text) ? text : null)

function bucketName(text: string): BucketName | null {
  try {
    requireBucketName(text)
    return bucketNameOf(text)
  } catch {
    return null
  }
}

function requireNoDoubles({ tenants }: Seed): void {
  requireOnce('tenant', tenants, ({ account }) => account)
  const users = tenants.flatMap((tenant) => tenant.users)
  const withKeys = users.filter(({ accessKey }) => accessKey !== null)
  requireOnce('access key', withKeys, ({ accessKey }) => accessKey?.id ?? '')
  for (const tenant of tenants) {
    requireOnce('user', tenant.users, ({ name }) => name)
    requireOnce('bucket', tenant.buckets, ({ name }) => name)
    // The other keys of a multi-Region set are made by replicating it.
    requireOnce('key', tenant.keys, ({ region, keyId }) =>
      isMultiRegionKeyId(keyId) ? keyId : `${keyId} of ${region}`,
    )
    requireOnce('alias', tenant.aliases, ({ region, name }) => `${name} of ${region}`)
    requireOnce('grant', tenant.grants, ({ key, name }) => `${name} of ${key.keyId}`)
    requireFewAliases(tenant)
  }
}

/** @throws StartProblem at the second one of the same name */
function requireOnce<Entry extends { readonly at: SourceValue }>(
  kind: string,
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
): void {
  const lines = new Map<string, number>()
  for (const entry of entries) {
    const name = nameOf(entry)
    const line = lines.get(name)
    if (line !== undefined) entry.at.fail(`The ${kind} ${name} is there already, at line ${line}.`)
    lines.set(name, entry.at.line)
  }
}

/** @throws StartProblem */
function requireFewAliases({ aliases }: SeedTenant): void {
  for (const [, of] of Map.groupBy(aliases, ({ region, keyId }) => `${region} ${keyId}`)) {
    of[MAX_ALIASES_PER_KEY]?.at.fail(`A key has at most ${MAX_ALIASES_PER_KEY} aliases.`)
  }
}
