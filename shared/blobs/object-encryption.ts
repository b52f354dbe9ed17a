/**
 * Which key an object is encrypted under, and how its object key is made and opened (Amazon S3 User
 * Guide, "Protecting data with server-side encryption").
 *
 * SSE-S3 wraps the object key under the tenant key. SSE-KMS wraps it under a data key that KMS makes
 * for this one write, in the name of the caller; the data key's plaintext is wiped at once, and only
 * its ciphertext blob is kept.
 */
import { createSecretKey } from 'node:crypto'
import type { ObjectEncryption } from '../store/records.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import { newObjectKey, type ObjectIdentity, unwrapObjectKey, wrapObjectKey } from './object-key.ts'
import type { RequestedEncryption } from './requested-encryption.ts'
import { ObjectDamaged } from './segment-decryptor.ts'

export type EncryptionContext = Readonly<Record<string, string>>

/** What is asked of KMS, as the caller of S3 and by way of S3. */
export interface ObjectKms {
  /**
   * @param keyId - any of the four identifiers; `null`: the account's own `alias/aws/s3`
   * @returns the key's ARN, 32 bytes that the caller wipes, and their ciphertext blob
   */
  generateDataKey(
    keyId: string | null,
    context: EncryptionContext,
  ): Promise<{ readonly keyArn: string; readonly dataKey: Buffer; readonly blob: Buffer }>
  /** @returns the data key, which the caller wipes */
  decrypt(keyArn: string, blob: Uint8Array, context: EncryptionContext): Promise<Buffer>
}

export interface ObjectKeyServices {
  readonly tenantKeys: TenantKeys
  readonly kms: ObjectKms
}

/** Where an object key belongs: a write of a name in a bucket of an account. */
export type ObjectPlace = Omit<ObjectIdentity, 'encryption'>

/** An object key, and what of it goes into the record. */
export interface NewObjectKey {
  /** 32 bytes; the caller wipes them. */
  readonly objectKey: Buffer
  readonly encryption: ObjectEncryption
}

/**
 * A fresh object key, wrapped as was asked for.
 * @throws what KMS refuses with
 */
export async function createObjectKey(
  requested: RequestedEncryption,
  place: ObjectPlace,
  services: ObjectKeyServices,
): Promise<NewObjectKey> {
  switch (requested.mode) {
    case 'SSE-S3':
      return createUnderTenantKey(place, services.tenantKeys)
    case 'SSE-KMS':
      return createUnderDataKey(requested, place, services.kms)
    default:
      return requested satisfies never
  }
}

/**
 * @returns the object key of a record, 32 bytes that the caller wipes
 * @throws ObjectDamaged when the record is not the one that the object key was wrapped for
 * @throws what KMS refuses with
 */
export async function openObjectKey(
  record: ObjectPlace & { readonly encryption: ObjectEncryption },
  services: ObjectKeyServices,
): Promise<Buffer> {
  const objectKey = await unwrap(record, services)
  if (objectKey === null) throw new ObjectDamaged('The wrapped object key does not open.')
  return objectKey
}

async function createUnderTenantKey(
  place: ObjectPlace,
  tenantKeys: TenantKeys,
): Promise<NewObjectKey> {
  const tenantKey = await tenantKeys.current(place.account)
  const fields = { mode: 'SSE-S3', tenantKeyVersion: tenantKey.version } as const
  const objectKey = newObjectKey()
  const identity = { ...place, encryption: fields }
  const wrappedObjectKey = wrapObjectKey(tenantKey.purpose('object'), objectKey, identity)
  return { objectKey, encryption: { ...fields, wrappedObjectKey } }
}

async function createUnderDataKey(
  { keyId, encryptionContext }: Extract<RequestedEncryption, { mode: 'SSE-KMS' }>,
  place: ObjectPlace,
  kms: ObjectKms,
): Promise<NewObjectKey> {
  const { keyArn, dataKey, blob } = await kms.generateDataKey(keyId, encryptionContext)
  const wrappingKey = createSecretKey(dataKey)
  dataKey.fill(0)
  const fields = { mode: 'SSE-KMS', keyArn, encryptionContext } as const
  const objectKey = newObjectKey()
  const identity = { ...place, encryption: fields }
  const wrappedObjectKey = wrapObjectKey(wrappingKey, objectKey, identity)
  return { objectKey, encryption: { ...fields, dataKeyBlob: blob, wrappedObjectKey } }
}

async function unwrap(
  record: ObjectPlace & { readonly encryption: ObjectEncryption },
  { tenantKeys, kms }: ObjectKeyServices,
): Promise<Buffer | null> {
  const { encryption } = record
  switch (encryption.mode) {
    case 'SSE-S3': {
      const tenantKey = await tenantKeys.version(record.account, encryption.tenantKeyVersion)
      return unwrapObjectKey(tenantKey.purpose('object'), encryption.wrappedObjectKey, record)
    }
    case 'SSE-KMS': {
      const { keyArn, dataKeyBlob, encryptionContext } = encryption
      const dataKey = await kms.decrypt(keyArn, dataKeyBlob, encryptionContext)
      const wrappingKey = createSecretKey(dataKey)
      dataKey.fill(0)
      return unwrapObjectKey(wrappingKey, encryption.wrappedObjectKey, record)
    }
    default:
      return encryption satisfies never
  }
}
