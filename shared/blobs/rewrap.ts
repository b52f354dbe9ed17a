/**
 * Giving an object other keys above its own: its object keys are opened, wrapped anew and its record
 * sealed again. Its bytes stay where they are and as they are.
 */
import type { ObjectEncryption, ObjectRecord } from '../store/records.ts'
import { verifyManifest } from './manifest.ts'
import {
  type EncryptedRecord,
  type ObjectKeyServices,
  openObjectKeys,
  WrongCustomerKey,
  wrapObjectKeys,
} from './object-encryption.ts'
import { type ObjectKeys, wipeObjectKeys } from './object-keys.ts'
import { sealRecord } from './object-record.ts'
import type { RequestedEncryption } from './requested-encryption.ts'
import { ObjectDamaged } from './segment-decryptor.ts'

/**
 * The record of an object with its keys wrapped anew, of the same write: version id, ETag and dates
 * stay.
 * @param keyArn - the KMS key to go to; `null`: the one that it has
 * @throws ObjectDamaged when the record is not the one that was written
 * @throws WrongCustomerKey for an object under a key that only its writer has
 * @throws what KMS refuses with
 */
export async function rewrapObject(
  record: ObjectRecord,
  keyArn: string | null,
  services: ObjectKeyServices,
): Promise<ObjectRecord> {
  return withKeysOf(record, services, async (keys) => {
    if (!verifyManifest(keys.objectKey, record)) {
      throw new ObjectDamaged('The record of an object is not the one that was written.')
    }
    const encryption = await wrapObjectKeys(keys, requestOf(record, keyArn), record, services)
    return sealRecord(keys.objectKey, { ...record, encryption }, record.tags)
  })
}

/**
 * As `rewrapObject`, for what has no manifest yet: an upload under way.
 * @returns the encryption that it goes on with
 */
export async function rewrapKeys(
  record: EncryptedRecord,
  keyArn: string | null,
  services: ObjectKeyServices,
): Promise<ObjectEncryption> {
  return withKeysOf(record, services, (keys) =>
    wrapObjectKeys(keys, requestOf(record, keyArn), record, services),
  )
}

async function withKeysOf<Result>(
  record: EncryptedRecord,
  services: ObjectKeyServices,
  use: (keys: ObjectKeys) => Promise<Result>,
): Promise<Result> {
  const keys = await openObjectKeys(record, null, services)
  try {
    return await use(keys)
  } finally {
    wipeObjectKeys(keys)
  }
}

/** What a write would ask for that is to be encrypted as the record is. */
function requestOf({ encryption }: EncryptedRecord, keyArn: string | null): RequestedEncryption {
  switch (encryption.mode) {
    case 'SSE-S3':
      return { mode: 'SSE-S3' }
    case 'SSE-KMS': {
      const { mode, encryptionContext, bucketKey } = encryption
      return { mode, keyId: keyArn ?? encryption.keyArn, encryptionContext, bucketKey }
    }
    case 'DSSE-KMS': {
      const { mode, encryptionContext } = encryption
      return { mode, keyId: keyArn ?? encryption.keyArn, encryptionContext }
    }
    case 'SSE-C':
      throw new WrongCustomerKey()
    default:
      return encryption satisfies never
  }
}
