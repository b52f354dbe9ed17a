import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  openCiphertextBlob,
  parseCiphertextBlob,
  sealCiphertextBlob,
} from '../../../shared/crypto/ciphertext-blob.ts'
import { encodeFields } from '../../../shared/crypto/encoding.ts'
import type { Hsm } from '../../../shared/hsm/hsm.ts'
import { createSoftwareHsm, openSoftwareHsm } from '../../../shared/hsm/software.ts'
import { parseAccountId, parseKeyId, parseMaterialId, parseRegion } from '../../../shared/ids.ts'
import {
  createMaterial,
  MaterialCache,
  MaterialDamaged,
  type MaterialOwner,
} from '../../../shared/keys/material.ts'
import type { KeyOrigin, MaterialRecord } from '../../../shared/store/records.ts'
import { TenantKeyMissing, TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants, type MemoryTenants } from '../../support/memory-tenants.ts'
import { hex, vectors } from '../../support/vectors.ts'

const frozen = vectors<{
  account: string
  region: string
  keyId: string
  origin: KeyOrigin
  rootKeyFile: string
  tenantKey: { version: number; sealed: string }
  material: { number: number; materialId: string; wrapped: string; bytes: string }
  blob: string
  context: Record<string, string>
  plaintext: string
}>('key-hierarchy-v1.json')

const KEY_A = '1234abcd-12ab-34cd-56ef-1234567890ab'
const KEY_B = 'mrk-1234abcd12ab34cd56ef1234567890ab'

let directory: string
let software: Hsm
let hsm: Hsm
let tenants: MemoryTenants
let tenantKeys: TenantKeys
let time: { now: number }
let cache: MaterialCache
let a: MaterialOwner
let material: MaterialRecord

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
  software = await createSoftwareHsm(join(directory, 'root.key'))
})

afterAll(async () => {
  await rm(directory, { recursive: true })
})

beforeEach(async () => {
  hsm = software
  tenants = givenTenants()
  time = { now: 1_700_000_000_000 }
  tenantKeys = givenTenantKeys()
  for (const account of ['111122223333', '444455556666']) {
    await tenantKeys.create(ownerOf({ account }).account)
  }
  cache = new MaterialCache({ tenantKeys, clock: { now: () => time.now } })
  a = ownerOf({})
  material = await givenMaterial(a, 1)
})

const givenTenantKeys = (): TenantKeys =>
  new TenantKeys({ tenants, hsm, clock: { now: () => time.now } })

const known = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('not an identifier')
  return value
}

const ownerOf = (change: {
  account?: string
  region?: string
  keyId?: string
  origin?: KeyOrigin
}): MaterialOwner => ({
  account: known(parseAccountId(change.account ?? '111122223333')),
  region: known(parseRegion(change.region ?? 'eu-central-1')),
  keyId: known(parseKeyId(change.keyId ?? KEY_A)),
  keySpec: 'SYMMETRIC_DEFAULT',
  origin: change.origin ?? 'AWS_KMS',
})

const givenMaterial = async (owner: MaterialOwner, number: number): Promise<MaterialRecord> =>
  createMaterial(await tenantKeys.current(owner.account), owner, number, time.now)

/** Only what is bound to the version tells it from version 1. */
async function givenVersionWithTheSameSecret(version: number): Promise<void> {
  const [first] = await tenants.keys(a.account)
  if (first === undefined) throw new Error('no version 1')
  const aadOf = (each: number): Buffer =>
    encodeFields('keyhold sealed tenant key v1', 'aws', a.account, each, hsm.rootKeyId)
  const secret = await hsm.open(hsm.rootKeyId, first.sealed, aadOf(1))
  await tenants.addKey({ ...first, version, sealed: await hsm.seal(secret, aadOf(version)) })
}

/** Another process: nothing is open yet. */
const freshCache = (): MaterialCache =>
  new MaterialCache({ tenantKeys, clock: { now: () => time.now } })

test('opens everything from the root key file to the plaintext, as when the formats were frozen', async () => {
  const owner = ownerOf(frozen)
  const { account } = owner
  const path = join(directory, 'frozen.key')
  await writeFile(path, frozen.rootKeyFile, { mode: 0o600 })
  hsm = await openSoftwareHsm(path)
  const { rootKeyId } = hsm
  const { version, sealed } = frozen.tenantKey
  await tenants.addKey({ account, version, rootKeyId, sealed: hex(sealed), createdAt: 0 })
  tenantKeys = givenTenantKeys()
  const record = {
    ...material,
    number: frozen.material.number,
    materialId: known(parseMaterialId(frozen.material.materialId)),
    tenantKeyVersion: version,
    wrapped: hex(frozen.material.wrapped),
  }
  const opened = await freshCache().open(owner, record)
  expect(opened.export().toString('hex')).toBe(frozen.material.bytes)
  const blob = parseCiphertextBlob(hex(frozen.blob))
  expect(blob?.materialId).toBe(frozen.material.materialId)
  const plaintext = blob && openCiphertextBlob(blob, opened, frozen.context)
  expect(plaintext).toEqual(hex(frozen.plaintext))
})

describe('new material', () => {
  test('belongs to its key and says when it was made', () => {
    expect(material).toMatchObject({
      account: a.account,
      region: a.region,
      keyId: a.keyId,
      number: 1,
      tenantKeyVersion: 1,
      createdAt: time.now,
    })
    expect(material.materialId).toMatch(/^[0-9a-f]{64}$/)
    expect(material.wrapped).toHaveLength(77 + 32)
  })

  test('is other bytes under another id each time', async () => {
    const other = await givenMaterial(a, 1)
    expect(other.materialId).not.toBe(material.materialId)
    const [one, two] = [await cache.open(a, material), await cache.open(a, other)]
    expect(one.equals(two)).toBe(false)
    expect(one.symmetricKeySize).toBe(32)
  })

  test('is not wrapped by the key of another tenant', async () => {
    const foreign = await tenantKeys.current(ownerOf({ account: '444455556666' }).account)
    await expect(createMaterial(foreign, a, 1, time.now)).rejects.toThrow(RangeError)
  })

  test('encrypts and decrypts blobs', async () => {
    const key = await cache.open(a, material)
    const address = { account: a.account, keyId: a.keyId, materialId: material.materialId }
    const bytes = sealCiphertextBlob(address, key, Buffer.from('hello'), {})
    const blob = parseCiphertextBlob(bytes)
    const again = await freshCache().open(a, material)
    expect(blob && openCiphertextBlob(blob, again, {})).toEqual(Buffer.from('hello'))
  })
})

describe('wrapped material that was moved does not open', () => {
  const isDamaged = async (owner: MaterialOwner, record: MaterialRecord): Promise<void> => {
    await expect(freshCache().open(owner, record)).rejects.toThrow(MaterialDamaged)
  }

  test('between any two places, whether the bytes alone or the whole record went', async () => {
    const owners = [
      a,
      ownerOf({ account: '444455556666' }),
      ownerOf({ region: 'us-east-1' }),
      ownerOf({ keyId: KEY_B }),
      ownerOf({ origin: 'EXTERNAL' }),
    ]
    const places = await Promise.all(
      owners.flatMap((owner) =>
        [1, 2].map(async (number) => ({ owner, record: await givenMaterial(owner, number) })),
      ),
    )
    for (const from of places) {
      for (const to of places) {
        if (from === to) {
          await expect(freshCache().open(to.owner, to.record)).resolves.toBeDefined()
          continue
        }
        await isDamaged(to.owner, { ...to.record, wrapped: from.record.wrapped })
        // Between versions of one key, the whole record is where it belongs.
        if (from.owner !== to.owner) await isDamaged(to.owner, from.record)
      }
    }
  })

  test('to another key spec', async () => {
    const other = { ...a, keySpec: 'OTHER_SPEC' }
    await isDamaged(other as MaterialOwner, material)
  })

  test('to a record with another number, id or tenant key version', async () => {
    await givenVersionWithTheSameSecret(2)
    const materialId = known(parseMaterialId('ab'.repeat(32)))
    tenantKeys = givenTenantKeys()
    await isDamaged(a, { ...material, number: 2 })
    await isDamaged(a, { ...material, materialId })
    await isDamaged(a, { ...material, tenantKeyVersion: 2 })
  })

  test('whatever the record says of itself', async () => {
    const b = ownerOf({ keyId: KEY_B })
    await isDamaged(b, { ...material, keyId: b.keyId })
    const liar = { ...material, keyId: b.keyId, region: ownerOf({ region: 'us-east-1' }).region }
    await expect(freshCache().open(a, liar)).resolves.toBeDefined()
  })

  test('with any bit changed', async () => {
    const wrapped = known(material.wrapped)
    await fc.assert(
      fc.asyncProperty(fc.nat(wrapped.length * 8 - 1), async (bit) => {
        const spoiled = Buffer.from(wrapped)
        spoiled[bit >> 3] = (spoiled[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await isDamaged(a, { ...material, wrapped: spoiled })
      }),
    )
  })

  test('and the error names the place, and nothing secret', async () => {
    const attempt = freshCache().open(a, { ...material, wrapped: Buffer.alloc(109) })
    await expect(attempt).rejects.toThrow(
      `Material ${material.materialId} of key ${a.keyId} of ${a.account} does not open.`,
    )
  })

  test('when its tenant key version is gone', async () => {
    const attempt = freshCache().open(a, { ...material, tenantKeyVersion: 9 })
    await expect(attempt).rejects.toThrow(TenantKeyMissing)
  })
})

describe('opened material is kept', () => {
  test('and shared, also by callers who come at the same time', async () => {
    const opened = await Promise.all([1, 2, 3].map(() => cache.open(a, material)))
    expect(new Set(opened).size).toBe(1)
    expect(await cache.open(a, material)).toBe(opened[0])
  })

  test('no longer than its age, however often it is used', async () => {
    cache = new MaterialCache({ tenantKeys, maxAgeMs: 1000, clock: { now: () => time.now } })
    const first = await cache.open(a, material)
    time.now += 999
    expect(await cache.open(a, material)).toBe(first)
    time.now += 1
    expect(await cache.open(a, material)).not.toBe(first)
  })

  test('not at all after the clock was set back', async () => {
    const first = await cache.open(a, material)
    time.now -= 1
    expect(await cache.open(a, material)).not.toBe(first)
  })

  test('not at all with an age of 0', async () => {
    cache = new MaterialCache({ tenantKeys, maxAgeMs: 0, clock: { now: () => time.now } })
    expect(await cache.open(a, material)).not.toBe(await cache.open(a, material))
  })

  test('up to a number of entries, the least recently used going first', async () => {
    cache = new MaterialCache({ tenantKeys, maxEntries: 2, clock: { now: () => time.now } })
    const [second, third] = [await givenMaterial(a, 2), await givenMaterial(a, 3)]
    const [one, two] = [await cache.open(a, material), await cache.open(a, second)]
    expect(await cache.open(a, material)).toBe(one)
    await cache.open(a, third)
    expect(await cache.open(a, material)).toBe(one)
    expect(await cache.open(a, second)).not.toBe(two)
  })

  test('by the key that was resolved, so twins in other tenants and Regions never share it', async () => {
    await cache.open(a, material)
    for (const twin of [ownerOf({ account: '444455556666' }), ownerOf({ region: 'us-east-1' })]) {
      await expect(cache.open(twin, material)).rejects.toThrow(MaterialDamaged)
    }
  })

  test('a failure is not kept', async () => {
    const spoiled = { ...material, wrapped: Buffer.alloc(109) }
    await expect(cache.open(a, spoiled)).rejects.toThrow(MaterialDamaged)
    await expect(cache.open(a, material)).resolves.toBeDefined()
  })
})

describe('forgetting a key', () => {
  test('lets go of all its material and of no other key’s', async () => {
    const b = ownerOf({ keyId: KEY_B })
    const [second, others] = [await givenMaterial(a, 2), await givenMaterial(b, 1)]
    const before = [await cache.open(a, material), await cache.open(a, second)]
    const kept = await cache.open(b, others)
    cache.forget(a.account, a.region, a.keyId)
    expect(await cache.open(a, material)).not.toBe(before[0])
    expect(await cache.open(a, second)).not.toBe(before[1])
    expect(await cache.open(b, others)).toBe(kept)
  })

  test('holds for material that is being opened meanwhile', async () => {
    const opening = cache.open(a, material)
    cache.forget(a.account, a.region, a.keyId)
    const stale = await opening
    expect(await cache.open(a, material)).not.toBe(stale)
  })
})
