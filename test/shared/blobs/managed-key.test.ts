import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { parsePolicy } from '../../../shared/authz/policy.ts'
import { ensureManagedKey, isManagedAlias } from '../../../shared/blobs/managed-key.ts'
import { systemClock } from '../../../shared/clock.ts'
import { createSoftwareHsm, openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { aliasNameOf, parseAccountId, parseRegion } from '../../../shared/ids.ts'
import { Keys } from '../../../shared/keys/keys.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { type GivenDynamoDb, givenDynamoDb } from '../../support/dynamodb.ts'

const account = parseAccountId('111122223333')
const region = parseRegion('eu-west-1')
const elsewhere = parseRegion('us-east-1')
if (account === null || region === null || elsewhere === null) throw new Error('Not ids.')

let database: GivenDynamoDb
let directory: string
beforeAll(async () => {
  database = await givenDynamoDb()
  directory = await mkdtemp(join(tmpdir(), 'keyhold-managed-'))
  await (await createSoftwareHsm(join(directory, 'root-key'))).close()
  const { tenantKeys } = await givenServices()
  await tenantKeys.create(account)
})
afterAll(async () => {
  await database.close()
  await rm(directory, { recursive: true, force: true })
})

/** As one process has them; another has its own. */
async function givenServices() {
  const { store } = database
  const hsm = await openSoftwareHsm(join(directory, 'root-key'))
  const clock = systemClock
  return {
    clock,
    store,
    keys: new Keys({ keys: store.keys, aliases: store.aliases, clock, cacheMs: 5000 }),
    tenantKeys: new TenantKeys({ tenants: store.tenants, hsm, clock }),
  }
}

const keysIn = async (where: typeof region) =>
  (await database.store.keys.list(account, where, 100, null)).items

test('first users of many processes at once end with one key, which the alias names', async () => {
  const processes = await Promise.all(Array.from({ length: 5 }, givenServices))
  const calls = processes.flatMap((services) =>
    [1, 2].map(() => ensureManagedKey(account, region, services)),
  )
  expect(new Set(await Promise.all(calls))).toEqual(new Set(['alias/aws/s3']))
  const keys = await keysIn(region)
  expect(keys).toHaveLength(1)
  const alias = await database.store.aliases.get(account, region, aliasNameOf('alias/aws/s3'))
  expect(alias?.targetKeyId).toBe(keys[0])
  const bundle = keys[0] && (await database.store.keys.get(account, region, keys[0]))
  expect(bundle).toMatchObject({
    key: { manager: 'AWS', state: 'Enabled', keyUsage: 'ENCRYPT_DECRYPT' },
  })
})

test('a later use makes none, and another Region has its own', async () => {
  const services = await givenServices()
  const [before] = await keysIn(region)
  await ensureManagedKey(account, region, services)
  expect(await keysIn(region)).toEqual([before])
  await ensureManagedKey(account, elsewhere, services)
  expect(await keysIn(elsewhere)).toHaveLength(1)
  expect(await keysIn(elsewhere)).not.toContain(before)
})

test('its policy can be evaluated', async () => {
  const [keyId] = await keysIn(region)
  const bundle = keyId && (await database.store.keys.get(account, region, keyId))
  expect(() => parsePolicy(bundle ? bundle.policy.document : '', 'key')).not.toThrow()
})

test.each([
  ['alias/aws/s3', true],
  ['arn:aws:kms:eu-west-1:111122223333:alias/aws/s3', true],
  ['arn:aws:kms:eu-west-1:999999999999:alias/aws/s3', false],
  ['arn:aws:kms:us-east-1:111122223333:alias/aws/s3', false],
  ['alias/aws/s3x', false],
])('%s names it: %s', (keyId, isIt) => {
  expect(isManagedAlias(keyId, account, region)).toBe(isIt)
})
