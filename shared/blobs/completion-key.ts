/**
 * What completes an upload under a caller's key (SSE-C): S3 does not ask for the key again then, but
 * the record of the object has to be sealed. The manifest key, which opens nothing, waits in the
 * upload's record, wrapped under the tenant key and bound to the upload's object.
 */

import type { UploadRecord } from '../store/records.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import { manifestKey } from './manifest.ts'
import type { EncryptedRecord } from './object-encryption.ts'
import { unwrapManifestKey, wrapManifestKey } from './object-key.ts'
import { ObjectDamaged } from './segment-decryptor.ts'

type Completion = UploadRecord['completion']

/** @returns `null` where the object key can be opened without the caller */
export async function keepManifestKey(
  objectKey: Uint8Array,
  record: EncryptedRecord,
  tenantKeys: TenantKeys,
): Promise<Completion> {
  if (record.encryption.mode !== 'SSE-C') return null
  const tenantKey = await tenantKeys.current(record.account)
  const key = manifestKey(objectKey)
  const wrapped = wrapManifestKey(tenantKey.purpose('object'), key, record)
  key.fill(0)
  return { tenantKeyVersion: tenantKey.version, wrappedManifestKey: wrapped }
}

/**
 * @returns the manifest key, 32 bytes that the caller wipes
 * @throws ObjectDamaged when it was not kept for this upload
 */
export async function openManifestKey(
  { tenantKeyVersion, wrappedManifestKey }: NonNullable<Completion>,
  record: EncryptedRecord,
  tenantKeys: TenantKeys,
): Promise<Buffer> {
  const tenantKey = await tenantKeys.version(record.account, tenantKeyVersion)
  const key = unwrapManifestKey(tenantKey.purpose('object'), wrappedManifestKey, record)
  if (key === null) throw new ObjectDamaged('The wrapped manifest key does not open.')
  return key
}
