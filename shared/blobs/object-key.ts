/**
 * The object key: 32 random bytes, one for every write of an object, from which its stream keys and
 * its manifest key come. It is kept wrapped, in a sealed box (crypto/sealed-box.ts) under the tenant
 * key (SSE-S3) or the data key of the call (SSE-KMS), so giving the object another key above it
 * moves no data.
 *
 * ```
 * AAD     1 │ mode │ account │ bucket │ object's name │ version id │
 *         SSE-S3: version of the tenant key
 *         SSE-KMS: key ARN │ canonical encryption context
 * ```
 * Each is a field of crypto/encoding.ts. A wrapped key that is moved to another name, bucket, tenant,
 * version or mode does not open there.
 */
import { type KeyObject, randomBytes } from 'node:crypto'
import { encodeFields } from '../crypto/encoding.ts'
import { encodeEncryptionContext } from '../crypto/encryption-context.ts'
import { open, seal } from '../crypto/sealed-box.ts'
import type { AccountId, BucketName } from '../ids.ts'
import type { ObjectEncryption } from '../store/records.ts'

const OBJECT_KEY_LENGTH = 32
const FORMAT_VERSION = 1
const LABEL = 'keyhold object key v1'

type WithoutWrapped<Encryption> = Encryption extends ObjectEncryption
  ? Omit<Encryption, 'wrappedObjectKey' | 'dataKeyBlob'>
  : never

/** What a wrapped object key belongs to, from the resolved request; an `ObjectRecord` is one. */
export interface ObjectIdentity {
  readonly account: AccountId
  readonly bucket: BucketName
  /** The object's name. */
  readonly key: string
  readonly versionId: string
  readonly encryption: WithoutWrapped<ObjectEncryption>
}

/** @returns 32 random bytes in an allocation of their own; the caller wipes them */
export const newObjectKey = (): Buffer => randomBytes(OBJECT_KEY_LENGTH)

/**
 * @param wrappingKey - 32 bytes: the tenant key, or the data key from KMS
 * @param objectKey - 32 bytes
 * @returns what goes into the record as `wrappedObjectKey`
 */
export const wrapObjectKey = (
  wrappingKey: KeyObject,
  objectKey: Uint8Array,
  identity: ObjectIdentity,
): Buffer => seal(wrappingKey, LABEL, objectKey, objectKeyAad(identity))

/** @returns the object key, which the caller wipes; `null` when it was not wrapped so for this identity */
export function unwrapObjectKey(
  wrappingKey: KeyObject,
  wrapped: Uint8Array,
  identity: ObjectIdentity,
): Buffer | null {
  const objectKey = open(wrappingKey, LABEL, wrapped, objectKeyAad(identity))
  return objectKey?.length === OBJECT_KEY_LENGTH ? objectKey : null
}

function objectKeyAad({ account, bucket, key, versionId, encryption }: ObjectIdentity): Buffer {
  const object = [account, bucket, key, versionId]
  switch (encryption.mode) {
    case 'SSE-S3':
      return encodeFields(FORMAT_VERSION, 'SSE-S3', ...object, encryption.tenantKeyVersion)
    case 'SSE-KMS': {
      const context = encodeEncryptionContext(encryption.encryptionContext)
      return encodeFields(FORMAT_VERSION, 'SSE-KMS', ...object, encryption.keyArn, context)
    }
    default:
      return encryption satisfies never
  }
}
