/** The material of a key that signs, computes MACs and encrypts: the newest that is in use. */
import type { KeyObject } from 'node:crypto'
import type { MaterialRecord } from '../store/records.ts'
import type { FoundKey } from './keys.ts'
import { type MaterialCache, MaterialDamaged } from './material.ts'

/** @throws MaterialDamaged when the key's row names material that is not there */
export function currentMaterial({ bundle, key }: FoundKey): MaterialRecord {
  const record = bundle.materials.find(({ materialId }) => materialId === key.current)
  if (record !== undefined) return record
  throw new MaterialDamaged(`The current material of ${key.keyId} is missing.`)
}

/**
 * @returns the secret or private key
 * @throws MaterialDamaged, TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export const openCurrent = (found: FoundKey, cache: MaterialCache): Promise<KeyObject> =>
  cache.open(found.key, currentMaterial(found))

/**
 * @returns the public half of an asymmetric key
 * @throws as `openCurrent`
 */
export const openCurrentPublic = (found: FoundKey, cache: MaterialCache): Promise<KeyObject> =>
  cache.openPublic(found.key, currentMaterial(found))
