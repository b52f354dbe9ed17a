import { createSecretKey, type KeyObject } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { encodeFields } from '../../../shared/crypto/encoding.ts'
import { type Hsm, HsmUnavailable, SealBroken } from '../../../shared/hsm/hsm.ts'
import { createSoftwareHsm, openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { type AccountId, parseAccountId } from '../../../shared/ids.ts'
import type { TenantKeyRecord } from '../../../shared/store/records.ts'
import { ConditionFailed } from '../../../shared/store/repositories.ts'
import {
  TenantKeyDamaged,
  TenantKeyMissing,
  type TenantKeyPurpose,
  TenantKeys,
} from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants, type MemoryTenants } from '../../support/memory-tenants.ts'
import { hex, vectors } from '../../support/vectors.ts'

const frozen = vectors<{
  rootKeyFile: string
  rootKeyId: string
  account: string
  tenantKey: { version: number; sealed: string }
  purposes: Record<TenantKeyPurpose, string>
}>('key-hierarchy-v1.json')

const purposes = ['material', 'access-key', 'marker', 'object'] as const
const alpha = accountOf('111122223333')
const beta = accountOf('444455556666')

let directory: string
let software: Hsm
let tenants: MemoryTenants
let hsm: Hsm & { seals: number; opens: number; failure: Error | null }
let time: { now: number }
let keys: TenantKeys

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
  software = await createSoftwareHsm(join(directory, 'root.key'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

beforeEach(() => {
  tenants = givenTenants()
  hsm = counting(software)
  time = { now: 1_700_000_000_000 }
  keys = environment()
})

function accountOf(text: string): AccountId {
  const account = parseAccountId(text)
  if (account === null) throw new Error('not an account id')
  return account
}

/** Another process over the same store and HSM. */
const environment = (maxEntries?: number): TenantKeys =>
  new TenantKeys({
    tenants,
    hsm,
    clock: { now: () => time.now },
    ...(maxEntries === undefined ? {} : { maxEntries }),
  })

/** The real HSM, with its calls counted, or failing. */
function counting(real: Hsm): typeof hsm {
  return {
    rootKeyId: real.rootKeyId,
    seals: 0,
    opens: 0,
    failure: null,
    async seal(keyBytes, aad) {
      this.seals++
      if (this.failure !== null) throw this.failure
      return await real.seal(keyBytes, aad)
    },
    async open(rootKeyId, sealed, aad) {
      this.opens++
      if (this.failure !== null) throw this.failure
      return await real.open(rootKeyId, sealed, aad)
    },
    close: () => real.close(),
  }
}

/** Adds a version as a rotation would, sealed for the place that it is put. */
async function givenVersion(account: AccountId, version: number): Promise<void> {
  const { rootKeyId } = hsm
  const aad = encodeFields('keyhold sealed tenant key v1', 'aws', account, version, rootKeyId)
  const sealed = await software.seal(Buffer.alloc(32, version), aad)
  await tenants.addKey({ account, version, rootKeyId, sealed, createdAt: time.now })
}

/** Puts a changed record in the place of the first. */
function tamper(change: (record: TenantKeyRecord) => Partial<TenantKeyRecord>): void {
  const [record] = tenants.tenantKeys
  if (record === undefined) throw new Error('nothing to change')
  tenants.tenantKeys[0] = { ...record, ...change(record) }
}

const bytesOf = (key: KeyObject): string => key.export().toString('hex')

test('opens a tenant key, and derives its purposes, as when the format was frozen', async () => {
  const path = join(directory, 'frozen.key')
  await writeFile(path, frozen.rootKeyFile, { mode: 0o600 })
  const { version, sealed } = frozen.tenantKey
  const account = accountOf(frozen.account)
  const { rootKeyId } = frozen
  await tenants.addKey({ account, version, rootKeyId, sealed: hex(sealed), createdAt: 0 })
  hsm = counting(await openSoftwareHsm(path))
  const key = await environment().current(account)
  expect(key.version).toBe(version)
  for (const purpose of purposes) {
    expect(bytesOf(key.purpose(purpose))).toBe(frozen.purposes[purpose])
  }
})

describe('making a tenant key', () => {
  test('stores version 1, sealed by the root key', async () => {
    await keys.create(alpha)
    expect(tenants.tenantKeys).toMatchObject([
      { account: alpha, version: 1, rootKeyId: software.rootKeyId, createdAt: time.now },
    ])
    expect(await keys.current(alpha)).toMatchObject({ account: alpha, version: 1 })
  })

  test('leaves an existing one as it is', async () => {
    await keys.create(alpha)
    const sealed = Buffer.from(tenants.tenantKeys[0]?.sealed ?? [])
    await expect(keys.create(alpha)).rejects.toThrow(ConditionFailed)
    expect(tenants.tenantKeys).toHaveLength(1)
    expect(tenants.tenantKeys[0]?.sealed).toEqual(sealed)
  })

  test('stores nothing when the HSM does not answer', async () => {
    hsm.failure = new HsmUnavailable()
    await expect(keys.create(alpha)).rejects.toThrow(HsmUnavailable)
    expect(tenants.tenantKeys).toEqual([])
  })

  test('is seen at once, also after the tenant had none', async () => {
    await expect(keys.current(alpha)).rejects.toThrow(TenantKeyMissing)
    await environment().create(alpha)
    expect(await keys.current(alpha)).toMatchObject({ version: 1 })
  })
})

describe('the keys of purposes', () => {
  test('differ by purpose, by tenant and by version', async () => {
    await givenVersion(alpha, 1)
    await givenVersion(alpha, 2)
    await givenVersion(beta, 1)
    const opened = [
      await keys.version(alpha, 1),
      await keys.version(alpha, 2),
      await keys.version(beta, 1),
    ]
    const all = opened.flatMap((key) => purposes.map((purpose) => bytesOf(key.purpose(purpose))))
    expect(new Set(all).size).toBe(12)
  })

  test('are derived once', async () => {
    await keys.create(alpha)
    const key = await keys.current(alpha)
    for (const purpose of purposes) expect(key.purpose(purpose)).toBe(key.purpose(purpose))
  })

  test('are the same in every environment', async () => {
    await keys.create(alpha)
    const [here, there] = [await keys.current(alpha), await environment().current(alpha)]
    expect(here.purpose('object').equals(there.purpose('object'))).toBe(true)
  })

  test('a tenant key shows nothing secret when printed', async () => {
    await givenVersion(alpha, 1)
    const key = await keys.current(alpha)
    key.purpose('material')
    expect(JSON.stringify(key)).toBe(`{"account":"${alpha}","version":1}`)
  })
})

describe('versions', () => {
  test('the highest is current, and all can be asked for', async () => {
    for (const version of [2, 1, 10]) await givenVersion(alpha, version)
    expect((await keys.current(alpha)).version).toBe(10)
    expect((await keys.version(alpha, 2)).version).toBe(2)
    expect((await keys.version(alpha, 1)).version).toBe(1)
  })

  test('one that another environment added is found when it is asked for', async () => {
    await givenVersion(alpha, 1)
    await keys.current(alpha)
    await givenVersion(alpha, 2)
    expect((await keys.version(alpha, 2)).version).toBe(2)
  })

  test('one that another environment added is current after a minute', async () => {
    await givenVersion(alpha, 1)
    await keys.current(alpha)
    await givenVersion(alpha, 2)
    time.now += 60_000
    expect((await keys.current(alpha)).version).toBe(2)
  })

  test('one that was destroyed is gone after a minute, though it was open', async () => {
    await givenVersion(alpha, 1)
    await givenVersion(alpha, 2)
    await keys.version(alpha, 1)
    const [destroyed] = tenants.tenantKeys.splice(0, 1)
    time.now += 60_000
    await expect(keys.version(alpha, 1)).rejects.toThrow(TenantKeyMissing)
    expect((await keys.current(alpha)).version).toBe(2)
    // Nothing of it was kept: were its record to come back, the HSM would be asked.
    if (destroyed !== undefined) await tenants.addKey(destroyed)
    const opens = hsm.opens
    await keys.version(alpha, 1)
    expect(hsm.opens).toBe(opens + 1)
  })

  test('one that never was is missing', async () => {
    await givenVersion(alpha, 1)
    await expect(keys.version(alpha, 2)).rejects.toThrow(TenantKeyMissing)
    await expect(keys.version(beta, 1)).rejects.toThrow(TenantKeyMissing)
  })
})

describe('the HSM is asked', () => {
  test('once for a tenant, whatever the number of calls and the time that passes', async () => {
    await givenVersion(alpha, 1)
    for (let i = 0; i < 10; i++) {
      await keys.current(alpha)
      await keys.version(alpha, 1)
      time.now += 30_000
    }
    expect(hsm.opens).toBe(1)
  })

  test('once by first calls that come at the same time', async () => {
    await givenVersion(alpha, 1)
    const opened = await Promise.all(Array.from({ length: 20 }, () => keys.current(alpha)))
    expect(new Set(opened).size).toBe(1)
    expect(hsm.opens).toBe(1)
  })

  test('once for each tenant and version', async () => {
    await givenVersion(alpha, 1)
    await givenVersion(alpha, 2)
    await givenVersion(beta, 1)
    for (let i = 0; i < 3; i++) {
      await keys.version(alpha, 1)
      await keys.version(alpha, 2)
      await keys.version(beta, 1)
    }
    expect(hsm.opens).toBe(3)
  })

  test('again after a failure', async () => {
    await givenVersion(alpha, 1)
    hsm.failure = new HsmUnavailable('down')
    const attempts = await Promise.allSettled([keys.current(alpha), keys.current(alpha)])
    expect(attempts.map((attempt) => attempt.status)).toEqual(['rejected', 'rejected'])
    await expect(keys.current(alpha)).rejects.toBe(hsm.failure)
    hsm.failure = null
    expect((await keys.current(alpha)).version).toBe(1)
  })

  test('again for a tenant that had to make room', async () => {
    await givenVersion(alpha, 1)
    await givenVersion(beta, 1)
    const small = environment(1)
    await small.current(alpha)
    await small.current(beta)
    await small.current(alpha)
    expect(hsm.opens).toBe(3)
  })
})

describe('a sealed tenant key does not open', () => {
  const isDamaged = async (account = alpha): Promise<void> => {
    const problem: unknown = await environment()
      .current(account)
      .catch((error: unknown) => error)
    expect(problem).toBeInstanceOf(TenantKeyDamaged)
    expect(problem).toHaveProperty('cause', expect.any(SealBroken))
  }

  beforeEach(async () => {
    await keys.create(alpha)
  })

  test('in another tenant', async () => {
    tamper(() => ({ account: beta }))
    await isDamaged(beta)
  })

  test('as another version', async () => {
    tamper(() => ({ version: 2 }))
    await isDamaged()
  })

  test('under the name of another root key', async () => {
    tamper(() => ({ rootKeyId: 'software:00000000000000000000000000000000' }))
    await isDamaged()
  })

  test('when it was sealed by another root key', async () => {
    hsm = counting(await createSoftwareHsm(join(directory, 'other.key')))
    await isDamaged()
  })

  test('with a bit changed', async () => {
    tamper(({ sealed }) => ({ sealed: sealed.with(40, (sealed[40] ?? 0) ^ 1) }))
    await isDamaged()
  })

  test('and the error does not tell what was sealed', async () => {
    const sealed = Buffer.from(tenants.tenantKeys[0]?.sealed ?? [])
    tamper(() => ({ sealed: sealed.subarray(1) }))
    const problem: unknown = await environment()
      .current(alpha)
      .catch((error: unknown) => error)
    expect(problem).toHaveProperty(
      'message',
      `Version 1 of the key of tenant ${alpha} does not open.`,
    )
  })
})

test('the tenant key itself is not among the keys of purposes', async () => {
  await givenVersion(alpha, 7)
  const key = await keys.current(alpha)
  const itself = createSecretKey(Buffer.alloc(32, 7))
  for (const purpose of purposes) expect(key.purpose(purpose).equals(itself)).toBe(false)
})
