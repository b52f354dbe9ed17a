import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSoftwareHsm } from '../../../shared/hsm/software.ts'
import {
  createIdentityKey,
  importedMaterialId,
  unwrapIdentityKey,
  wrapIdentityKey,
} from '../../../shared/keys/imported-material.ts'
import { MaterialDamaged } from '../../../shared/keys/material.ts'
import type { KeyRecord } from '../../../shared/store/records.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants } from '../../support/memory-tenants.ts'
import { givenAccount, givenKey, keyIdOf, otherRegion } from '../store/given.ts'

const account = givenAccount()
let directory: string
let tenantKeys: TenantKeys
let key: KeyRecord

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
  const hsm = await createSoftwareHsm(join(directory, 'root.key'))
  tenantKeys = new TenantKeys({ tenants: givenTenants(), hsm, clock: { now: () => 0 } })
  await tenantKeys.create(account)
  key = await withIdentity({ ...givenKey(account), origin: 'EXTERNAL' })
})

afterAll(() => rm(directory, { recursive: true }))

const withIdentity = async (of: KeyRecord): Promise<KeyRecord> => ({
  ...of,
  identityKey: createIdentityKey(await tenantKeys.current(account), of),
})
const idOf = (bytes: string, of = key) => importedMaterialId(tenantKeys, of, Buffer.from(bytes))

test('The same material has the same id in a key, other material another', async () => {
  expect(await idOf('secret')).toMatch(/^[0-9a-f]{64}$/)
  expect(await idOf('secret')).toBe(await idOf('secret'))
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (one, other) => {
      fc.pre(one !== other)
      expect(await idOf(one)).not.toBe(await idOf(other))
    }),
    { numRuns: 20 },
  )
})

test('The same material has another id in another key', async () => {
  const other = await withIdentity({ ...key, keyId: keyIdOf(2) })
  expect(await idOf('secret', other)).not.toBe(await idOf('secret'))
})

test('A key without an identity key has no ids to give', async () => {
  await expect(idOf('secret', { ...key, identityKey: null })).rejects.toThrow(MaterialDamaged)
})

test('An identity key opens as that of its own key only', async () => {
  const { identityKey } = key
  const moved: KeyRecord[] = [
    { ...key, keyId: keyIdOf(3) },
    { ...key, region: otherRegion },
    { ...key, origin: 'AWS_KMS' },
    { ...key, keySpec: 'HMAC_256' },
  ]
  for (const of of moved) await expect(idOf('secret', of)).rejects.toThrow(MaterialDamaged)
  const spoiled = Buffer.from(identityKey?.wrapped ?? [])
  spoiled[40] = (spoiled[40] ?? 0) ^ 1
  const damaged = { ...key, identityKey: { wrapped: spoiled, tenantKeyVersion: 1 } }
  await expect(idOf('secret', damaged)).rejects.toThrow(MaterialDamaged)
})

test('A related key that got the identity key gives the same ids', async () => {
  const replica = { ...key, region: otherRegion }
  const secret = await unwrapIdentityKey(tenantKeys, key)
  const current = await tenantKeys.current(account)
  const identityKey = wrapIdentityKey(current, replica, secret)
  expect(secret.every((byte) => byte === 0)).toBe(true)
  expect(await idOf('secret', { ...replica, identityKey })).toBe(await idOf('secret'))
})
