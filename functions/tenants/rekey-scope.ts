/**
 * What a re-keying is about, and what of it is still to be done: the same question for the operation
 * that does it and for the one that proves it.
 */
import { parseCiphertextBlob } from '../../shared/crypto/ciphertext-blob.ts'
import { JsonError } from '../../shared/errors.ts'
import { bucketNameOf, type MaterialId } from '../../shared/ids.ts'
import { parseKeyReference } from '../../shared/keys/key-reference.ts'
import { cryptographic, readable } from '../../shared/keys/key-states.ts'
import type { FoundKey } from '../../shared/keys/keys.ts'
import { keyIdentifier } from '../../shared/pipeline/kms-members.ts'
import type { Call, KeysByRole, KeyUse } from '../../shared/pipeline/operation.ts'
import { type Input, string, structure } from '../../shared/pipeline/shape.ts'
import type { ObjectEncryption } from '../../shared/store/records.ts'
import { pageMembers, type Scope } from './stored-stretches.ts'

export const rekeyRequest = structure({
  Bucket: string({ min: 3, max: 63 }),
  KeyId: keyIdentifier,
  TargetKeyId: keyIdentifier,
  ...pageMembers,
})
export type RekeyRequest = Input<typeof rekeyRequest>
export type RekeyRole = 'key' | 'target'
/** Only the keys that the request names. */
export type RekeyKeys = KeysByRole<RekeyRole>

/** What a re-keying does with an object. */
export type Standing =
  /** Nothing: it is not about this object. */
  | 'elsewhere'
  /** Nothing: no key above it could be newer. */
  | 'current'
  /** Its keys are to be wrapped anew. */
  | 'stale'
  /** Nothing: only its writer has the key above it. */
  | 'customer key'

/**
 * The keys that the request names. Whoever asks must be allowed to see them; what becomes of objects
 * is up to what KMS allows for each.
 */
export function rekeyKeys({ KeyId, TargetKeyId }: RekeyRequest): Record<RekeyRole, KeyUse> {
  const named = (text: string) => ({
    name: { by: 'identifier' as const, text, aliases: true },
    action: 'kms:DescribeKey',
  })
  const uses: Partial<Record<RekeyRole, KeyUse>> = {
    ...(KeyId === undefined ? {} : { key: { ...named(KeyId), states: readable } }),
    ...(TargetKeyId === undefined
      ? {}
      : {
          target: { ...named(TargetKeyId), states: cryptographic, usage: 'ENCRYPT_DECRYPT' },
        }),
  }
  return uses as Record<RekeyRole, KeyUse> // the pipeline takes those that there are
}

/** @returns the key of a role that a request need not name */
export const namedKey = (keys: Partial<RekeyKeys>, role: RekeyRole): FoundKey | null =>
  keys[role] ?? null

/** Of a bucket, what its own ARN allows; of a key, what `*` does: each object's KMS key has a say too. */
export const rekeyPermission = (action: string, { Bucket }: RekeyRequest) => [
  { action, resource: Bucket === undefined ? null : `arn:aws:s3:::${Bucket}` },
]

/** @throws JsonError ValidationException unless exactly one of Bucket and KeyId is given */
export function requireOneScope({ Bucket, KeyId }: RekeyRequest): void {
  if ((Bucket === undefined) !== (KeyId === undefined)) return
  throw new JsonError('ValidationException', 'Please specify either Bucket or KeyId.')
}

/** @throws JsonError NoSuchEntityException for a bucket that there is not */
export async function scopeOf(
  { Bucket }: RekeyRequest,
  keys: Partial<RekeyKeys>,
  { caller, services }: Call,
): Promise<Scope> {
  const key = namedKey(keys, 'key')
  if (key !== null) return { kind: 'key', keyArn: key.arn }
  const bucket = bucketNameOf(Bucket ?? '')
  if ((await services.store.buckets.get(caller.account, bucket)) !== null) {
    return { kind: 'bucket', bucket }
  }
  throw new JsonError('NoSuchEntityException', `The bucket ${bucket} does not exist.`)
}

/** What a marker of the request is bound to. */
export const rekeyParameters = ({ Bucket, KeyId, TargetKeyId }: RekeyRequest): string[] => [
  Bucket ?? '',
  KeyId ?? '',
  TargetKeyId ?? '',
]

/**
 * @param scope - of the request; not `account`, which is about nothing in particular
 * @returns what tells of an object how it stands, for one call: each key is read once
 */
export function standings(
  scope: Scope,
  target: FoundKey | null,
  call: Call,
): (encryption: ObjectEncryption) => Promise<Standing> {
  const { caller, services } = call
  const materials = new Map<string, Promise<MaterialId | null>>()
  const isTenantKeyCurrent = async (version: number): Promise<boolean> =>
    (await services.tenantKeys.current(caller.account)).version === version
  const currentOf = (keyArn: string): Promise<MaterialId | null> => {
    const known = materials.get(keyArn) ?? currentMaterialOf(keyArn, call)
    materials.set(keyArn, known)
    return known
  }
  const isCurrent = async (
    encryption: Exclude<ObjectEncryption, { mode: 'SSE-C' }>,
  ): Promise<boolean> => {
    if (encryption.mode === 'SSE-S3') return isTenantKeyCurrent(encryption.tenantKeyVersion)
    const { keyArn, dataKeyBlob } = encryption
    if (target !== null && target.arn !== keyArn) return false
    const materialId = parseCiphertextBlob(dataKeyBlob)?.materialId ?? null
    if (materialId === null || materialId !== (await currentOf(keyArn))) return false
    return encryption.mode === 'SSE-KMS' || isTenantKeyCurrent(encryption.tenantKeyVersion)
  }
  return async (encryption) => {
    if (scope.kind === 'key' && !('keyArn' in encryption && encryption.keyArn === scope.keyArn)) {
      return 'elsewhere'
    }
    if (encryption.mode === 'SSE-C') return 'customer key'
    return (await isCurrent(encryption)) ? 'current' : 'stale'
  }
}

/** @returns `null` for a key that is gone, or that this Region does not have */
async function currentMaterialOf(keyArn: string, call: Call): Promise<MaterialId | null> {
  const { caller, region, services } = call
  try {
    const reference = parseKeyReference(keyArn, { account: caller.account, region }, false)
    // Read anew, and kept: the calls that wrap go by what this one goes by.
    if (reference.by === 'id') services.keys.forget({ ...reference, region })
    return (await services.keys.find(reference, region, false))?.key.current ?? null
  } catch (error) {
    if (error instanceof JsonError) return null
    throw error
  }
}
