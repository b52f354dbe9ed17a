/**
 * The ids of imported material. Importing the same bytes into the same key gives the same id, also
 * after they were deleted, and nobody can find out from an id what was imported: it is made with a
 * secret key of its own for each KMS key, HMAC-SHA-256 (FIPS 198-1) over the material.
 */
import { createSecretKey } from 'node:crypto'
import { KEY_LENGTH } from '../crypto/aes-gcm.ts'
import { encodeFields } from '../crypto/encoding.ts'
import { hmacSha256 } from '../crypto/hmac.ts'
import { freshBytes } from '../crypto/random.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import { type MaterialId, PARTITION, parseMaterialId } from '../ids.ts'
import type { KeyRecord, WrappedSecret } from '../store/records.ts'
import type { TenantKey, TenantKeys } from '../tenants/tenant-keys.ts'
import { MaterialDamaged, type MaterialOwner } from './material.ts'

const LABEL = 'keyhold wrapped identity key v1'
const ID_LABEL = 'keyhold imported material id v1'

/** @returns a new identity key for a key of origin EXTERNAL, wrapped */
export const createIdentityKey = (tenantKey: TenantKey, owner: MaterialOwner): WrappedSecret =>
  wrapIdentityKey(tenantKey, owner, freshBytes(KEY_LENGTH))

/** @param bytes - of the identity key of a related key; wiped */
export function wrapIdentityKey(
  tenantKey: TenantKey,
  owner: MaterialOwner,
  bytes: Buffer,
): WrappedSecret {
  const aad = identityAad(owner, tenantKey.version)
  const wrapped = seal(tenantKey.purpose('material'), LABEL, bytes, aad)
  bytes.fill(0)
  return { wrapped, tenantKeyVersion: tenantKey.version }
}

/**
 * @returns the identity key, for the caller to wipe
 * @throws MaterialDamaged when it does not open as that of this key, or is not there
 * @throws TenantKeyMissing, TenantKeyDamaged, HsmUnavailable
 */
export async function unwrapIdentityKey(tenantKeys: TenantKeys, key: KeyRecord): Promise<Buffer> {
  const { identityKey, account, keyId } = key
  if (identityKey === null) throw new MaterialDamaged(`Key ${keyId} has no identity key.`)
  const tenantKey = await tenantKeys.version(account, identityKey.tenantKeyVersion)
  const aad = identityAad(key, identityKey.tenantKeyVersion)
  const bytes = open(tenantKey.purpose('material'), LABEL, identityKey.wrapped, aad)
  if (bytes === null) throw new MaterialDamaged(`The identity key of ${keyId} does not open.`)
  return bytes
}

/**
 * @param bytes - the material as the key spec stores it
 * @throws as `unwrapIdentityKey`
 */
export async function importedMaterialId(
  tenantKeys: TenantKeys,
  key: KeyRecord,
  bytes: Uint8Array,
): Promise<MaterialId> {
  const secret = await unwrapIdentityKey(tenantKeys, key)
  const identity = createSecretKey(secret)
  secret.fill(0)
  const message = Buffer.concat([encodeFields(ID_LABEL, key.keyId), bytes])
  const id = parseMaterialId(hmacSha256(identity, message).toString('hex'))
  message.fill(0)
  if (id === null) throw new Error('A material id has another form than its parser takes.')
  return id
}

const identityAad = (owner: MaterialOwner, tenantKeyVersion: number): Buffer =>
  encodeFields(
    LABEL,
    PARTITION,
    owner.region,
    owner.account,
    owner.keyId,
    owner.keySpec,
    owner.origin,
    tenantKeyVersion,
  )
