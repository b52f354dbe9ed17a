/** Ciphertexts of both kinds, below the operations. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { parseCiphertextBlob } from '../../../shared/crypto/ciphertext-blob.ts'
import { createSoftwareHsm } from '../../../shared/hsm/software.ts'
import { keyArn, parseAccountId, parseKeyId, parseRegion } from '../../../shared/ids.ts'
import {
  decryptUnder,
  encryptUnder,
  requireEncryptionTerms,
} from '../../../shared/keys/encryption.ts'
import type { FoundKey } from '../../../shared/keys/keys.ts'
import { createMaterial, MaterialCache } from '../../../shared/keys/material.ts'
import { requireSymmetricKey } from '../../../shared/keys/symmetric.ts'
import type { KeyRecord, MaterialRecord } from '../../../shared/store/records.ts'
import { TenantKeys } from '../../../shared/tenants/tenant-keys.ts'
import { givenTenants } from '../../support/memory-tenants.ts'

const known = <Value>(value: Value | null): Value => {
  if (value === null) throw new Error('Not an identifier.')
  return value
}
const account = known(parseAccountId('111122223333'))
const region = known(parseRegion('eu-central-1'))
const keyId = known(parseKeyId('1234abcd-12ab-34cd-56ef-1234567890ab'))

const directory = await mkdtemp(join(tmpdir(), 'keyhold-'))
afterAll(() => rm(directory, { recursive: true }))
const hsm = await createSoftwareHsm(join(directory, 'root.key'))
const clock = { now: () => 1_700_000_000_000 }
const tenantKeys = new TenantKeys({ tenants: givenTenants(), hsm, clock })
await tenantKeys.create(account)
const cache = new MaterialCache({ tenantKeys, clock })

/** @param versions - how many the key has; the last is current */
async function givenFoundKey(keySpec: KeyRecord['keySpec'], versions = 1): Promise<FoundKey> {
  const owner = { account, region, keyId, keySpec, origin: 'AWS_KMS' } as const
  const tenantKey = await tenantKeys.current(account)
  const numbers = Array.from({ length: versions }, (_, index) => index + 1)
  const materials = await Promise.all(
    numbers.map((number) => createMaterial(tenantKey, owner, number, clock.now())),
  )
  return withMaterials(owner, materials)
}

function withMaterials(
  owner: Pick<KeyRecord, 'account' | 'region' | 'keyId' | 'keySpec' | 'origin'>,
  materials: readonly MaterialRecord[],
): FoundKey {
  const key: KeyRecord = {
    ...owner,
    createdAt: clock.now(),
    description: '',
    keyUsage: 'ENCRYPT_DECRYPT',
    manager: 'CUSTOMER',
    multiRegion: false,
    creatingUntil: null,
    identityKey: null,
    tags: [],
    stateEpoch: 1,
    rev: 1,
    state: 'Enabled',
    current: known(materials.at(-1)?.materialId ?? null),
  }
  const policy = { document: '{}', rev: 1 }
  const bundle = { key, policy, materials, rotation: null, lastUsage: null, related: null }
  return {
    bundle,
    key,
    arn: keyArn(region, account, keyId),
    state: 'Enabled',
    requestAlias: null,
  }
}

const symmetric = { algorithm: 'SYMMETRIC_DEFAULT', context: { team: 'payments' } }
const rsa = { algorithm: 'RSAES_OAEP_SHA_256', context: {} }
const text = Buffer.from('hello')
const blobOf = (ciphertext: Buffer) => ({ blob: known(parseCiphertextBlob(ciphertext)) })
const invalid = { code: 'InvalidCiphertextException', text: undefined }

test('a symmetric key tells the material of a ciphertext, an RSA key does not', async () => {
  const [aes, pair] = [await givenFoundKey('SYMMETRIC_DEFAULT'), await givenFoundKey('RSA_2048')]
  const sealed = await encryptUnder(aes, text, symmetric, cache)
  expect(sealed.materialId).toBe(aes.key.current)
  expect(await decryptUnder(aes, blobOf(sealed.ciphertext), symmetric.context, cache)).toEqual({
    plaintext: text,
    materialId: aes.key.current,
  })
  const { ciphertext, materialId } = await encryptUnder(pair, text, rsa, cache)
  expect(materialId).toBeNull()
  const block = { block: ciphertext, algorithm: rsa.algorithm }
  expect(await decryptUnder(pair, block, {}, cache)).toEqual({ plaintext: text, materialId: null })
})

test('the newest material encrypts, and every one decrypts', async () => {
  const both = await givenFoundKey('SYMMETRIC_DEFAULT', 2)
  const [first, second] = both.bundle.materials
  const before = withMaterials(both.key, [first as MaterialRecord])
  const old = await encryptUnder(before, text, symmetric, cache)
  expect(old.materialId).toBe(first?.materialId)
  expect((await encryptUnder(both, text, symmetric, cache)).materialId).toBe(second?.materialId)
  const opened = await decryptUnder(both, blobOf(old.ciphertext), symmetric.context, cache)
  expect(opened).toEqual({ plaintext: text, materialId: first?.materialId })
})

test('a blob that names material that was deleted, or that the key never had, does not open', async () => {
  const key = await givenFoundKey('SYMMETRIC_DEFAULT', 2)
  const [first, second] = key.bundle.materials as readonly [MaterialRecord, MaterialRecord]
  const { ciphertext } = await encryptUnder(withMaterials(key.key, [first]), text, symmetric, cache)
  const open = (found: FoundKey) =>
    decryptUnder(found, blobOf(ciphertext), symmetric.context, cache)
  const deleted = withMaterials(key.key, [{ ...first, wrapped: null }, second])
  await expect(open(deleted)).rejects.toMatchObject(invalid)
  await expect(open(withMaterials(key.key, [second]))).rejects.toMatchObject(invalid)
  expect((await open(key)).plaintext).toEqual(text)
})

test('terms fit a key or are refused, the algorithm first', async () => {
  const [aes, pair] = [await givenFoundKey('SYMMETRIC_DEFAULT'), await givenFoundKey('RSA_2048')]
  const { context } = symmetric
  const refusal = (found: FoundKey, terms: typeof symmetric | typeof rsa) => {
    try {
      requireEncryptionTerms(found, terms)
      return null
    } catch (error) {
      return (error as { code: string }).code
    }
  }
  expect(refusal(aes, symmetric)).toBeNull()
  expect(refusal(pair, rsa)).toBeNull()
  expect(refusal(aes, rsa)).toBe('InvalidKeyUsageException')
  expect(refusal(pair, symmetric)).toBe('InvalidKeyUsageException')
  expect(refusal(pair, { ...rsa, context })).toBe('ValidationException')
  const large = { team: 'x'.repeat(8189) }
  expect(refusal(aes, { ...symmetric, context: large })).toBe('ValidationException')
  expect(refusal(aes, { ...symmetric, context: { team: 'x'.repeat(8188) } })).toBeNull()
})

test('only a symmetric key makes data keys', async () => {
  requireSymmetricKey(await givenFoundKey('SYMMETRIC_DEFAULT'), 'data key')
  const pair = await givenFoundKey('RSA_2048')
  expect(() => requireSymmetricKey(pair, 'data key')).toThrow(
    'You cannot generate a data key with an asymmetric CMK',
  )
})
