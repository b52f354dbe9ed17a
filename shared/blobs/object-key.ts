/**
 * The object key: 32 random bytes, one for every write of an object, from which its stream keys and
 * its manifest key come. It is kept wrapped, in a sealed box (crypto/sealed-box.ts) under the tenant
 * key (SSE-S3), a data key of KMS (SSE-KMS) or the caller's key (SSE-C), so giving the object another
 * key above it moves no data. DSSE-KMS has a second one, for the outer layer, under the tenant key
 * and a label of its own.
 *
 * ```
 * AAD     1 │ mode │ account │ bucket │ object's name │ version id │
 *         SSE-S3: version of the tenant key
 *         SSE-KMS, SSE-KMS-BUCKET-KEY: key ARN │ canonical encryption context
 *         DSSE-KMS: key ARN │ canonical encryption context │ version of the tenant key
 *         SSE-C: salt │ commitment
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
const OUTER_LABEL = 'keyhold outer object key v1'
const MANIFEST_LABEL = 'keyhold kept manifest key v1'

type WithoutWrapped<Encryption> = Encryption extends ObjectEncryption
  ? Omit<Encryption, 'wrappedObjectKey' | 'wrappedOuterKey' | 'dataKeyBlob'>
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
  return openKey(wrappingKey, LABEL, wrapped, identity)
}

/** As `wrapObjectKey`, for the key of the outer layer: `wrappedOuterKey`. */
export const wrapOuterKey = (
  wrappingKey: KeyObject,
  outerKey: Uint8Array,
  identity: ObjectIdentity,
): Buffer => seal(wrappingKey, OUTER_LABEL, outerKey, objectKeyAad(identity))

/** As `unwrapObjectKey`, for the key of the outer layer. */
export const unwrapOuterKey = (
  wrappingKey: KeyObject,
  wrapped: Uint8Array,
  identity: ObjectIdentity,
): Buffer | null => openKey(wrappingKey, OUTER_LABEL, wrapped, identity)

/** As `wrapObjectKey`, for the manifest key of an upload under a caller's key. */
export const wrapManifestKey = (
  wrappingKey: KeyObject,
  manifestKey: Uint8Array,
  identity: ObjectIdentity,
): Buffer => seal(wrappingKey, MANIFEST_LABEL, manifestKey, objectKeyAad(identity))

/** As `unwrapObjectKey`, for the manifest key of an upload under a caller's key. */
export const unwrapManifestKey = (
  wrappingKey: KeyObject,
  wrapped: Uint8Array,
  identity: ObjectIdentity,
): Buffer | null => openKey(wrappingKey, MANIFEST_LABEL, wrapped, identity)

/** The mode as formats write it: with a bucket key it is another one, so neither passes for the other. */
export const writtenMode = (encryption: Pick<ObjectEncryption, 'mode'>): string =>
  'bucketKey' in encryption && encryption.bucketKey ? 'SSE-KMS-BUCKET-KEY' : encryption.mode

function openKey(
  wrappingKey: KeyObject,
  label: string,
  wrapped: Uint8Array,
  identity: ObjectIdentity,
): Buffer | null {
  const opened = open(wrappingKey, label, wrapped, objectKeyAad(identity))
  return opened?.length === OBJECT_KEY_LENGTH ? opened : null
}

function objectKeyAad({ account, bucket, key, versionId, encryption }: ObjectIdentity): Buffer {
  const place = [writtenMode(encryption), account, bucket, key, versionId]
  switch (encryption.mode) {
    case 'SSE-S3':
      return encodeFields(FORMAT_VERSION, ...place, encryption.tenantKeyVersion)
    case 'SSE-KMS': {
      const context = encodeEncryptionContext(encryption.encryptionContext)
      return encodeFields(FORMAT_VERSION, ...place, encryption.keyArn, context)
    }
    case 'DSSE-KMS': {
      const { keyArn, encryptionContext, tenantKeyVersion } = encryption
      const context = encodeEncryptionContext(encryptionContext)
      return encodeFields(FORMAT_VERSION, ...place, keyArn, context, tenantKeyVersion)
    }
    case 'SSE-C': {
      const { customerKeySalt, customerKeyCommitment } = encryption
      return encodeFields(FORMAT_VERSION, ...place, customerKeySalt, customerKeyCommitment)
    }
    default:
      return encryption satisfies never
  }
}
