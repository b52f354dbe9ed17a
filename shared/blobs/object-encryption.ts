/**
 * Which key an object is encrypted under, and how its object key is made and opened (Amazon S3 User
 * Guide, "Protecting data with server-side encryption").
 *
 * SSE-S3 wraps the object key under the tenant key. SSE-KMS wraps it under a data key that KMS makes
 * in the name of the caller: for this one write, or, with a bucket key, for many writes of one
 * requester to one bucket. DSSE-KMS has two object keys for two layers: the inner one under a data
 * key of KMS, the outer one under the tenant key. SSE-C wraps it under the key that the caller brings.
 * Only the data key's ciphertext blob is kept.
 */
import type { KeyObject } from 'node:crypto'
import type { BucketName } from '../ids.ts'
import type { ObjectEncryption } from '../store/records.ts'
import type { TenantKeys } from '../tenants/tenant-keys.ts'
import { deriveWrappingKey, matchWrappingKey } from './customer-key.ts'
import {
  newObjectKey,
  type ObjectIdentity,
  unwrapObjectKey,
  unwrapOuterKey,
  wrapObjectKey,
  wrapOuterKey,
} from './object-key.ts'
import { type ObjectKeys, wipeObjectKeys } from './object-keys.ts'
import type { RequestedEncryption } from './requested-encryption.ts'
import { ObjectDamaged } from './segment-decryptor.ts'

export type EncryptionContext = Readonly<Record<string, string>>

/** A data key of KMS, ready to wrap object keys. */
export interface WrappingKey {
  readonly keyArn: string
  readonly wrappingKey: KeyObject
  /** Its ciphertext blob. */
  readonly blob: Uint8Array
}

/** What is asked of KMS, as the caller of S3 and by way of S3. */
export interface ObjectKms {
  /**
   * @param keyId - any of the four identifiers; `null`: the account's own `alias/aws/s3`
   * @param sharedIn - the bucket whose writes may share the data key; `null`: it is for one write
   */
  generateDataKey(
    keyId: string | null,
    context: EncryptionContext,
    sharedIn: BucketName | null,
  ): Promise<WrappingKey>
  /** @param shared - whether the data key is one that many objects share */
  decrypt(
    keyArn: string,
    blob: Uint8Array,
    context: EncryptionContext,
    shared: boolean,
  ): Promise<KeyObject>
}

export interface ObjectKeyServices {
  readonly tenantKeys: TenantKeys
  readonly kms: ObjectKms
}

/** Where an object key belongs: a write of a name in a bucket of an account. */
export type ObjectPlace = Omit<ObjectIdentity, 'encryption'>

/** A record as far as it takes to open its keys. */
export type EncryptedRecord = ObjectPlace & { readonly encryption: ObjectEncryption }

/** The keys of a write, and what of them goes into the record. The caller wipes the keys. */
export interface NewObjectKeys {
  readonly keys: ObjectKeys
  readonly encryption: ObjectEncryption
}

/** The key that a request brought is not the one that the object was written with. */
export class WrongCustomerKey extends Error {
  override readonly name = 'WrongCustomerKey'
}

/**
 * Fresh object keys, wrapped as was asked for.
 * @throws what KMS refuses with
 */
export async function createObjectKeys(
  requested: RequestedEncryption,
  place: ObjectPlace,
  services: ObjectKeyServices,
): Promise<NewObjectKeys> {
  const keys = {
    objectKey: newObjectKey(),
    outerKey: requested.mode === 'DSSE-KMS' ? newObjectKey() : null,
  }
  try {
    return { keys, encryption: await wrapObjectKeys(keys, requested, place, services) }
  } catch (error) {
    wipeObjectKeys(keys)
    throw error
  }
}

/**
 * Wraps keys that an object has, for a record of their own: at a write, or to give the object other
 * keys above them.
 * @throws what KMS refuses with; RangeError when the keys are not as many as the mode has layers
 */
export async function wrapObjectKeys(
  keys: ObjectKeys,
  requested: RequestedEncryption,
  place: ObjectPlace,
  services: ObjectKeyServices,
): Promise<ObjectEncryption> {
  if ((keys.outerKey !== null) !== (requested.mode === 'DSSE-KMS')) {
    throw new RangeError('The layers of an object do not change with its keys.')
  }
  switch (requested.mode) {
    case 'SSE-S3':
      return wrapUnderTenantKey(keys.objectKey, place, services.tenantKeys)
    case 'SSE-KMS':
      return wrapUnderDataKey(keys.objectKey, requested, place, services.kms)
    case 'DSSE-KMS':
      return wrapTwice(keys, requested, place, services)
    case 'SSE-C':
      return wrapUnderCustomerKey(keys.objectKey, requested.customerKey, place)
    default:
      return requested satisfies never
  }
}

/**
 * @param customerKey - what the request brought; `null` unless the record is of SSE-C
 * @returns the keys of a record, which the caller wipes
 * @throws ObjectDamaged when the record is not the one that the keys were wrapped for
 * @throws WrongCustomerKey
 * @throws what KMS refuses with
 */
export async function openObjectKeys(
  record: EncryptedRecord,
  customerKey: KeyObject | null,
  services: ObjectKeyServices,
): Promise<ObjectKeys> {
  const objectKey = await openInner(record, customerKey, services)
  if (objectKey === null) throw new ObjectDamaged('The wrapped object key does not open.')
  if (record.encryption.mode !== 'DSSE-KMS') return { objectKey, outerKey: null }
  const { tenantKeyVersion, wrappedOuterKey } = record.encryption
  try {
    const tenantKey = await services.tenantKeys.version(record.account, tenantKeyVersion)
    const outerKey = unwrapOuterKey(tenantKey.purpose('object'), wrappedOuterKey, record)
    if (outerKey !== null) return { objectKey, outerKey }
  } catch (error) {
    objectKey.fill(0)
    throw error
  }
  objectKey.fill(0)
  throw new ObjectDamaged('The wrapped key of the outer layer does not open.')
}

async function wrapUnderTenantKey(
  objectKey: Buffer,
  place: ObjectPlace,
  tenantKeys: TenantKeys,
): Promise<ObjectEncryption> {
  const tenantKey = await tenantKeys.current(place.account)
  const fields = { mode: 'SSE-S3', tenantKeyVersion: tenantKey.version } as const
  const identity = { ...place, encryption: fields }
  const wrappedObjectKey = wrapObjectKey(tenantKey.purpose('object'), objectKey, identity)
  return { ...fields, wrappedObjectKey }
}

async function wrapUnderDataKey(
  objectKey: Buffer,
  { keyId, encryptionContext, bucketKey }: Extract<RequestedEncryption, { mode: 'SSE-KMS' }>,
  place: ObjectPlace,
  kms: ObjectKms,
): Promise<ObjectEncryption> {
  const sharedIn = bucketKey ? place.bucket : null
  const { keyArn, wrappingKey, blob } = await kms.generateDataKey(
    keyId,
    encryptionContext,
    sharedIn,
  )
  const fields = { mode: 'SSE-KMS', keyArn, encryptionContext, bucketKey } as const
  const identity = { ...place, encryption: fields }
  const wrappedObjectKey = wrapObjectKey(wrappingKey, objectKey, identity)
  return { ...fields, dataKeyBlob: blob, wrappedObjectKey }
}

async function wrapTwice(
  { objectKey, outerKey }: ObjectKeys,
  { keyId, encryptionContext }: Extract<RequestedEncryption, { mode: 'DSSE-KMS' }>,
  place: ObjectPlace,
  { kms, tenantKeys }: ObjectKeyServices,
): Promise<ObjectEncryption> {
  if (outerKey === null) throw new RangeError('There is no key for the outer layer.')
  const { keyArn, wrappingKey, blob } = await kms.generateDataKey(keyId, encryptionContext, null)
  const tenantKey = await tenantKeys.current(place.account)
  const { version: tenantKeyVersion } = tenantKey
  const fields = { mode: 'DSSE-KMS', keyArn, encryptionContext, tenantKeyVersion } as const
  const identity = { ...place, encryption: fields }
  return {
    ...fields,
    dataKeyBlob: blob,
    wrappedObjectKey: wrapObjectKey(wrappingKey, objectKey, identity),
    wrappedOuterKey: wrapOuterKey(tenantKey.purpose('object'), outerKey, identity),
  }
}

function wrapUnderCustomerKey(
  objectKey: Buffer,
  customerKey: KeyObject,
  place: ObjectPlace,
): ObjectEncryption {
  const { wrappingKey, salt, commitment } = deriveWrappingKey(customerKey)
  const fields = {
    mode: 'SSE-C',
    customerKeySalt: salt,
    customerKeyCommitment: commitment,
  } as const
  const wrappedObjectKey = wrapObjectKey(wrappingKey, objectKey, { ...place, encryption: fields })
  return { ...fields, wrappedObjectKey }
}

async function openInner(
  record: EncryptedRecord,
  customerKey: KeyObject | null,
  { tenantKeys, kms }: ObjectKeyServices,
): Promise<Buffer | null> {
  const { encryption } = record
  const { wrappedObjectKey } = encryption
  switch (encryption.mode) {
    case 'SSE-S3': {
      const tenantKey = await tenantKeys.version(record.account, encryption.tenantKeyVersion)
      return unwrapObjectKey(tenantKey.purpose('object'), wrappedObjectKey, record)
    }
    case 'SSE-KMS':
    case 'DSSE-KMS': {
      const { keyArn, dataKeyBlob, encryptionContext } = encryption
      const isShared = encryption.mode === 'SSE-KMS' && encryption.bucketKey
      const wrappingKey = await kms.decrypt(keyArn, dataKeyBlob, encryptionContext, isShared)
      return unwrapObjectKey(wrappingKey, wrappedObjectKey, record)
    }
    case 'SSE-C': {
      const { customerKeySalt, customerKeyCommitment } = encryption
      const wrappingKey =
        customerKey && matchWrappingKey(customerKey, customerKeySalt, customerKeyCommitment)
      if (wrappingKey === null) throw new WrongCustomerKey()
      return unwrapObjectKey(wrappingKey, wrappedObjectKey, record)
    }
    default:
      return encryption satisfies never
  }
}
